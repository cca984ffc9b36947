"""Shared Key: a request that is signed with the account's key.

Source: "Authorize with Shared Key" (Azure Storage REST); the order of the headers is that of
azure-storage-blob, which passes over hyphens. Own choice: the date is signed, but not compared with the
clock, because a client's clock is the computer's and the simulator's is not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from simulator.data_plane.errors import StorageError
from simulator.wire import Headers, Request

_AUTHORIZATION = re.compile(r"SharedKey ([^:]+):(\S+)")
_SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def check_shared_key(request: Request, account: str, key: str) -> None:
    """Check the signature of a request; raises StorageError: 403 AuthenticationFailed, 400
    InvalidAuthenticationInfo."""
    match = _AUTHORIZATION.fullmatch(request.headers["authorization"].strip())
    if not match:
        raise StorageError("InvalidAuthenticationInfo")
    if not {"date", "x-ms-date"} & set(request.headers):
        raise StorageError("AuthenticationFailed", detail="The date of the request is missing.")
    text = _text(request, account)
    if match[1] != account or not hmac.compare_digest(match[2], signature(key, text)):
        raise StorageError(
            "AuthenticationFailed",
            detail="The MAC signature found in the HTTP request is not the same as any computed signature. "
            f"Server used following string to sign: '{text}'.",
        )


def signature(key: str, text: str) -> str:
    """Sign a text with a key; both the key and the signature are base64."""
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256)
    return base64.b64encode(digest.digest()).decode()


def _text(request: Request, account: str) -> str:
    headers = Headers(request.headers)
    if headers.get("content-length") == "0":
        headers["content-length"] = ""
    lines = [request.method, *(headers.get(name, "") for name in _SIGNED_HEADERS)]
    ordered = sorted(headers.items(), key=lambda item: (item[0].replace("-", ""), item[0]))
    lines += [f"{name}:{value}" for name, value in ordered if name.startswith("x-ms-")]
    query = sorted((name.lower(), value) for name, value in request.query.items())
    resource = f"/{account}{request.encoded_path}"
    return "\n".join([*lines, resource, *(f"{name}:{value}" for name, value in query)])
