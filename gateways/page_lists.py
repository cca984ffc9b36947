"""Lists of page ranges over the wire: every page of the answer, in order, while it is read.

The SDK's call for the difference of two managed snapshots gives its continuation marker away, which loses
ranges without a word, and parsers that collect ranges by their kind lose their order. Here the elements come
as the service wrote them, page and clear ranges interleaved, and what is not ascending is refused.
Source: "Get Page Ranges" (Azure Storage REST).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from domain.errors import Refused, Transient
from domain.page_ranges import PageRange, clipped
from gateways.blob_access import Opened
from gateways.http_connection import Answer
from gateways.storage_answers import expect
from gateways.wire import Wire

API_VERSION = "2020-10-02"  # the first one with markers; newer than what any emulator needs
# Why Azure cannot tell a difference, so that everything must be read instead. The codes of the service.
NO_DIFFERENCE = frozenset(
    {
        "PreviousSnapshotNotFound", "PreviousSnapshotCannotBeNewer", "PreviousSnapshotOperationNotSupported",
        "BlobOverwritten",  # as a whole, since the snapshot of it
    }
)  # fmt: skip

_MOST_RANGES = "10000"  # per page of an answer: the service's own limit
_ELEMENT = re.compile(
    rb"\s*<(?P<kind>PageRange|ClearRange)>\s*<Start>(?P<start>\d{1,19})</Start>\s*"
    rb"<End>(?P<end>\d{1,19})</End>\s*</(?P=kind)>"
)
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?\s*<PageList>")
_END = re.compile(rb"\s*(?:<NextMarker\s*/>|<NextMarker>(?P<marker>[^<]*)</NextMarker>)?\s*</PageList>\s*")
_EMPTY = re.compile(_BEGIN.pattern.replace(b"<PageList>", rb"<PageList\s*/>\s*"))


def list_pages(
    wire: Wire, opened: Opened, previous: Opened | None, start: int, end: int
) -> Iterator[PageRange]:
    """Yield what holds bytes between `start` and `end`, or with `previous` what differs from that one.

    `previous` is an older snapshot of the same family, or of the same blob. Raises Refused with one of the
    codes NO_DIFFERENCE where the service cannot compare the two, and with the code PageListDisordered if a
    list does not ascend; Transient("AnswerUnreadable") for what is no list.
    """
    if start >= end:
        return
    what = f"page ranges of {opened.name}" + (f" since {previous.name}" if previous else "")
    marker, reached = "", 0
    while True:
        answer = _asked(wire, opened, previous, start, end, marker, what)
        page, following = _page(answer.content, what)
        for each in page:
            if each.start < reached:
                raise Refused(
                    "PageListDisordered",
                    f"{what}: {each.start} to {each.end} comes after {reached}; a list that does not ascend "
                    "is not to be trusted",
                )
            reached = each.end
            yield from clipped((each,), start, end)
        if not following:
            return
        if following == marker:
            raise Refused("PageListDisordered", f"{what}: the list leads back to where it was")
        marker = following


def _asked(
    wire: Wire, opened: Opened, previous: Opened | None, start: int, end: int, marker: str, what: str
) -> Answer:
    headers = opened.headers(API_VERSION) | {"x-ms-range": f"bytes={start}-{end - 1}"}
    parameters = {"comp": "pagelist", "maxresults": _MOST_RANGES}
    if previous is not None and previous.address == opened.address:
        parameters["prevsnapshot"] = previous.snapshot  # of an ordinary blob
    elif previous is not None:
        headers["x-ms-previous-snapshot-url"] = previous.url()
    if marker:
        parameters["marker"] = marker
    answer = wire.send("GET", opened.url(**parameters), headers)
    try:
        return expect(answer, what, (200,))
    except Refused as refused:
        if refused.code in NO_DIFFERENCE:  # some come with 409, though nothing is in the way
            raise Refused(refused.code, f"{refused}; read all of it instead") from refused
        raise


def _page(content: bytes, what: str) -> tuple[Iterator[PageRange], str]:
    """Take one page of a list apart: its ranges in order, and the marker of the next, "" at the end."""
    if _EMPTY.fullmatch(content):
        return iter(()), ""
    begin = _BEGIN.match(content)
    end = max(content.rfind(b"</PageRange>"), content.rfind(b"</ClearRange>"))
    ranges_end = begin.end() if begin and end < 0 else content.find(b">", end) + 1
    closing = _END.fullmatch(content, ranges_end)
    if begin is None or closing is None:
        raise Transient("AnswerUnreadable", f"{what}: the answer is no list of pages")
    marker = unescape((closing["marker"] or b"").decode())
    return _ranges(content, begin.end(), ranges_end, what), marker


def _ranges(content: bytes, position: int, end: int, what: str) -> Iterator[PageRange]:
    while position < end:
        found = _ELEMENT.match(content, position, end)
        if found is None:
            raise Transient(
                "AnswerUnreadable", f"{what}: {content[position : position + 40]!r} is no range of pages"
            )
        position = found.end()
        try:
            yield PageRange(int(found["start"]), int(found["end"]) + 1, found["kind"] == b"ClearRange")
        except ValueError as wrong:
            raise Refused("PageListDisordered", f"{what}: {wrong}") from wrong
