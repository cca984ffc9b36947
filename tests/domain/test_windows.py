"""Windows: those that changes touch, and those that a verification reads on a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.page_ranges import PAGE_BYTES, PageRange
from domain.windows import covered_windows, sampled_windows
from tests.domain.page_samples import drawn, many, pages_of, range_lists

GIB = 1024**3


@pytest.mark.parametrize(
    ("drawing", "expected"),
    [
        ("..........", []),  # nothing changed
        ("w.........", [(0, 4)]),
        ("wwww......", [(0, 4)]),  # to the border, and not over it
        ("...ww.....", [(0, 4), (4, 8)]),  # over a border
        (".w.c..w...", [(0, 4), (4, 8)]),  # a window with several is there once
        ("..cccccccc", [(0, 4), (4, 8), (8, 10)]),  # all windows of a long one; the last ends with the blob
        (".........w", [(8, 10)]),
    ],
)
def test_windows_that_changes_touch(drawing, expected):
    found = covered_windows(drawn(drawing), 4 * PAGE_BYTES, 10 * PAGE_BYTES)
    assert [(start // PAGE_BYTES, end // PAGE_BYTES) for start, end in found] == expected


@given(range_lists, st.integers(1, 70))
def test_a_window_is_there_if_a_page_of_it_changed(ranges, pages):
    found = covered_windows(ranges, pages * PAGE_BYTES, 64 * PAGE_BYTES)
    expected = sorted({page // pages for page in pages_of(ranges)})
    assert [start // (pages * PAGE_BYTES) for start, _ in found] == expected


def test_windows_are_told_as_the_list_is_read():
    assert next(covered_windows(many(10**9), GIB, 10**9 * 8192)) == (0, GIB)


@pytest.mark.parametrize(
    ("ranges", "window_bytes", "wrong"),
    [
        ([PageRange(4096, 8192), PageRange(0, 512)], 512, "goes backwards"),
        ([PageRange(0, 8192 + 512)], 512, "beyond a blob of 8192 bytes"),
        ([], 0, "a window of 0 bytes"),
        ([], 513, "a window of 513 bytes"),
    ],
)
def test_no_window_of_a_list_that_is_not_to_be_trusted_is_forgotten(ranges, window_bytes, wrong):
    with pytest.raises(ValueError, match=wrong):
        list(covered_windows(ranges, window_bytes, 8192))


sizes = st.integers(1, 120).map(lambda pages: pages * PAGE_BYTES)
windows = st.integers(1, 9).map(lambda pages: pages * PAGE_BYTES)
rotations = st.integers(1, 12)


@given(sizes, windows, st.text(), st.integers(-50, 800_000), rotations)
def test_every_window_is_read_once_in_any_rotation_and_as_many_on_one_day_as_on_another(
    size, window, seed, day, days
):
    read = [sampled_windows(size, window, seed, day + later, days) for later in range(days)]
    every = [(start, min(start + window, size)) for start in range(0, size, window)]
    assert sorted(pair for pairs in read for pair in pairs) == every
    assert max(map(len, read)) - min(map(len, read)) <= 1
    assert all(pairs == sorted(pairs) for pairs in read)
    assert sampled_windows(size, window, seed, day + days, days) == read[0]


@given(sizes, windows, sizes, rotations, st.integers(0, 11))
def test_a_disk_that_grows_keeps_the_days_of_its_windows(size, window, more, days, day):
    before = sampled_windows(size, window, "disk", day, days)
    after = sampled_windows(size + more, window, "disk", day, days)
    starts = [start for start, _ in before]
    assert [start for start, _ in after][: len(starts)] == starts
    assert all(start >= size for start, _ in after[len(starts) :])


def test_what_is_read_is_spread_and_differs_from_disk_to_disk():
    one = sampled_windows(300 * PAGE_BYTES, PAGE_BYTES, "one", 3, 10)
    other = sampled_windows(300 * PAGE_BYTES, PAGE_BYTES, "other", 3, 10)
    assert len(one) == len(other) == 30
    assert len(set(one) & set(other)) < 15
    assert (
        len({start // PAGE_BYTES % 10 for start, _ in one}) > 5
    )  # no fixed stride, which files may have too


def test_the_days_of_windows_are_those_of_every_release():
    pages = [
        [start // PAGE_BYTES for start, _ in sampled_windows(10 * PAGE_BYTES, PAGE_BYTES, "disk", day, 4)]
        for day in range(4)
    ]
    assert pages == [[3, 6, 8], [0, 7, 9], [1, 5], [2, 4]]


def test_a_rotation_has_a_day():
    with pytest.raises(ValueError, match="0 days"):
        sampled_windows(GIB, 512, "disk", 0, 0)
    with pytest.raises(ValueError, match="a window of 100 bytes"):
        sampled_windows(GIB, 100, "disk", 0, 1)
