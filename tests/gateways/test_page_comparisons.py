"""Comparing two blobs: every difference in what is looked at is found, and at its first byte."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Transient
from domain.page_ranges import PAGE_BYTES, PageRange
from gateways import page_comparisons
from gateways.blob_access import Opened, Signed
from gateways.http_connection import Answer
from gateways.page_comparisons import PageComparison
from tests.domain.page_samples import drawn, range_lists

PAGES = 64
SOURCE, REPLICA = (Opened(name, f"https://{name}.example/blob", Signed("")) for name in ("source", "replica"))


class Sides:
    """A wire to two blobs. `failing` says how often a read that begins there fails first, `garbled` how often
    one of the replica brings other bytes first."""

    def __init__(self, source, replica, failing=(), garbled=()):
        self.blobs = {SOURCE.address: bytes(source), REPLICA.address: bytes(replica)}
        self.failing, self.garbled = Counter(dict(failing)), Counter(dict(garbled))
        self.read: list[tuple[int, int]] = []
        self.lock = threading.Lock()

    def send(self, method, url, headers, body=b"", into=None, *, is_repeatable=True):
        start, end = (int(part) for part in headers["x-ms-range"].removeprefix("bytes=").split("-"))
        with self.lock:
            self.read.append((start, end + 1))
            self.failing[start] -= 1
            if self.failing[start] >= 0:
                raise Transient("ConnectionFailed", f"byte {start} is not to be had")
            self.garbled[start] -= url == REPLICA.address
            is_garbled = url == REPLICA.address and self.garbled[start] >= 0
        into[:] = self.blobs[url][start : end + 1]
        if is_garbled:
            into[-1] ^= 1
        return Answer(206, {}, b"")


class InTurn(Sides):
    """A wire to two blobs of two pieces: both begin, and the second one is read when the first is over."""

    def __init__(self, *sides, **faults):
        super().__init__(*sides, **faults)
        self.both = threading.Barrier(2, timeout=60)
        self.first = None
        self.begun: set[threading.Thread] = set()

    def send(self, method, url, headers, body=b"", into=None, *, is_repeatable=True):
        lane, is_first = threading.current_thread(), headers["x-ms-range"].startswith("bytes=0-")
        if lane not in self.begun:
            self.begun.add(lane)
            self.first = lane if is_first else self.first
            self.both.wait()
        if not is_first:
            self.first.join(60)
        return super().send(method, url, headers, body, into, is_repeatable=is_repeatable)


@pytest.fixture(autouse=True)
def small_reads(monkeypatch):
    """Pieces of four pages, so that small blobs have many."""
    monkeypatch.setattr(page_comparisons, "READ_BYTES", 4 * PAGE_BYTES)
    monkeypatch.setattr(page_comparisons, "_NEAR_BYTES", PAGE_BYTES)


def compared(wire, ranges, is_over=lambda: False, connections=3):
    return PageComparison(wire, SOURCE, REPLICA, connections).run(ranges, is_over)


@settings(max_examples=150)
@given(
    ranges=range_lists,
    changed=st.sets(st.integers(0, PAGES * PAGE_BYTES - 1), max_size=3),
    stops=st.integers(1, 5),
)
def test_the_first_difference_within_the_ranges_is_found_in_however_many_goes(ranges, changed, stops):
    source = bytearray(PAGES * PAGE_BYTES)
    replica = bytearray(source)
    for place in changed:
        replica[place] = 1
    wanted = [each for each in ranges if not each.is_clear]
    inside = {place for place in changed for each in wanted if each.start <= place < each.end}

    reached, found, goes = 0, None, 0
    while True:
        goes += 1
        looks = iter(range(stops))
        left = [PageRange(max(r.start, reached), r.end) for r in wanted if r.end > reached]
        came = compared(Sides(source, replica), left, lambda looks=looks: next(looks, None) is None)
        assert came.reached >= reached
        reached, found = came.reached, came.difference
        if came.is_complete or found is not None:
            break
        assert goes < 200

    # What lies between two ranges may have been looked at, too, and differs if it is told.
    if inside:
        assert found is not None
        assert found <= min(inside)
    assert found is None or found in changed


def test_what_was_damaged_on_its_way_is_read_once_more(small_reads):
    blob = bytes(PAGES * PAGE_BYTES)
    wire = Sides(blob, blob, failing={0: 1})
    came = compared(wire, drawn("w" * PAGES))
    assert (came.is_complete, came.difference, came.read_bytes) == (True, None, len(blob))


def test_a_difference_that_a_second_look_does_not_find_was_none():
    blob = bytes(PAGES * PAGE_BYTES)
    came = compared(Sides(blob, blob, garbled={8 * PAGE_BYTES: 1}), drawn("w" * PAGES))
    assert (came.is_complete, came.difference) == (True, None)
    came = compared(Sides(blob, blob, garbled={8 * PAGE_BYTES: 2}), drawn("w" * PAGES))
    assert (came.is_complete, came.difference) == (False, 12 * PAGE_BYTES - 1)


def test_what_fails_at_the_beginning_is_raised_and_later_it_ends_the_comparison_there():
    blob = bytes(PAGES * PAGE_BYTES)
    failing = {20 * PAGE_BYTES: 100}
    came = compared(Sides(blob, blob, failing), drawn("w" * PAGES))
    assert (came.reached, came.is_complete, came.difference) == (20 * PAGE_BYTES, False, None)
    with pytest.raises(Transient, match="not to be had"):
        compared(Sides(blob, blob, failing), [PageRange(came.reached, PAGES * PAGE_BYTES)])


@pytest.mark.parametrize(
    ("failing", "address", "why"),
    [
        ({}, 1, "of two the first one is told, whichever is found last"),
        ({0: 100}, 61 * PAGE_BYTES, "what fails before it is told as damage, and not as a failure"),
    ],
)
def test_a_difference_is_told_whatever_comes_of_the_pieces_beside_it(failing, address, why):
    source = bytes(PAGES * PAGE_BYTES)
    replica = bytearray(source)
    replica[1] = replica[61 * PAGE_BYTES] = 1
    pieces = drawn("wwww" + "." * 56 + "wwww")
    came = compared(InTurn(source, replica, failing=failing), pieces, connections=2)
    assert came.difference == address, why


def test_a_list_that_fails_is_no_equality():
    def ranges():
        yield PageRange(0, PAGE_BYTES)
        raise Transient("AnswerUnreadable", "the list ends in the middle")

    blob = bytes(PAGES * PAGE_BYTES)
    with pytest.raises(Transient, match="ends in the middle"):
        compared(Sides(blob, blob), ranges())


def test_neighbours_are_read_in_one_go_and_long_ranges_in_pieces():
    blob = bytes(PAGES * PAGE_BYTES)
    wire = Sides(blob, blob)
    compared(wire, drawn("w.w...wwwwww"), connections=1)
    assert [(start // PAGE_BYTES, end // PAGE_BYTES) for start, end in wire.read[::2]] == [
        (0, 3),
        (6, 10),
        (10, 12),
    ]
