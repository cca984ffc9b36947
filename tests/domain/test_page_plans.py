"""What a copy by pages builds on: the newest replica that a difference can be had to, or nothing, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import Copy, CopyState
from domain.page_copies import PageBase, PageProgress
from domain.page_plans import plan_pages
from domain.snapshots import Snapshot
from domain.vhd import FOOTER_BYTES
from tests.domain.samples import SLOT, available_point

TIB = 1 << 40
MIB = 1 << 20


def copy_of(days, **known):
    """A copy of a point so many days after the first, from a snapshot of its own."""
    point = available_point(slot=SLOT + timedelta(days=days))
    copy = replace(Copy.of(point, point.disks[0], "vault"), source_id=f"snapshot {days}", container="c")
    return replace(copy, state=CopyState.COPYING, **known)


def arrived(days, size_bytes=TIB, blob="web.vhd", **known):
    pages = PageProgress(blob, size_bytes + FOOTER_BYTES, f"link {days}", sealed=f"seal {days}")
    return replace(copy_of(days), state=CopyState.AVAILABLE, pages=pages, **known)


COPY = copy_of(9)
COPY_ID = COPY.source_unique_id  # of all snapshots here: Azure has another for each
BOTH = [arrived(0), arrived(1), COPY]


def snapshot(days, size_bytes=TIB, family="family", state="Succeeded", unique_id=COPY_ID):
    return Snapshot(
        f"snapshot {days}", f"snapshot {days}", state, "disk", unique_id=unique_id, family_id=family,
        size_bytes=size_bytes, created=SLOT + timedelta(days=days),
    )  # fmt: skip


def planned(copy, queue, *home, source=None):
    there = {each.id: each for each in home}
    return plan_pages(copy, source or snapshot(9), queue, there.get)


def test_a_copy_builds_on_the_newest_replica_and_its_chain_goes_on_from_there():
    plan = planned(COPY, BOTH, snapshot(0), snapshot(1))
    assert plan.base == PageBase(BOTH[1].point, "snapshot 1", "seal 1", TIB + FOOTER_BYTES)
    assert (plan.blob, plan.length, plan.why_whole) == ("web.vhd", TIB + FOOTER_BYTES, "")
    assert plan.link == f"{COPY.point} {COPY.disk} link 1"


@pytest.mark.parametrize(
    ("before", "after"), [(TIB, TIB + MIB), (4 * TIB - MIB, 4 * TIB), (4 * TIB + MIB, 5 * TIB)]
)
def test_a_disk_that_has_grown_is_told_by_the_length_of_both(before, after):
    queue = [arrived(1, before), COPY]
    plan = planned(COPY, queue, snapshot(1, before), source=snapshot(9, after))
    assert plan.base is not None
    assert (plan.base.length, plan.length) == (before + FOOTER_BYTES, after + FOOTER_BYTES)


@pytest.mark.parametrize(
    ("queue", "previous", "size_bytes", "why"),
    [
        ([], None, TIB, "it is the first of its disk there"),
        ([replace(arrived(1), state=CopyState.FAILED)], snapshot(1), TIB, "it is the first"),
        ([replace(arrived(1), pages=None)], snapshot(1), TIB, "it is the first"),
        (BOTH, snapshot(0), TIB, "at home is gone"),  # that of the newest alone is asked for
        (BOTH, snapshot(1, state="Deleting"), TIB, "at home is gone"),
        (BOTH, snapshot(1, size_bytes=None), TIB, "at home is gone"),
        (BOTH, snapshot(1, unique_id="made again"), TIB, "at home is another one than was copied"),
        (BOTH, snapshot(1, family="of the disk before"), TIB, "is of another family"),
        (BOTH, snapshot(1, family=None), TIB, "is of another family"),
        (BOTH, snapshot(1, 4 * TIB), 4 * TIB + MIB, "has grown across 4 TiB"),
        (BOTH, snapshot(1, TIB), 5 * TIB, "has grown across 4 TiB"),
        (BOTH, snapshot(1, TIB + MIB), TIB, "was larger when"),
        ([arrived(0, is_damaged=True), arrived(1)], snapshot(1), TIB, f"{BOTH[0].point} is damaged"),
    ],
)
def test_where_no_difference_can_be_had_the_copy_is_whole_and_says_why(queue, previous, size_bytes, why):
    plan = planned(COPY, queue, *([previous] if previous else []), source=snapshot(9, size_bytes))
    assert plan.base is None
    assert why in plan.why_whole
    assert (plan.blob, plan.length) == (COPY.target_name, size_bytes + FOOTER_BYTES)
    assert plan.link == f"{COPY.point} {COPY.disk}"


def test_damage_in_another_blob_is_no_reason_and_what_was_found_before_is():
    queue = [arrived(0, blob="older.vhd", is_damaged=True), arrived(1), COPY]
    assert planned(COPY, queue, snapshot(1)).base is not None
    told = planned(replace(COPY, whole_because="Azure gave no difference"), BOTH, snapshot(1))
    assert (told.base, told.why_whole) == (None, "Azure gave no difference")


def test_a_source_of_no_size_is_not_planned():
    with pytest.raises(ValueError, match="does not tell its size"):
        planned(COPY, [], source=snapshot(9, None))
