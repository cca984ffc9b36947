"""Lists of page ranges: every page of them, in the order of the service, and nothing that is not a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import CloudError, Refused, Transient
from domain.page_ranges import PAGE_BYTES, PageRange
from gateways.blob_access import Opened
from gateways.http_connection import Answer
from gateways.page_lists import list_pages
from tests.gateways.pages_world import HOUR, MIB, pages

BLOB = Opened.by_url("blob", "https://disk.example/container/abcd?sig=secret")
END = 2**40


class Told:
    """A wire that tells one document after the other, and keeps what it was asked."""

    def __init__(self, *documents: bytes) -> None:
        self._documents = list(documents)
        self.urls: list[str] = []

    def send(self, method, url, headers, body=b"", into=None, *, is_repeatable=True):
        self.urls.append(url)
        return Answer(200, {}, self._documents.pop(0))


def document(ranges: list[PageRange], marker: str | None = "") -> bytes:
    elements = "".join(
        f"<{kind}><Start>{each.start}</Start><End>{each.end - 1}</End></{kind}>"
        for each in ranges
        for kind in ["ClearRange" if each.is_clear else "PageRange"]
    )
    end = "" if marker is None else f"<NextMarker>{marker}</NextMarker>" if marker else "<NextMarker />"
    return f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<PageList>{elements}{end}</PageList>'.encode()


def listed(*documents: bytes, start: int = 0, end: int = END) -> list[PageRange]:
    return list(list_pages(Told(*documents), BLOB, None, start, end))


@st.composite
def ascending(draw):
    ends = sorted(draw(st.sets(st.integers(0, 10**6), max_size=60)))
    ranges = []
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        ranges.append(PageRange(start * PAGE_BYTES, end * PAGE_BYTES, draw(st.booleans())))
        if draw(st.booleans()) and end - start > 1:  # two that touch
            last = ranges.pop()
            middle = last.start + PAGE_BYTES
            ranges += [PageRange(last.start, middle, True), PageRange(middle, last.end, last.is_clear)]
    return ranges


@given(ascending(), st.integers(1, 7))
def test_a_list_comes_whole_and_in_order_however_it_is_cut_into_pages(ranges, size):
    cut = [ranges[at : at + size] for at in range(0, len(ranges), size)] or [[]]
    documents = [
        document(part, "" if number == len(cut) else f"2!4!{number}&amp;x")
        for number, part in enumerate(cut, 1)
    ]
    wire = Told(*documents)
    assert list(list_pages(wire, BLOB, None, 0, END)) == ranges
    assert [f"marker=2%214%21{number}%26x" in url for number, url in enumerate(wire.urls)] == [
        bool(number) for number in range(len(wire.urls))
    ]


@pytest.mark.parametrize("marker", ["", None])
def test_a_list_may_be_empty_and_may_have_no_marker(marker):
    assert listed(document([], marker)) == []
    assert listed(b"<PageList/>") == []


def test_what_lies_outside_of_the_window_is_left_out():
    ranges = [PageRange(0, 1024), PageRange(1024, 2048, True), PageRange(4096, 8192)]
    assert listed(document(ranges), start=512, end=4608) == [
        PageRange(512, 1024), PageRange(1024, 2048, True), PageRange(4096, 4608),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ([document([PageRange(512, 1024), PageRange(0, 512)])], "goes back"),
        ([document([PageRange(0, 1024), PageRange(512, 2048, True)])], "overlaps"),
        ([document([PageRange(0, 512)], "2!x"), document([PageRange(0, 512)])], "the next page begins anew"),
        ([document([PageRange(0, 512)], "2!x"), document([PageRange(512, 1024)], "2!x")], "leads back"),
        ([document([]).replace(b"<NextMarker />", b"<PageRange><Start>0</Start><End>10</End></PageRange>")],
         "no whole pages"),
        ([document([]).replace(b"<NextMarker />", b"<PageRange><Start>9</Start><End>1</End></PageRange>")],
         "ends before it begins"),
    ],
)  # fmt: skip
def test_a_list_that_does_not_ascend_is_refused(documents, why):
    with pytest.raises(Refused) as refused:
        listed(*documents)
    assert refused.value.code == "PageListDisordered", why


WHOLE = document([PageRange(0, 512), PageRange(1024, 2048, True)], "2!x")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<html>It works</html>", b"<PageList><PageRange><Start>0</Start></PageRange></PageList>",
        WHOLE.replace(b"<ClearRange>", b"<Cleared>"), WHOLE.replace(b"1024", b"-1024"),
        WHOLE + b"more",
    ],
)  # fmt: skip
def test_what_is_no_list_is_not_read_as_one(content):
    with pytest.raises(Transient) as failure:
        listed(content)
    assert failure.value.code == "AnswerUnreadable"


@given(st.integers(0, len(WHOLE) - 1))
def test_a_list_that_was_cut_anywhere_is_never_taken_for_a_shorter_one(length):
    with pytest.raises(CloudError):
        listed(WHOLE[:length])


@pytest.mark.parametrize("count", [0, 1, 10_000, 10_001, 200_000])
def test_lists_of_the_simulated_disks_come_whole(count):
    with pages(disk_bytes=200 * MIB) as world:
        first = world.take("first")
        for number in range(count):
            world.disk.image.write(number * 1024, b"x" * 512)
        second = world.take("second")
        previous, opened = (world.disk_data.open(each, HOUR) for each in (first, second))
        found = list(world.disk_data.page_ranges(opened, previous, 0, 200 * MIB))
        assert len(found) == count
        assert [each.start for each in found] == [number * 1024 for number in range(count)]
