"""The wire: whole answers or none, connections kept and replaced, and no signature in any message."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from domain.errors import Transient
from gateways.http_connection import Answer
from gateways.wire import Network
from simulator.server import Server
from simulator.streams import streams
from simulator.wire import ConnectionDropped, Headers, Request, Response

BODY = bytes(range(256)) * 300  # more than one receive


class Echo:
    """Answers with what it was asked, and counts."""

    def __init__(self, response: Callable[[Request], Response] | None = None) -> None:
        self.requests: list[Request] = []
        self.response = response or (lambda request: Response(200, body=request.body or BODY))

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return self.response(request)


@pytest.fixture(params=["in process", "over HTTP"])
def reach(request):
    """Gives the network that a cloud is reached by, and a URL in it."""
    servers = []

    def reached(cloud: Echo) -> tuple[Network, str]:
        if request.param == "in process":
            return Network(streams(cloud)), "http://cloud.example/blob?sv=1&sig=secret"
        servers.append(Server(cloud).start())
        return Network(), f"{servers[-1].url}/blob?sv=1&sig=secret"

    yield reached
    for server in servers:
        server.stop()


def test_bytes_go_out_and_come_back_as_they_are(reach):
    cloud = Echo()
    network, url = reach(cloud)
    answer = network.send("PUT", url, {"x-ms-version": "1", "X-Other": "äö"}, memoryview(BODY))
    assert answer.content == BODY
    [asked] = cloud.requests
    assert (asked.method, asked.path, asked.query) == ("PUT", "/blob", {"sv": "1", "sig": "secret"})
    assert (asked.headers["x-ms-version"], asked.headers["x-other"]) == ("1", "äö")


def test_a_body_fills_the_callers_buffer(reach):
    network, url = reach(Echo())
    buffer = bytearray(len(BODY))
    answer = network.send("GET", url, {}, into=memoryview(buffer))
    assert bytes(buffer) == BODY
    assert answer == Answer(200, {"content-length": str(len(BODY))})


@pytest.mark.parametrize("missing", [1, -1, len(BODY) - 1])
def test_a_body_of_another_length_is_never_taken(reach, missing):
    network, url = reach(Echo())
    with pytest.raises(Transient, match=f"{len(BODY)} bytes instead of") as failure:
        network.send("GET", url, {}, into=memoryview(bytearray(len(BODY) - missing)))
    assert failure.value.code == "AnswerUnreadable"
    assert network.send("GET", url, {}).content == BODY  # on a new connection: the old one holds the rest


def test_what_does_not_succeed_leaves_the_buffer_alone_and_tells_its_body(reach):
    network, url = reach(Echo(lambda request: Response(403, Headers({"X-Ms-Error-Code": "No"}), b"<Error/>")))
    buffer = bytearray(10)
    answer = network.send("GET", url, {}, into=memoryview(buffer))
    assert (answer.status, answer.headers["x-ms-error-code"], answer.content) == (403, "No", b"<Error/>")
    assert buffer == bytes(10)


def test_a_connection_that_ends_after_half_a_body_is_no_answer(reach):
    def cut(request: Request) -> Response:
        raise ConnectionDropped(Response(206, body=BODY), len(BODY) // 2)

    cloud = Echo(cut)
    network, url = reach(cloud)
    with pytest.raises(Transient, match=f"after {len(BODY) // 2} of {len(BODY)} bytes") as failure:
        network.send("GET", url, {}, into=memoryview(bytearray(len(BODY))))
    assert failure.value.code == "ConnectionFailed"
    assert "sig" not in str(failure.value)
    assert len(cloud.requests) == 1  # something had come, so it is not asked again here


def test_a_fresh_connection_that_gives_no_answer_is_a_failure(reach):
    def drop(request: Request) -> Response:
        raise ConnectionDropped

    cloud = Echo(drop)
    network, url = reach(cloud)
    with pytest.raises(Transient) as failure:
        network.send("GET", url, {})
    assert failure.value.code == "ConnectionFailed"
    assert len(cloud.requests) == 1


def test_a_kept_connection_that_gives_no_answer_is_replaced_once(reach):
    def drop_the_second(request: Request) -> Response:
        if len(cloud.requests) == 2:
            raise ConnectionDropped
        return Response(200, body=request.body)

    cloud = Echo(drop_the_second)
    network, url = reach(cloud)
    assert network.send("PUT", url, {}, b"one").content == b"one"
    assert network.send("PUT", url, {}, b"two").content == b"two"
    assert [asked.body for asked in cloud.requests] == [b"one", b"two", b"two"]


def test_threads_share_it(reach):
    network, url = reach(Echo())
    found: list[bool] = []

    def ask(number: int) -> None:
        for each in range(20):
            data = bytes([number]) * (each * 1000 + 1)
            found.append(network.send("PUT", url, {}, data).content == data)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 120


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://cloud.example/blob?sig=secret\r\nhost: other", {}),
        ("http://cloud.example/blob with space?sig=secret", {}),
        ("http://cloud.example/blob", {"x": "1\r\ny: 2"}),
        ("ftp://cloud.example/blob?sig=secret", {}),
        ("http://user:secret@cloud.example/blob", {}),
    ],
)
def test_what_would_break_a_request_in_two_is_not_sent(url, headers):
    with pytest.raises(ValueError, match=r"this form|break the request") as refused:
        Network(streams(Echo())).send("GET", url, headers)
    assert "sig=" not in str(refused.value)


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that gives each connection one of these answers, to whatever is asked, and ends it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join()
    listener.close()


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (OK + CHUNKED + b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n", b"Wikipedia"),
        (OK + CHUNKED + b"0\r\ntrailer: x\r\n\r\n", b""),
        (OK + b"\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.0 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["chunked", "empty chunked", "by the end", "after a promise", "HTTP/1.0", "no content"],
)
def test_bodies_are_read_in_every_form_that_http_has(answer, content):
    with answering(answer) as url:
        assert Network().send("GET", url, {}).content == content


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no answer of HTTP"),
        (OK + b"content-length: 1\r\ncontent-length: 1\r\n\r\nx", "comes twice"),
        (OK + b"content-length: -1\r\n\r\n", "length of the body"),
        (OK + b"content-length: 1\r\n" + CHUNKED + b"0\r\n\r\n", "beside the length"),
        (OK + b"transfer-encoding: gzip\r\n\r\n", "transfer coding"),
        (OK + b"no colon\r\n\r\n", "is no header"),
        (OK + b" folded: 1\r\n\r\n", "is no name of a header"),
        (OK + CHUNKED + b"zz\r\n", "no size of a chunk"),
        (OK + CHUNKED + b"1\r\nxy\r\n", "does not end where its size says"),
        (OK + CHUNKED + b"5\r\nxy", "ended after"),
        (OK + b"x: " + b"y" * 70000, "more than 65536 bytes"),
        (OK + b"content-length: 99999999999\r\n\r\n", "at most"),
        (OK, "ended without an answer"),
        (b"", "ended without an answer"),
    ],
)
def test_what_is_malformed_or_ambiguous_is_refused(answer, told):
    with answering(answer) as url, pytest.raises(Transient, match=told):
        Network().send("GET", url, {})


def test_a_refusal_that_comes_before_the_request_is_out_is_an_answer_or_a_failure():
    refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nx-ms-error-code: No\r\n\r\nno"
    with answering(refusal) as url:
        try:
            heard = str(Network().send("PUT", url, {}, bytes(16 * 1024 * 1024)).status)
        except Transient as lost:  # a reset may overtake the answer: then nothing was heard
            heard = lost.code
    assert heard in ("403", "ConnectionFailed")
