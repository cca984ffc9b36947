"""One batch: as many windows as there is time for, and never none."""

from __future__ import annotations

import itertools

import pytest

from activities import batches
from activities.batches import MOST_WINDOWS, WINDOW_BYTES, Batch

TIB = 1 << 40


def test_a_large_disk_takes_one_batch_where_there_is_little_to_write():
    windows = list(Batch().windows(0, 8 * TIB))
    assert len(windows) == MOST_WINDOWS
    assert windows[0] == (0, WINDOW_BYTES)
    assert windows[-1] == (8 * TIB - WINDOW_BYTES, 8 * TIB)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(windows))


@pytest.mark.parametrize(
    ("reached", "end", "windows"),
    [
        (0, 512, [(0, 512)]),
        (512, 512, []),
        (3 * 512, WINDOW_BYTES + 512, [(3 * 512, WINDOW_BYTES + 512)]),
        (0, WINDOW_BYTES + 512, [(0, WINDOW_BYTES), (WINDOW_BYTES, WINDOW_BYTES + 512)]),
    ],
    ids=["small", "nothing", "goes on from anywhere", "ends with the disk"],
)
def test_windows_follow_on_one_another_and_end_with_the_disk(reached, end, windows):
    assert list(Batch().windows(reached, end)) == windows


def test_a_batch_whose_time_is_over_takes_one_window_and_no_more(monkeypatch):
    monkeypatch.setattr(batches, "MOST_SECONDS", 0.0)
    batch = Batch()
    assert batch.is_over()
    assert list(batch.windows(512, TIB)) == [(512, 512 + WINDOW_BYTES)]


def test_no_window_begins_when_the_time_is_over_in_the_middle(monkeypatch):
    batch = Batch()
    windows = batch.windows(0, TIB)
    assert next(windows) == (0, WINDOW_BYTES)
    monkeypatch.setattr(batch, "is_over", lambda: True)
    assert list(windows) == []
