"""List Blobs: names in order, a blob's snapshots before itself, page by page.

Source: "List Blobs" (Azure Storage REST), the form of the document from recorded traffic (azure-semantics.md
§4.7). Known differences: of `include`, what the simulator does not have (deleted blobs, versions, tags, ...)
is taken and adds nothing; a marker's form is our own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from itertools import islice
from xml.sax.saxutils import escape

from simulator.data_plane.errors import StorageError
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

_CONTENT_ELEMENTS = (
    "Content-Encoding",
    "Content-Language",
    "Content-MD5",
    "Cache-Control",
    "Content-Disposition",
)

Key = tuple[str, str]


def list_blobs(call: BlobCall) -> Response:
    """Answer one page of a container's blobs."""
    query = call.request.query
    include = {each for each in query.get("include", "").lower().split(",") if each}
    if include - _INCLUDABLE:
        raise StorageError("InvalidQueryParameterValue", name="include", value=query["include"])
    if query.get("delimiter") and "snapshots" in include:
        raise StorageError("InvalidQueryParameterValue", name="include", value=query["include"])
    limit = asked_limit(query.get("maxresults"))
    with call.estate.lock:
        found = _found(call, "snapshots" in include, position_of(query.get("marker")))
        shown = list(islice(found, limit))
        following = next(found, None)
    blobs = "".join(_element(call, key, state, include) for key, state in shown)
    marker = marker_of(following[0]) if following else ""
    told = told_back(query)
    document = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults '
        f'ServiceEndpoint="{call.account.endpoint}/" ContainerName="{call.container.name}">'
        f"{told}<Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
    )
    return Response(200, Headers(call.headers | {"content-type": "application/xml"}), document.encode())


def told_back(query: Mapping[str, str]) -> str:
    """Return the elements that say what was asked for."""
    asked = {tag: query.get(tag.lower()) for tag in ("Prefix", "Marker", "MaxResults", "Delimiter")}
    return elements({tag: value for tag, value in asked.items() if value})


def _found(call: BlobCall, has_snapshots: bool, position: Key) -> Iterator[tuple[Key, BlobState | None]]:
    """Yield blobs and snapshots from a position on, and None for what a delimiter makes one of many."""
    prefix, delimiter = call.request.query.get("prefix", ""), call.request.query.get("delimiter", "")
    together = ""
    for name, blob in sorted(call.container.blobs.items()):
        if not name.startswith(prefix) or name < position[0] or (together and name.startswith(together)):
            continue
        at = name.find(delimiter, len(prefix)) if delimiter else -1
        if at >= 0:
            together = name[: at + len(delimiter)]
            yield (together, ""), None
            continue
        if has_snapshots:
            for moment, state in sorted(blob.snapshots.items()):
                if (name, moment) >= position:
                    yield (name, moment), state
        yield (name, "~"), blob.base  # behind every moment


def _element(call: BlobCall, key: Key, state: BlobState | None, include: set[str]) -> str:
    name, moment = key
    if state is None:
        return f"<BlobPrefix>{elements({'Name': name})}</BlobPrefix>"
    properties = {
        "Creation-Time": date(state.created),
        "Last-Modified": date(state.modified),
        "Etag": state.etag.strip('"'),
        "Content-Length": str(state.length),
        "Content-Type": state.content.get("content-type", "application/octet-stream"),
        **{tag: state.content.get(tag.lower(), "") for tag in _CONTENT_ELEMENTS},
        "x-ms-blob-sequence-number": str(state.sequence_number),
        "BlobType": "PageBlob",
        **({} if moment != "~" else {"LeaseStatus": "unlocked", "LeaseState": "available"}),
        "ServerEncrypted": "true",
    }
    if state.copy and "copy" in include:
        headers = copy_headers(state.copy, call.now)
        properties |= {tag: headers[each] for tag, each in _COPY_ELEMENTS.items() if each in headers}
        properties["CopyStatus"] = copy_status(state.copy)
    told = elements({"Name": name} | ({"Snapshot": moment} if moment != "~" else {}))
    metadata = f"<Metadata>{elements(state.metadata)}</Metadata>" if "metadata" in include else ""
    return f"<Blob>{told}<Properties>{elements(properties)}</Properties>{metadata}</Blob>"


def elements(values: Mapping[str, str]) -> str:
    """Return values as elements of XML."""
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def asked_limit(value: str | None) -> int:
    """Return how many things one page of a list may hold; raises StorageError."""
    if value is None:
        return PAGE_LIMIT
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise StorageError("InvalidQueryParameterValue", name="maxresults", value=value)
    if int(value) == 0:
        raise StorageError("OutOfRangeQueryParameterValue", name="maxresults", value=value)
    return min(int(value), PAGE_LIMIT)


def marker_of(key: Key) -> str:
    """Return the marker from which a list goes on."""
    return base64.urlsafe_b64encode("\n".join(key).encode()).decode()


def position_of(marker: str | None) -> Key:
    """Return where a marker lets a list go on; raises StorageError."""
    if not marker:
        return "", ""
    try:
        name, _, moment = base64.urlsafe_b64decode(marker).decode().partition("\n")
    except (binascii.Error, UnicodeDecodeError):
        raise StorageError("InvalidQueryParameterValue", name="marker", value=marker) from None
    return name, moment
