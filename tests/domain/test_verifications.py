"""What is read of a replica: all that was never verified, a sample that comes round, and what is suspect."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.copies import Copy, CopyState
from domain.page_copies import PageBase, PageProgress
from domain.page_ranges import PageRange
from domain.snapshots import Snapshot
from domain.verifications import (
    GIVES_WAY,
    PATIENCE,
    ROTATION_DAYS,
    WINDOW_BYTES,
    Verification,
    VerificationState,
    plan_verification,
    unverified_since,
)
from domain.vhd import FOOTER_BYTES
from tests.domain.samples import NOW, SLOT, available_point

DAY = timedelta(days=1)
TODAY = NOW.toordinal()
LENGTH = 40 * WINDOW_BYTES + FOOTER_BYTES


def arrived(days=0, base=None, blob="web.vhd", length=LENGTH, **known):
    """A copy that has arrived, of a point so many days after the first."""
    point = available_point(slot=SLOT + days * DAY)
    copy = Copy.of(point, point.disks[0], "vault")
    seal = PageBase(base.point, base.source_id, base.pages.sealed, base.pages.length) if base else None
    pages = PageProgress(blob, length, "link", seal, reached=length, sealed=f"seal {days}")
    copy = replace(copy, source_id=f"snapshot {days}", source_created=SLOT + days * DAY, container="c")
    return replace(copy, state=CopyState.AVAILABLE, pages=pages, **known)


def at_home(*copies, family="family"):
    """Return what finds the snapshots of these copies at home."""
    there = {
        copy.source_id: Snapshot(
            copy.source_id, copy.source_id, "Succeeded", "disk", unique_id=copy.source_unique_id,
            created=copy.source_created, family_id=family,
        )
        for copy in copies
    }  # fmt: skip
    return there.get


def planned(copy, *others, gone=()):
    there = [each for each in (copy, *others) if each not in gone]
    queue = sorted((copy, *others), key=lambda each: each.source_created)
    return plan_verification("web", copy, queue, TODAY, at_home(*there))


FIRST = arrived()
SECOND = arrived(1, FIRST)
FAILED = {"unverified": "the snapshot is gone", "unverified_since": NOW - 2 * DAY}
VERIFIED = replace(FIRST, verified=NOW - DAY)
THIRD = arrived(2, SECOND)


@pytest.mark.parametrize(
    ("copy", "others", "gone", "is_whole", "previous", "why"),
    [
        (FIRST, (), (), True, None, "a whole copy that was never verified is read whole"),
        (VERIFIED, (), (), False, None, "one that was verified has the sample alone"),
        (SECOND, (VERIFIED,), (), False, "snapshot 0", "what changed since its base, which was verified"),
        (THIRD, (VERIFIED, SECOND), (), False, "snapshot 0", "what changed since the last verified one"),
        (THIRD, (VERIFIED, SECOND), (VERIFIED,), False, "snapshot 1", "since its base, where that is gone"),
        (THIRD, (FIRST, SECOND), (), True, None, "where none was verified, nobody has read the whole copy"),
        (SECOND, (VERIFIED, replace(THIRD, verified=NOW)), (), False, "snapshot 0", "no newer one tells it"),
        (SECOND, (FIRST,), (FIRST,), True, None, "nobody can tell what changed, so all of it is read"),
        (SECOND, (replace(VERIFIED, pages=replace(FIRST.pages, blob="another")),), (), True, None,
         "one in another blob vouches for nothing here"),
    ],
)  # fmt: skip
def test_what_was_never_verified_is_read(copy, others, gone, is_whole, previous, why):
    plan = planned(copy, *others, gone=gone)
    assert (plan.is_whole, plan.previous_id, plan.is_under_way) == (is_whole, previous, True), why


@pytest.mark.parametrize(
    ("days_ago", "days", "why"),
    [
        (None, 1, "nothing in the blob was ever verified, so all of it is read anyhow"),
        (0, 1, "a second time on one day: the same sample once more"),
        (1, 1, "every day"),
        (4, 4, "three days were left out"),
        (400, ROTATION_DAYS, "a rotation has everything"),
    ],
)
def test_days_that_were_left_out_are_caught_up_with(days_ago, days, why):
    verified = None if days_ago is None else NOW - days_ago * DAY
    plan = planned(replace(SECOND, verified=verified), FIRST)
    assert (plan.days, plan.is_whole) == (days, days_ago is None or days == ROTATION_DAYS), why


def test_a_verification_that_ends_on_another_day_leaves_that_day_to_the_next_one():
    begun = Verification("web", SECOND, TODAY)
    assert begun.verified(NOW) == NOW
    for later in (DAY, 2 * DAY):
        verified = begun.verified(NOW + later)
        assert verified.toordinal() == TODAY
        copy = replace(SECOND, verified=verified)
        plan = plan_verification("web", copy, [FIRST, copy], TODAY + 2, at_home(FIRST, SECOND))
        assert plan.days == 2


def test_a_replica_whose_source_is_gone_or_another_is_not_known_to_be_equal():
    gone = planned(SECOND, FIRST, gone=(SECOND,))
    assert gone.state is VerificationState.UNKNOWN
    assert "is gone" in gone.reason
    broken = replace(at_home(SECOND)(SECOND.source_id), provisioning_state="Failed")
    unusable = plan_verification("web", SECOND, [FIRST, SECOND], TODAY, {broken.id: broken}.get)
    assert (unusable.state, unusable.reason) == (VerificationState.UNKNOWN, gone.reason)
    other = plan_verification("web", SECOND, [FIRST, SECOND], TODAY, at_home(FIRST, SECOND)).copy
    another = replace(other, source_unique_id="of another")
    told = plan_verification("web", another, [FIRST, another], TODAY, at_home(FIRST, SECOND))
    assert (told.state, "another one" in told.reason) == (VerificationState.UNKNOWN, True)


@pytest.mark.parametrize(
    ("copies", "known", "previous", "why"),
    [
        ([VERIFIED], {"unique_id": "made again"}, "snapshot 1", "since its base, where that was made again"),
        ([VERIFIED, SECOND], {"unique_id": "made again"}, None, "both were made again"),
        ([VERIFIED, SECOND], {"family_id": "another"}, None, "no difference is told between families"),
        ([VERIFIED], {"provisioning_state": "Deleting"}, "snapshot 1", "since its base, where that goes"),
        ([VERIFIED, SECOND], {"copy_error": "broken"}, None, "neither can be read"),
    ],
)
def test_a_snapshot_that_is_not_what_was_copied_tells_nothing(copies, known, previous, why):
    def find(snapshot_id):
        found = at_home(VERIFIED, SECOND, THIRD)(snapshot_id)
        return replace(found, **known) if snapshot_id in [copy.source_id for copy in copies] else found

    plan = plan_verification("web", THIRD, [VERIFIED, SECOND, THIRD], TODAY, find)
    assert (plan.previous_id, plan.is_whole) == (previous, previous is None), why


def test_where_others_in_the_blob_are_damaged_and_where_the_footer_lay_is_read():
    damaged = arrived(2, FIRST, is_damaged=True, damaged_at=7 * WINDOW_BYTES + 5)
    assert planned(replace(VERIFIED, verified=NOW), damaged).suspects == (7 * WINDOW_BYTES + 5,)
    grown = arrived(1, FIRST, length=LENGTH + WINDOW_BYTES)
    plan = planned(grown, FIRST)
    assert plan.suspects == (LENGTH - FOOTER_BYTES,)
    assert (40 * WINDOW_BYTES, 41 * WINDOW_BYTES) in plan.chosen_windows()


@given(
    days=st.integers(1, 3),
    changed=st.sets(st.integers(0, 39), max_size=5),
    start=st.integers(0, 39),
    is_whole=st.booleans(),
)
def test_every_window_that_changed_or_is_chosen_is_read_once_from_anywhere(days, changed, start, is_whole):
    plan = Verification("web", SECOND, TODAY, days, is_whole=is_whole, suspects=(3 * WINDOW_BYTES,))
    first, end = start * WINDOW_BYTES, LENGTH - FOOTER_BYTES
    changes = [
        PageRange(number * WINDOW_BYTES + 512, number * WINDOW_BYTES + 1024)
        for number in sorted(changed)
        if number >= start
    ]
    windows = list(plan.windows(changes, plan.chosen_windows(), first, end))
    assert windows == sorted(set(windows))
    numbers = {begin // WINDOW_BYTES for begin, _ in windows}
    wanted = {begin // WINDOW_BYTES for begin, _ in plan.chosen_windows()} | changed | {3}
    wanted = set(range(40)) if is_whole else wanted
    assert numbers == {number for number in wanted if start <= number < 40}


def test_thirty_days_in_a_row_choose_everything_across_replicas():
    of_days = [
        {
            *Verification(
                "web", SECOND if day % 2 else replace(THIRD, source_id="another"), TODAY + day
            ).chosen_windows()
        }
        for day in range(ROTATION_DAYS)
    ]
    assert len(set.union(*of_days)) == 41
    assert max(len(day) for day in of_days) <= 2


def test_a_copy_goes_first_for_a_while_and_waiting_ends_with_the_day():
    begun = Verification("web", SECOND, TODAY)
    assert begun.gives_way(NOW)
    waiting = begun.waiting(NOW)
    assert waiting.gives_way(NOW + GIVES_WAY - timedelta(seconds=1))
    assert not waiting.gives_way(NOW + GIVES_WAY)
    assert waiting.waiting(NOW + GIVES_WAY) == waiting
    assert waiting.further(512, 512).waits_since is None
    given_up = waiting.waiting(NOW + PATIENCE)
    assert (given_up.state, "waited for its turn" in given_up.reason) == (VerificationState.UNKNOWN, True)


@pytest.mark.parametrize(
    ("queue", "since", "why"),
    [
        ([], NOW, "this is the first that failed"),
        ([VERIFIED, SECOND], NOW, "the last one came to its end"),
        ([FIRST, replace(SECOND, **FAILED)], NOW - 2 * DAY, "it has failed since then"),
        ([replace(FIRST, **FAILED), SECOND], NOW - 2 * DAY, "what failed for its predecessor goes on"),
        (
            [replace(FIRST, **FAILED), replace(SECOND, verified=NOW - DAY)],
            NOW,
            "one of its successor came to its end in between",
        ),
    ],
)
def test_how_long_nothing_was_verified_is_known_from_one_copy_to_the_next(queue, since, why):
    assert unverified_since(queue, NOW) == since, why
