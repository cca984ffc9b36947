"""List Blobs: names in order, a blob's snapshots before itself, page by page.

Source: "List Blobs" (Azure Storage REST). Known differences: a delimiter is refused as not simulated; of
`include`, what the simulator does not have (deleted blobs, versions, tags, ...) is taken and adds nothing;
a marker's form is our own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import islice
from xml.sax.saxutils import escape

from simulator.data_plane.errors import StorageError, not_simulated
from simulator.page_blobs.blobs import BlobState
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.telling import copy_headers, copy_status, date
from simulator.wire import Headers, Response

PAGE_LIMIT = 5000

_INCLUDABLE = {
    "copy",
    "deleted",
    "deletedwithversions",
    "immutabilitypolicy",
    "legalhold",
    "metadata",
    "permissions",
    "snapshots",
    "tags",
    "uncommittedblobs",
    "versions",
}
_COPY_ELEMENTS = {
    "CopyId": "x-ms-copy-id",
    "CopySource": "x-ms-copy-source",
    "CopyStatus": "x-ms-copy-status",
    "CopyProgress": "x-ms-copy-progress",
    "CopyCompletionTime": "x-ms-copy-completion-time",
}

_Key = tuple[str, str]


def list_blobs(call: BlobCall) -> Response:
    """Answer one page of a container's blobs."""
    query = call.request.query
    if query.get("delimiter"):
        raise not_simulated("List Blobs with a delimiter")
    include = {each for each in query.get("include", "").lower().split(",") if each}
    if include - _INCLUDABLE:
        raise StorageError("InvalidQueryParameterValue", name="include", value=query["include"])
    limit = _limit(query.get("maxresults"))
    with call.estate.lock:
        found = _found(call, query.get("prefix", ""), "snapshots" in include, _position(query.get("marker")))
        shown = list(islice(found, limit))
        following = next(found, None)
    blobs = "".join(_element(call, key, state, include) for key, state in shown)
    marker = _marker(following[0]) if following else ""
    told = "".join(
        f"<{tag}>{escape(query[name])}</{tag}>"
        for tag, name in (("Prefix", "prefix"), ("Marker", "marker"), ("MaxResults", "maxresults"))
        if query.get(name)
    )
    document = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults '
        f'ServiceEndpoint="{call.account.endpoint}/" ContainerName="{call.container.name}">'
        f"{told}<Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
    )
    return Response(200, Headers(call.headers | {"content-type": "application/xml"}), document.encode())


def _found(
    call: BlobCall, prefix: str, has_snapshots: bool, position: _Key
) -> Iterator[tuple[_Key, BlobState]]:
    for name, blob in sorted(call.container.blobs.items()):
        if not name.startswith(prefix) or name < position[0]:
            continue
        if has_snapshots:
            for moment, state in sorted(blob.snapshots.items()):
                if (name, moment) >= position:
                    yield (name, moment), state
        yield (name, "~"), blob.base  # behind every moment


def _element(call: BlobCall, key: _Key, state: BlobState, include: set[str]) -> str:
    name, moment = key
    properties = {
        "Creation-Time": date(state.created),
        "Last-Modified": date(state.modified),
        "Etag": state.etag.strip('"'),
        "Content-Length": str(state.length),
        "Content-Type": state.content.get("content-type", "application/octet-stream"),
        "x-ms-blob-sequence-number": str(state.sequence_number),
        "BlobType": "PageBlob",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "ServerEncrypted": "true",
    }
    if state.copy and "copy" in include:
        headers = copy_headers(state.copy, call.now)
        properties |= {tag: headers[each] for tag, each in _COPY_ELEMENTS.items() if each in headers}
        properties["CopyStatus"] = copy_status(state.copy)
    told = _elements({"Name": name} | ({"Snapshot": moment} if moment != "~" else {}))
    metadata = f"<Metadata>{_elements(state.metadata)}</Metadata>" if "metadata" in include else ""
    return f"<Blob>{told}<Properties>{_elements(properties)}</Properties>{metadata}</Blob>"


def _elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _limit(value: str | None) -> int:
    if value is None:
        return PAGE_LIMIT
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise StorageError("InvalidQueryParameterValue", name="maxresults", value=value)
    if int(value) == 0:
        raise StorageError("OutOfRangeQueryParameterValue", name="maxresults", value=value)
    return min(int(value), PAGE_LIMIT)


def _marker(key: _Key) -> str:
    return base64.urlsafe_b64encode("\n".join(key).encode()).decode()


def _position(marker: str | None) -> _Key:
    if not marker:
        return "", ""
    try:
        name, _, moment = base64.urlsafe_b64decode(marker).decode().partition("\n")
    except (binascii.Error, UnicodeDecodeError):
        raise StorageError("InvalidQueryParameterValue", name="marker", value=marker) from None
    return name, moment
