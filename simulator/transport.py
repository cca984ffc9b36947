"""The simulated cloud as the `transport=` of the real Azure SDKs: no socket, no thread, no TLS.

    client = ComputeManagementClient(credential, subscription, transport=transport(cloud), retry_total=0)
    blob = BlobClient.from_blob_url(sas_url, transport=transport(cloud))

It takes the place of the network below `requests`, so everything above it (pipelines, retries, polling,
parsing, paging) is the vendor's own. Bodies are read while the client streams them, and a connection that the
cloud drops raises what `requests` and urllib3 raise for a real one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from http.client import RemoteDisconnected
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from simulator.wire import Answers, ConnectionDropped, Request, Response


def transport(cloud: Answers) -> RequestsTransport:
    """Return a transport for any number of synchronous SDK clients that reaches `cloud` and nothing else."""
    session = requests.Session()
    session.trust_env = False  # no proxies, no .netrc: nothing of the machine reaches the cloud
    session.adapters.clear()
    session.mount("https://", _Adapter(cloud))
    session.mount("http://", _Adapter(cloud))
    return RequestsTransport(session=session, session_owner=False)


class _Adapter(BaseAdapter):
    """What `requests` calls instead of opening a connection."""

    def __init__(self, cloud: Answers) -> None:
        super().__init__()
        self._cloud = cloud

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer one request; raises requests.ConnectionError when the cloud drops the connection."""
        headers = {name: _text(value) for name, value in request.headers.items()}
        asked = Request.of(request.method or "GET", request.url or "", headers, _body(request.body))
        try:
            return _answer(request, self._cloud.handle(asked), None)
        except ConnectionDropped as dropped:
            if dropped.sent is None:
                gone = RemoteDisconnected("Remote end closed connection without response")
                raise requests.ConnectionError(
                    ProtocolError("Connection aborted.", gone), request=request
                ) from None
            return _answer(request, dropped.sent, dropped.cut_after_bytes)

    def close(self) -> None:
        """Nothing is open."""


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    return body.read() if hasattr(body, "read") else b"".join(body)


def _answer(
    request: requests.PreparedRequest, response: Response, cut_after_bytes: int | None
) -> requests.Response:
    headers = response.framed_headers()
    sent = b"" if response.has_no_body(request.method or "GET") else response.body
    answer = requests.Response()
    answer.request = request
    answer.url = request.url or ""
    answer.status_code = response.status
    answer.reason = response.phrase
    answer.headers = CaseInsensitiveDict(headers)
    answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
    answer.raw = HTTPResponse(
        io.BytesIO(sent[:cut_after_bytes])
        if isinstance(sent, bytes)
        else io.BufferedReader(_Reader(response.chunks(), cut_after_bytes)),
        headers=headers,
        status=response.status,
        preload_content=False,
        request_method=request.method,
    )
    return answer


class _Reader(io.RawIOBase):
    """A body that is made while it is read; it ends early if the connection was cut."""

    def __init__(self, blocks: Iterable[bytes], cut_after_bytes: int | None) -> None:
        self._blocks: Iterator[bytes] = iter(blocks)
        self._left = cut_after_bytes
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one block reaches; 0 is the end."""
        while not self._block:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._block = memoryview(block)
        count = min(len(buffer), len(self._block))
        if self._left is not None:
            count = min(count, self._left)
            self._left -= count
        buffer[:count] = self._block[:count]
        self._block = self._block[count:]
        return count
