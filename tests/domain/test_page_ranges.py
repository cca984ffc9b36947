"""Lists of page ranges: joined, cut to windows, and laid over what a target has in excess."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.page_ranges import PAGE_BYTES, PageRange, clipped, joined, overlaid
from tests.domain.page_samples import drawn, many, pages_of, range_lists


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (512, 512),  # empty
        (1024, 512),  # backwards
        (-512, 512),  # before the blob
        (0, 511),  # an inclusive end that nobody made exclusive
        (1, 512),
    ],
)
def test_what_is_not_made_of_pages_is_no_range(start, end):
    with pytest.raises(ValueError, match=f"{start} to {end} is no range of pages"):
        PageRange(start, end)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("ww|w", "www"),  # touching, of one kind
        ("c|c|c", "ccc"),
        ("w|c|w", "w|c|w"),  # touching, of two kinds: a write is no clear
        ("w.w", "w.w"),  # a page between
        ("..cc|ww|w..|c", "..cc|www..c"),
    ],
)
def test_neighbours_of_one_kind_are_joined(given, expected):
    assert list(joined(drawn(given))) == drawn(expected)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0, 1024), (512, 2048)),  # overlapping
        ((0, 1024), (0, 1024)),  # a page of the answer that was read twice
        ((1024, 2048), (0, 512)),  # sorted by kind instead of by place
        ((0, 2048), (512, 1024)),  # one inside the other
    ],
)
@pytest.mark.parametrize("kinds", [(False, False), (False, True), (True, False)])
def test_a_list_that_overlaps_or_goes_backwards_is_not_trusted(first, second, kinds):
    ranges = [PageRange(first[0], first[1], kinds[0]), PageRange(second[0], second[1], kinds[1])]
    for read in (joined(ranges), overlaid(ranges, []), overlaid([], ranges)):
        with pytest.raises(ValueError, match=f"{second[0]} to {second[1]} comes after"):
            list(read)


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        (0, 9, "ww.ccc.ww"),  # all
        (1, 8, ".w.ccc.w."),  # ranges are cut at both ends
        (4, 5, "....c...."),  # the window lies in a range
        (2, 3, "........."),  # nothing was changed in it
        (2, 6, "...ccc..."),  # ranges that end or begin at its ends do not belong to it
        (6, 20, ".......ww"),  # it reaches further than the list
        (20, 30, "........."),
    ],
)
def test_a_window_has_its_part_of_the_list(first, end, expected):
    cut = clipped(drawn("ww.ccc.ww"), first * PAGE_BYTES, end * PAGE_BYTES)
    assert list(cut) == drawn(expected)


def test_what_lies_behind_a_window_is_not_asked_for():
    ranges = many(20)
    assert len(list(clipped(ranges, 0, 10 * 8192))) == 10
    assert len(list(ranges)) == 20 - 11  # one had to be seen to know


@pytest.mark.parametrize(
    ("changes", "dirty", "expected"),
    [
        ("", "", ""),
        ("w.c", "", "w.c"),  # a clean target
        ("", ".w.c", ".w.w"),  # nothing changed: the source puts right what was written, and what was cleared
        ("ww.", ".ww", "www"),  # half of it is to be written anyway
        ("cc.", ".ww", "ccw"),  # zeros are as good as any other change
        ("w...w", "wwwww", "wwwww"),  # changes inside of what is dirty
        ("c...c", "wwwww", "cwwwc"),
        ("wwwww", ".w.c.", "wwwww"),  # what is dirty inside of a change
        ("..ccccc", "ww.w.w.w", "wwcccccw"),  # a change that covers several
        ("w..c..w", "..w.w..", "w.wcw.w"),
        ("....w", "w....", "w...w"),
        ("w....", "....w", "w...w"),
        ("w|c", "w|c|w", "w|c|w"),  # interleaved and touching on both sides
    ],
)
def test_what_a_target_has_in_excess_is_written_as_the_source_has_it(changes, dirty, expected):
    assert list(overlaid(drawn(changes), drawn(dirty))) == drawn(expected)


@given(range_lists, range_lists)
def test_every_page_is_changed_as_the_changes_say_else_written_if_dirty(changes, dirty):
    result = list(overlaid(changes, dirty))
    assert pages_of(result) == {page: False for page in pages_of(dirty)} | pages_of(changes)
    for before, after in pairwise(result):
        assert before.end < after.start or (before.end == after.start and before.is_clear != after.is_clear)


@given(range_lists, st.integers(1, 20))
def test_windows_side_by_side_have_the_whole_list_and_nothing_twice(ranges, pages):
    window = pages * PAGE_BYTES
    cut = [part for start in range(0, 64 * 512, window) for part in clipped(ranges, start, start + window)]
    assert list(joined(cut)) == list(joined(ranges))


@pytest.mark.parametrize("count", [0, 1, 10_000, 10_001, 200_000])
def test_lists_of_any_length_are_read_once_and_not_held(count):
    read = 0

    def counted():
        nonlocal read
        for each in many(count):
            read += 1
            yield each

    shifted = (PageRange(each.start + 2048, each.end + 2048) for each in many(count))
    length = 0
    for place, each in enumerate(overlaid(counted(), shifted)):
        assert read <= place + 3
        length += each.length
    assert (read, length) == (count, count * (4096 + 2048))


def test_a_list_without_an_end_can_be_begun():
    endless = (PageRange(1024 * place, 1024 * place + 512) for place in iter(int, 1))
    assert next(clipped(endless, 0, 512)) == PageRange(0, 512)
    assert len(list(islice(overlaid(many(10**9), many(10**9)), 5))) == 5
