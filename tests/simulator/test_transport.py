"""The transport under the real SDKs: it answers as a network would, and fails as one would."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.core.pipeline.transport import HttpRequest, RequestsTransport
from azure.mgmt.compute import ComputeManagementClient

from simulator.images.parts import BytesPart, ZeroPart
from simulator.server import Server
from simulator.transport import transport
from simulator.wire import Answers, BodyPart, ConnectionDropped, Headers, Request, Response

MIB = 1024 * 1024


class Cloud:
    """Answers every request by one function, and keeps the requests."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.requests: list[Request] = []
        self._answer = answer

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return self._answer(request)


class Token:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("token", 4_102_444_800)


def compute(cloud: Answers) -> ComputeManagementClient:
    return ComputeManagementClient(
        Token(), "sub", transport=transport(cloud), retry_total=0, polling_interval=0
    )


def test_a_compute_client_reads_and_writes_resources():
    def answer(request: Request) -> Response:
        if request.method == "PUT":
            stored.update(request.json())
        return Response.of_json(200, {"name": "s1", **stored})

    stored: dict[str, Any] = {}
    cloud = Cloud(answer)
    client = compute(cloud)
    written: Any = {"location": "westeurope", "properties": {"incremental": True, "creationData": {}}}
    assert client.snapshots.begin_create_or_update("rg", "s1", written).result().incremental is True
    assert client.snapshots.get("rg", "s1").location == "westeurope"
    first = cloud.requests[0]
    assert (first.method, first.host) == ("PUT", "management.azure.com")
    assert first.path == "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/snapshots/s1"
    assert first.headers["Authorization"] == "Bearer token"
    assert set(first.query) == {"api-version"}


def test_an_error_reaches_the_client_with_its_code():
    error = {"error": {"code": "ResourceNotFound", "message": "no such snapshot"}}
    with pytest.raises(ResourceNotFoundError, match="no such snapshot") as missing:
        compute(Cloud(lambda _: Response.of_json(404, error))).snapshots.get("rg", "s1")
    assert missing.value.error is not None
    assert missing.value.error.code == "ResourceNotFound"


class CountedZeros:
    """A long body that tells how much of it was asked for."""

    file = None
    offset = 0
    length = 64 * MIB

    def __init__(self) -> None:
        self.blocks_read = 0

    def blocks(self) -> Iterator[bytes]:
        for _ in range(64):
            self.blocks_read += 1
            yield bytes(MIB)


def test_a_body_is_made_while_it_is_read():
    part = CountedZeros()
    with transport(Cloud(lambda _: Response(200, body=[part]))) as sender:
        answer = sender.send(HttpRequest("GET", "https://md-x.blob.storage.azure.net/"), stream=True)
        stream = answer.stream_download(None)
        assert part.blocks_read == 0
        assert len(next(stream)) > 0
        assert part.blocks_read <= 2
        assert sum(len(block) for block in stream) < 64 * MIB
        assert part.blocks_read == 64


def test_a_body_of_many_parts_arrives_in_order():
    body: list[BodyPart] = [BytesPart(b"abc"), ZeroPart(3 * MIB), BytesPart(b""), BytesPart(b"def")]
    answer = requests_session(Cloud(lambda _: Response(200, body=body))).get("https://x/")
    assert answer.content == b"abc" + bytes(3 * MIB) + b"def"
    assert answer.headers["Content-Length"] == str(3 * MIB + 6)


def requests_session(cloud: Answers) -> requests.Session:
    session = transport(cloud).session
    assert isinstance(session, requests.Session)
    return session


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        (b"bytes", b"bytes"),
        ("text", b"text"),
        (iter([b"a", b"b"]), b"ab"),
        (io.BytesIO(b"c"), b"c"),
        (None, b""),
    ],
    ids=["bytes", "text", "generator", "file", "nothing"],
)
def test_every_kind_of_request_body_arrives(sent, arrived):
    cloud = Cloud(lambda _: Response(200))
    requests_session(cloud).put("https://x/", data=sent)
    assert cloud.requests[0].body == arrived


def test_the_answer_to_a_head_tells_a_length_and_has_no_body():
    cloud = Cloud(lambda _: Response(200, Headers({"x": "y"}), [ZeroPart(5 * MIB)]))
    answer = requests_session(cloud).head("https://x/")
    assert (answer.headers["content-length"], answer.content) == (str(5 * MIB), b"")


def drop_at_once(request: Request) -> Response:
    raise ConnectionDropped


def drop_in_the_middle(request: Request) -> Response:
    raise ConnectionDropped(Response(206, body=[ZeroPart(5 * MIB)]), cut_after_bytes=2 * MIB)


def drop_in_a_small_body(request: Request) -> Response:
    raise ConnectionDropped(Response.of_json(200, {"name": "a name"}), cut_after_bytes=5)


def fetch(sender: RequestsTransport, url: str, stream: bool) -> bytes:
    answer = sender.send(HttpRequest("GET", url), stream=stream)
    return b"".join(answer.stream_download(None)) if stream else answer.body()


def failure(sender: RequestsTransport, url: str, stream: bool) -> tuple[str, str]:
    with pytest.raises((AzureError, requests.RequestException)) as failed:
        fetch(sender, url, stream)
    return type(failed.value).__name__, type(failed.value.__cause__).__name__


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("drop", [drop_at_once, drop_in_the_middle, drop_in_a_small_body])
def test_a_dropped_connection_fails_as_it_does_over_a_real_socket(drop, stream):
    with Server(Cloud(drop)) as server, RequestsTransport() as real:
        expected = failure(real, server.url, stream)
    assert failure(transport(Cloud(drop)), "http://127.0.0.1/", stream) == expected


def test_many_clients_share_one_transport_from_many_threads():
    cloud = Cloud(lambda request: Response.of_json(200, {"name": request.path.rsplit("/", 1)[-1]}))
    shared: RequestsTransport = transport(cloud)
    found: list[str | None] = []

    def ask(number: int) -> None:
        with ComputeManagementClient(Token(), "sub", transport=shared) as client:
            found.extend(client.snapshots.get("rg", f"s{number}-{turn}").name for turn in range(10))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    expected = [f"s{number}-{turn}" for number in range(8) for turn in range(10)]
    assert sorted(str(each) for each in found) == sorted(expected)


def test_nothing_of_the_machine_reaches_the_cloud(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine management.azure.com login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    cloud = Cloud(lambda _: Response.of_json(200, [1]))
    answer = requests_session(cloud).get("https://management.azure.com/")
    assert answer.json() == [1]
    assert "authorization" not in cloud.requests[0].headers
