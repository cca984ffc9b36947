"""Looking for a blob snapshot by its metadata: the list of a container, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from domain.errors import Transient
from gateways.blob_access import Access, Opened
from gateways.page_lists import API_VERSION
from gateways.storage_answers import expect
from gateways.wire import Wire


def find_snapshot(
    wire: Wire, container: str, name: str, access: Access, metadata: Mapping[str, str]
) -> str | None:
    """Return the time of the oldest snapshot of a blob that has this metadata; None if there is none."""
    wanted = {key.lower(): value for key, value in metadata.items()}
    found = (
        snapshot
        for snapshot, told in _snapshots(wire, container, name, access)
        if wanted.items() <= told.items()
    )
    return min(found, default=None)


def _snapshots(wire: Wire, container: str, name: str, access: Access) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the snapshots of a blob with their metadata, names of which are in lower case."""
    opened = Opened(f"container {container}", container, access)
    marker = ""
    while True:
        parameters = {"restype": "container", "comp": "list", "prefix": name, "include": "snapshots,metadata"}
        if marker:
            parameters["marker"] = marker
        answer = wire.send("GET", opened.url(**parameters), opened.headers(API_VERSION))
        root = _parsed(
            expect(answer, f"snapshots of page blob {container}/{name}", (200,)).content, container
        )
        for blob in root.iterfind("Blobs/Blob"):
            snapshot = blob.findtext("Snapshot")
            if snapshot and blob.findtext("Name") == name:
                told = blob.find("Metadata")
                yield (
                    snapshot,
                    {each.tag.lower(): each.text or "" for each in (told if told is not None else ())},
                )
        marker = root.findtext("NextMarker") or ""
        if not marker:
            return


def _parsed(content: bytes, container: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as wrong:
        raise Transient("AnswerUnreadable", f"container {container}: the list is no XML ({wrong})") from wrong
