"""What a copy by pages consists of: its seal, its blobs, and what it may have left in those of its bases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.copies import CopyState
from domain.stored import StoredBlob, StoredSeal, stored
from tests.domain.samples import NORTH, NOW
from tests.domain.test_verifications import arrived

FIRST = arrived()
WRITTEN = replace(arrived(1, FIRST), state=CopyState.COPYING)  # into the blob of its base, and not sealed yet
UNSEALED = replace(WRITTEN, pages=replace(WRITTEN.pages, sealed=""))
LOST = UNSEALED.lost("nobody may look whether it is sealed", NOW)  # waits for its second attempt
ELSEWHERE = replace(
    LOST, state=CopyState.AVAILABLE, pages=replace(WRITTEN.pages, blob=LOST.target_name, base=None)
)
BACK = replace(LOST, state=CopyState.AVAILABLE, pages=WRITTEN.pages)
UNPLANNED = replace(LOST, state=CopyState.FAILED)


def own(copy, attempt):
    """The blob that an attempt has made for itself, if it has made one."""
    return StoredBlob("c", replace(copy, attempt=attempt).target_name, copy.disk, is_of_attempt=True)


def shared(copy):
    """The blob of the base."""
    return StoredBlob("c", FIRST.pages.blob, copy.disk, is_of_attempt=False)


@pytest.mark.parametrize(
    ("copy", "attempts", "expected", "why"),
    [
        (LOST, [1], [own(LOST, 1)], "the next attempt may take the seal for its own"),
        (ELSEWHERE, [1], [own(LOST, 1), shared(LOST)], "the seal of the first attempt is nobody's"),
        (BACK, [1], [own(LOST, 1)], "the blob has the seal of the last attempt, too: it stays"),
        (
            ELSEWHERE,
            [1, 2],
            [
                own(LOST, 1),
                shared(LOST),
                StoredSeal("c", LOST.target_name, "seal 1"),
                replace(own(LOST, 2), is_of_attempt=False),
            ],
            "all of it goes",
        ),
        (UNPLANNED, [1, 2], [own(LOST, 1), own(LOST, 2), shared(LOST)], "it has failed without another plan"),
    ],
)
def test_a_seal_that_nobody_heard_of_goes_once_no_attempt_can_take_it(copy, attempts, expected, why):
    names = [replace(copy, attempt=attempt).target_name for attempt in attempts]
    assert stored(copy, names, NORTH) == expected, why


def test_a_blob_is_kept_in_mind_once_and_only_if_others_are_sealed_in_it():
    again = replace(LOST, state=CopyState.COPYING, pages=UNSEALED.pages).lost("once more", NOW)
    whole = replace(LOST, state=CopyState.COPYING, pages=replace(ELSEWHERE.pages, sealed=""))
    assert again.earlier_blobs == (FIRST.pages.blob,)
    assert whole.lost("its own blob goes with its attempt", NOW).earlier_blobs == (FIRST.pages.blob,)
    assert (LOST.pages, LOST.percent, LOST.progressed) == (None, 0.0, None)
