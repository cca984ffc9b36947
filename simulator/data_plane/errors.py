"""How the storage service refuses: its codes, its status and its XML.

Codes and messages: "Common REST API error codes" and "Blob Storage error codes" of the Azure Storage REST
documentation, and azure-semantics.md §4.2. Where Azure's answer is not known, the place that raises says so.
"""

from __future__ import annotations

from datetime import datetime
from xml.sax.saxutils import escape

_KNOWN: dict[str, tuple[int, str]] = {
    "AuthenticationFailed": (
        403,
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed "
        "correctly including the signature.",
    ),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "ConditionNotMet": (
        412,
        "The condition specified using HTTP conditional header(s) is not met.",
    ),
    "InvalidHeaderValue": (
        400,
        "The value for one of the HTTP headers is not in the correct format.",
    ),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "InvalidRange": (
        416,
        "The range specified is invalid for the current size of the resource.",
    ),
    "OutOfRangeQueryParameterValue": (
        400,
        "One of the query parameters specified in the request URI is outside the permissible range.",
    ),
    "PreviousSnapshotCannotBeNewer": (
        400,
        "The prevsnapshot query parameter value cannot be newer than snapshot query parameter value.",
    ),
    "PreviousSnapshotNotFound": (409, "The previous snapshot is not found."),
    "PreviousSnapshotOperationNotSupported": (
        409,
        "Differential Get Page Ranges is not supported on the previous snapshot.",
    ),
    "UnsupportedHeader": (400, "One of the HTTP headers specified in the request is not supported."),
    "UnsupportedQueryParameter": (
        400,
        "One of the query parameters specified in the request URI is not supported.",
    ),
}


class StorageError(Exception):
    """The service refuses with one of its codes; `name` and `value` are the header or parameter at fault,
    `detail` what the service adds to a failed authentication."""

    def __init__(self, code: str, *, name: str = "", value: str = "", detail: str = "") -> None:
        self.code = code
        self.status, self.message = _KNOWN[code]
        self.name, self.value, self.detail = name, value, detail
        super().__init__(f"{self.status} {code}: {self.message} {name} {value}".strip())

    def document(self, request_id: str, now: datetime) -> bytes:
        """Return the body that the service sends, byte order mark included."""
        time = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}0Z"
        message = f"{self.message}\nRequestId:{request_id}\nTime:{time}"
        elements = {"Code": self.code, "Message": message, "AuthenticationErrorDetail": self.detail}
        element = "Header" if self.status == 400 and "Header" in self.code else "QueryParameter"
        elements |= {f"{element}Name": self.name, f"{element}Value": self.value}
        inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in elements.items() if text)
        return f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error>{inner}</Error>'.encode()
