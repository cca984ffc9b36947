"""The HTTP server as real clients see it, and as malformed ones do."""

from __future__ import annotations

import http.client
import json
import socket
import threading

import pytest

from simulator.images.parts import ZeroPart
from simulator.server import Server
from simulator.wire import ConnectionDropped, Request, Response


class Echo:
    """Answers with what it was asked; paths ask for special behaviour."""

    def handle(self, request: Request) -> Response:
        if request.path == "/dropped":
            raise ConnectionDropped
        if request.path == "/cut":
            raise ConnectionDropped(Response(200, body=b"0123456789"), cut_after_bytes=4)
        if request.path == "/cut-parts":
            raise ConnectionDropped(Response(200, body=[ZeroPart(5_000_000)]), cut_after_bytes=3_000_001)
        if request.path == "/broken":
            raise RuntimeError("a bug")
        if request.path == "/nothing":
            return Response(204)
        told = {
            "method": request.method,
            "host": request.host,
            "path": request.path,
            "query": dict(request.query),
            "headers": dict(request.headers),
            "body": request.body.decode("latin-1"),
        }
        return Response.of_json(200, told)


@pytest.fixture
def server():
    with Server(Echo()) as running:
        yield running


@pytest.fixture
def client(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield connection
    connection.close()


def raw(server: Server, sent: bytes) -> bytes:
    """Send bytes, then return everything that comes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while block := connection.recv(65536):
            received += block
        return received


def test_many_requests_share_one_connection(client):
    for number in range(3):
        client.request("GET", f"/a%20b/{number}?x=1&y=%2F", headers={"X-Thing": "Value"})
        answer = client.getresponse()
        told = json.loads(answer.read())
        assert (answer.status, told["path"], told["query"]) == (200, f"/a b/{number}", {"x": "1", "y": "/"})
        assert told["headers"]["x-thing"] == "Value"


def test_a_body_arrives_whole_by_length_and_in_chunks(client):
    client.request("PUT", "/x", body=b"a" * 300_000)
    assert json.loads(client.getresponse().read())["body"] == "a" * 300_000
    client.request("PUT", "/x", body=iter([b"ab", b"c" * 70_000]), encode_chunked=True)
    assert json.loads(client.getresponse().read())["body"] == "ab" + "c" * 70_000


def test_head_and_no_content_have_no_body_and_the_connection_goes_on(client):
    client.request("HEAD", "/x")
    answer = client.getresponse()
    assert int(answer.headers["content-length"]) > 0
    assert answer.read() == b""
    client.request("GET", "/nothing")
    answer = client.getresponse()
    assert (answer.status, answer.headers["content-length"], answer.read()) == (204, None, b"")
    client.request("GET", "/x")
    assert json.loads(client.getresponse().read())["path"] == "/x"


def test_requests_sent_ahead_are_answered_in_order(server):
    received = raw(
        server,
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    )
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert received.index(b'"path": "/1"') < received.index(b'"path": "/2"')
    assert b'"body": "abc"' in received


def test_a_client_that_asks_first_is_told_to_send_its_body(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        received = b""
        while block := connection.recv(65536):
            received += block
    assert b'"body": "ok"' in received
    assert b"connection: close" in received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc", 400),  # ends early
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a", 400),
    ],
)
def test_what_is_malformed_is_refused_and_ends_the_connection(server, sent, status):
    received = raw(server, sent)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in received
    assert received.count(b"content-length: ") == 1


def test_a_lever_of_the_simulator_is_pulled_without_a_length(server):
    received = raw(server, b"POST /simulator/lose/west HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_refusal_arrives_though_the_client_is_still_sending(server):
    received = raw(server, b"nonsense\r\n\r\n" + bytes(5_000_000))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.endswith(b"b'nonsense' is no request line\n")


def test_a_client_that_did_not_wait_is_not_told_to_go_on(server):
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    received = raw(server, head + b"ok")
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"body": "ok"' in received


def test_an_old_client_gets_its_answer_and_the_end_of_the_connection(server):
    received = raw(server, b"\r\nGET /old HTTP/1.0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"path": "/old"' in received


def test_a_dropped_connection_tells_the_client_nothing(client):
    client.request("GET", "/dropped")
    with pytest.raises(http.client.RemoteDisconnected):
        client.getresponse()


@pytest.mark.parametrize(("path", "arrived"), [("/cut", b"0123"), ("/cut-parts", bytes(3_000_001))])
def test_a_cut_connection_ends_in_the_middle_of_the_body(client, path, arrived):
    client.request("GET", path)
    answer = client.getresponse()
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    assert cut.value.partial == arrived


def test_a_failure_of_the_simulator_is_not_taken_for_an_answer_of_azure(client, caplog):
    client.request("GET", "/broken")
    answer = client.getresponse()
    assert answer.status == 500
    assert json.loads(answer.read())["error"]["code"] == "SimulatorFailed"
    assert "a bug" in caplog.text


def test_stopping_leaves_no_thread_and_no_open_connection():
    before = set(threading.enumerate())
    with Server(Echo()) as server:
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        busy = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        busy.request("GET", "/x")
        assert busy.getresponse().read()
        port = server.port
    assert set(threading.enumerate()) == before
    assert idle.recv(10) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    idle.close()
    busy.close()
    server.stop()


def test_an_answer_under_way_is_finished_before_the_server_stops():
    asked, go_on = threading.Event(), threading.Event()

    class Slow:
        def handle(self, request: Request) -> Response:
            asked.set()
            go_on.wait(10)
            return Response(200, body=b"done")

    with Server(Slow()) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        client.request("GET", "/")
        asked.wait(10)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        while accepts_connections(server.port):
            pass
        go_on.set()
        assert client.getresponse().read() == b"done"
        stopper.join()
        client.close()


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionError:  # refused, or reset if the listener is closed while the connection is made
        return False
    return True
