"""Random schedules of kills and troubles, from fixed seeds.

Many of them: make schedules RUNS=2000, with replicas in page blobs make schedules RUNS=2000 PAGES=yes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from activities import leftovers, sweeping
from domain import pruning
from domain.copies import MOST_ATTEMPTS, Copy
from gateways.deletions import PageBlobDeletions
from gateways.disk_data import DiskData
from gateways.page_blobs import PageBlob
from tests.conftest import Accounts
from tests.schedules.deeds import BackUp, Erase, Write
from tests.schedules.generator import Fleet, schedule
from tests.schedules.page_drawing import PagedSchedule, paged_schedule
from tests.schedules.page_steps import Verify
from tests.schedules.playing import play
from tests.schedules.steps import Pass, Refuse

# Chosen for what they have: kills at activities and requests, lost regions and tables, disks that change.
SEEDS = (6, 8, 9)
PAGED_SEEDS = (14,)
TELLING = 3  # it has a copy that fails, a host that is killed while it copies, and a worker that is ended


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_in_the_end_the_books_and_the_cloud_agree(seed, accounts):
    assert play(schedule(seed), accounts).lifeline.activities  # it has raised nothing, and something happened


@pytest.mark.parametrize("seed", PAGED_SEEDS)
def test_whatever_goes_wrong_with_page_blobs_in_the_end_the_vault_is_right(seed, accounts):
    assert play(paged_schedule(seed), accounts).lifeline.activities


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


def paged(*steps):
    fleet: Fleet = {"web": ("paged", ("os",))}
    return PagedSchedule(0, fleet, (Write("web", "os"), BackUp("web"), *steps), are_imported=True)


def test_what_is_left_in_the_vault_and_what_is_left_open_is_found(accounts, monkeypatch):
    monkeypatch.setattr(PageBlobDeletions, "delete", lambda *_: True)
    monkeypatch.setattr(DiskData, "close", lambda *_: None)
    refused = Refuse("PUT", "/replicas/.*comp=page", 403, times=3)
    with pytest.raises(AssertionError) as found:
        play(paged(refused, Pass(30)), accounts)
    assert "at rest: page blob" in str(found.value)
    assert "can be opened by whoever has a right: AllowAll" in str(found.value)


def test_what_was_not_cleared_in_the_vault_is_found(accounts, monkeypatch):
    monkeypatch.setattr(PageBlob, "clear", lambda *_: None)
    with pytest.raises(AssertionError, match="is called damaged"):
        play(paged(Pass(2), Erase("web", "os"), BackUp("web"), Verify()), accounts)
