"""The chain over what was copied: its last link vouches for every window, in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.page_copies import PageProgress
from domain.window_records import WindowRecord, chained, last_link

MIB = 1024**2
NAME = "/subscriptions/one/snapshots/web-data"
FIRST = WindowRecord(0, 64 * MIB, 5 * MIB, 4096, 3, "ae8b14860a799888", None)
NEXT = WindowRecord(64 * MIB, 128 * MIB, 512, 0, 1, "0123456789abcdef", "ab" * 32)
LAST = WindowRecord(192 * MIB, 192 * MIB + 512, 0, 512, 1, None, None)
RECORDS = (FIRST, NEXT, LAST)


@pytest.mark.parametrize(
    "other",
    [
        replace(NEXT, start=65 * MIB),
        replace(NEXT, end=127 * MIB),
        replace(NEXT, written_bytes=1024),
        replace(NEXT, cleared_bytes=512),
        replace(NEXT, crc64="0123456789abcdee"),
        replace(NEXT, crc64=None),
        replace(NEXT, sha256="ab" * 31 + "ac"),
        replace(NEXT, sha256=None),
    ],
)
def test_another_record_gives_another_link_and_so_another_end(other):
    assert chained("before", other) != chained("before", NEXT)
    assert last_link(NAME, (FIRST, other, LAST)) != last_link(NAME, RECORDS)


def test_a_window_that_is_copied_again_gives_the_same_link():
    again = replace(NEXT, requests=7)  # some were lost, or the cost model is another one now
    assert chained("before", again) == chained("before", NEXT)


@pytest.mark.parametrize(
    "records",
    [
        (),
        RECORDS[:2],  # the end is left out
        RECORDS[1:],  # the beginning
        (FIRST, LAST),  # something between
    ],
)
def test_a_window_that_is_left_out_changes_the_end(records):
    assert last_link(NAME, records) != last_link(NAME, RECORDS)


def test_the_chain_of_one_replica_does_not_vouch_for_another():
    assert last_link("another", RECORDS) != last_link(NAME, RECORDS)


@pytest.mark.parametrize("records", [(NEXT, FIRST), (FIRST, FIRST), (FIRST, replace(NEXT, start=0))])
def test_windows_are_chained_in_order_and_once(records):
    with pytest.raises(ValueError, match="ascending"):
        last_link(NAME, records)


def test_a_chain_that_is_continued_is_that_which_is_made_in_one_go():
    assert chained(chained(chained(NAME, FIRST), NEXT), LAST) == last_link(NAME, RECORDS)


def test_a_copy_is_vouched_for_by_all_its_windows_and_none_is_left_out():
    begun = PageProgress("web.vhd", 128 * MIB, NAME)
    done = begun.further(FIRST, 512).further(NEXT, 0)
    assert done.link == last_link(NAME, (FIRST, NEXT))
    assert (done.written_bytes, done.cleared_bytes, done.streamed_bytes) == (5 * MIB + 512, 4096, 512)
    assert (done.requests, done.percent, done.is_written) == (4, 100.0, True)
    assert not begun.further(FIRST, 0).is_written
    for window in (NEXT, replace(FIRST, start=512)):
        with pytest.raises(ValueError, match="does not follow on 0"):
            begun.further(window, 0)
    with pytest.raises(ValueError, match="does not follow"):
        done.further(NEXT, 0)


def test_links_are_those_of_every_release_for_manifests_outlive_them():
    assert last_link(NAME, RECORDS) == "4f5a0845686655091fd197c425c8b3bab4bbc77f902e08a78e42f950fe3c3181"


@pytest.mark.parametrize(
    "wrong", ["", "AE8B14860A799888", "ae8b14860a79988", "iJl5CoYUi64=", "0xae8b14860a799888"]
)
def test_a_digest_is_spelled_in_one_way(wrong):
    for name in ("crc64", "sha256"):
        with pytest.raises(ValueError, match="hexadecimal"):
            replace(NEXT, **{name: wrong})


records = st.builds(
    WindowRecord,
    *[st.integers(0, 3)] * 5,
    st.sampled_from([None, "0" * 16, "1" * 16]),
    st.sampled_from([None, "0" * 64]),
)


@given(st.text(max_size=3), records, st.text(max_size=3), records)
def test_links_are_equal_only_if_all_that_counts_is(one, first, other, second):
    is_same = (one, replace(first, requests=0)) == (other, replace(second, requests=0))
    assert (chained(one, first) == chained(other, second)) == is_same
