"""The server before real clients: what each of them does differently still arrives."""

from __future__ import annotations

import asyncio
import http.client
import shutil
import socket
import subprocess
import threading
import time
from random import Random
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests

from simulator.server import Server
from simulator.wire import Request, Response
from tests.simulator.exported_disk import MIB, exported_disk

CURL = shutil.which("curl")


@pytest.fixture
def world():
    with exported_disk(over_http=True) as world:
        yield world


@pytest.fixture
def content(world):
    """What the first 6 MiB of the disk hold: written in pieces, so that it lies all over the store's file."""
    random = Random(1)
    pieces = [(number * MIB // 4, random.randbytes(MIB // 4)) for number in range(24)]
    random.shuffle(pieces)
    for offset, data in pieces:
        world.disk.write(offset, data)
    world.disk.clear(3 * MIB + 512, 1024)
    return world.disk.read(0, 6 * MIB)


def test_http_client_reads_ranges_of_all_sizes_over_one_connection(world, content):
    url = urlsplit(world.snapshot("a").url(world.base_url))
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    random = Random(2)
    for length in (1, 511, 512, 4096, 300_000, 4 * MIB):
        start = random.randrange(6 * MIB - length)
        headers = {"x-ms-range": f"bytes={start}-{start + length - 1}"}
        connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (206, content[start : start + length])
    connection.close()


def test_requests_streams_the_whole_blob(world, content):
    with requests.get(world.snapshot("a").url(world.base_url), stream=True, timeout=10) as answer:
        received = b"".join(answer.iter_content(100_000))
    assert received[: 6 * MIB] == content
    assert len(received) == 8 * MIB + 512


def test_aiohttp_reads_many_ranges_side_by_side(world, content):
    url = world.snapshot("a").url(world.base_url)

    async def read(session: aiohttp.ClientSession, start: int) -> bytes:
        headers = {"x-ms-range": f"bytes={start}-{start + MIB // 2 - 1}"}
        async with session.get(url, headers=headers) as answer:
            assert answer.status == 206
            return await answer.read()

    async def read_all() -> list[bytes]:
        async with aiohttp.ClientSession() as session:
            return await asyncio.gather(*(read(session, start) for start in range(0, 6 * MIB, MIB // 2)))

    assert b"".join(asyncio.run(read_all())) == content


def test_aiohttp_sends_a_body_of_unknown_length():
    class Keeps:
        def __init__(self) -> None:
            self.bodies: list[bytes] = []

        def handle(self, request: Request) -> Response:
            self.bodies.append(request.body)
            return Response(201)

    async def pieces():
        for number in range(50):
            yield bytes([number]) * 10_000

    async def put(url: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.put(url, data=pieces(), expect100=True) as answer,
        ):
            return answer.status

    cloud = Keeps()
    with Server(cloud) as server:
        assert asyncio.run(put(server.url + "/x")) == 201
    assert cloud.bodies == [b"".join(bytes([number]) * 10_000 for number in range(50))]


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_reads_a_range_asks_for_properties_and_waits_before_it_sends(world, content, tmp_path):
    url = world.snapshot("a").url(world.base_url)

    def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [str(CURL), "--silent", "--show-error", "--max-time", "20", *arguments]
        return subprocess.run(command, capture_output=True, check=True)

    assert curl("-r", "1000-4000999", url).stdout == content[1000:4_001_000]
    head = curl("--head", url).stdout.decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert f"content-length: {8 * MIB + 512}\r\n" in head
    (tmp_path / "body").write_bytes(bytes(2 * MIB))
    sent = curl("-v", "-T", str(tmp_path / "body"), "-H", "Expect: 100-continue", url)
    assert b"100 Continue" in sent.stderr
    assert b"AuthorizationPermissionMismatch" in sent.stdout


def test_a_client_that_goes_away_in_the_middle_harms_nobody(world, content):
    url = urlsplit(world.snapshot("a").url(world.base_url))
    for _ in range(20):
        with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
            connection.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    answer = requests.get(url.geturl(), headers={"Range": "bytes=0-99"}, timeout=10)
    assert answer.content == content[:100]


def test_a_client_that_does_not_read_does_not_keep_the_server_from_stopping(monkeypatch):
    monkeypatch.setattr("simulator.server.listener.GRACE_SECONDS", 0.2)
    with exported_disk(over_http=True) as world:
        world.disk.resize(1024**4)
        url = urlsplit(world.snapshot("a").url(world.base_url))
        before = threading.active_count()
        stuck = socket.create_connection((url.hostname, url.port), timeout=10)
        stuck.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert stuck.recv(10) == b"HTTP/1.1 2"
        assert threading.active_count() == before + 1
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert threading.active_count() == before - 1  # neither the connection's thread nor the acceptor's
    stuck.close()
