"""Random schedules of kills and troubles, from fixed seeds; many of them: make schedules RUNS=2000."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from activities import leftovers, sweeping
from domain import pruning
from domain.copies import MOST_ATTEMPTS, Copy
from tests.conftest import Accounts
from tests.schedules.generator import schedule
from tests.schedules.playing import play

# Chosen for what they have: kills at activities and requests, lost regions and tables, disks that change.
SEEDS = (6, 8, 9)
TELLING = 3  # it has a copy that fails, a host that is killed while it copies, and a worker that is ended


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_in_the_end_the_books_and_the_cloud_agree(seed, accounts):
    assert play(schedule(seed), accounts).lifeline.activities  # it has raised nothing, and something happened


def test_a_schedule_takes_the_same_course_each_time(accounts):
    courses = [play(schedule(TELLING), accounts).lifeline.activities for _ in range(2)]
    assert courses[0] == courses[1]


def test_the_schedules_of_two_seeds_differ():
    assert schedule(1) != schedule(2)
    assert schedule(1) == schedule(1)


def leave_what_failed_copies_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pruning, leftovers):
        monkeypatch.setattr(module, "copy_leftovers", lambda *_: [])


def copy_again_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = Copy.claimed

    def claimed_anew(copy, worker, now):
        taken = claimed(copy, worker, now)
        is_taken_over = copy.owner not in (None, worker) and taken.owner == worker
        if not is_taken_over or copy.attempt == MOST_ATTEMPTS:
            return taken
        return replace(taken, attempt=copy.attempt + 1, started=None)

    monkeypatch.setattr(Copy, "claimed", claimed_anew)


def forget_open_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = sweeping._expected

    def without_workers(sweep):
        return [start for start in expected(sweep) if start.orchestrator != "replicate_disk"]

    monkeypatch.setattr(sweeping, "_expected", without_workers)


@pytest.mark.parametrize(
    ("plant", "finding"),
    [
        (leave_what_failed_copies_left, "at rest: .*/snapshots-north/.* is left over"),
        (
            copy_again_under_another_name,
            "copies: .* was copied to northeurope .* which had not failed, and as",
        ),
        (forget_open_queues, "soon: copy queue .* is open, and nobody works it"),
    ],
)
def test_a_defect_that_heals_within_days_is_found_before(
    plant: Callable[[pytest.MonkeyPatch], None],
    finding: str,
    accounts: Accounts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=finding):
        play(schedule(TELLING), accounts)
