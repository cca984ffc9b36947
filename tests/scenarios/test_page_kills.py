"""kill -9 of the host at chosen requests of batches: the replica is whole and equal, whatever was under way.

The host is a process of its own, and dies while the simulated Azure holds one of its requests. One story with
named positions is in the suite; under the marker soak there is a kill at every n-th request, n by chance.

TIDEMARK_KILLS=500 pytest -m soak tests/scenarios/test_page_kills.py
"""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from domain.tags import POINT_METADATA
from domain.vhd import FOOTER_BYTES, footer_fault
from local_system.policies import HOME, POLICY, VAULT_LOCATION
from local_system.simulated_azure import VAULT_CONTAINER
from local_system.system import LocalSystem
from simulator.arm.disk_model import Disk
from simulator.arm.snapshot_model import Snapshot
from simulator.images import Image
from simulator.images.ranges import PAGE_BYTES
from simulator.page_blobs.blobs import PageBlob
from tests.mortal_system import (
    KILLS,
    get,
    is_everywhere,
    order,
    running,
    succeeded,
    tell_stories,
    wait_for,
    wait_until,
)
from tests.page_requests import (
    is_cleared_page,
    is_closing,
    is_import,
    is_list,
    is_list_of_second_window,
    is_of_a_batch,
    is_seal,
    is_upload,
    is_written_page,
)
from tests.request_killer import Position, killing
from tests.secrets_check import assert_none_in, rows

MIB, GIB = 1 << 20, 1 << 30
DISK_BYTES = 130 * GIB  # sparse; it is listed in three windows
PLACES = [*range(0, 30 * MIB, MIB), 70 * GIB, 71 * GIB, 129 * GIB]  # too far apart to be written in one go
BEGINS = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # the daily work of the next day is far away
FAST = 10 * GIB  # bytes a second that Azure copies within an account: a disk takes it seconds
PRUNED = timedelta(hours=2, minutes=5)  # when what restores have left is deleted


@dataclass(frozen=True)
class Kills:
    """Where the host is killed in a first copy, in one of what has changed, in an upload and in an import."""

    whole: list[Position]
    changes: list[Position]
    upload: list[Position]
    imported: list[Position]


KILLS_OF_SUITE = Kills(
    whole=[
        Position("before the first page was written", is_list),
        Position("in the middle of a window", is_written_page, 9, is_done=True),
        Position("sealed, and nobody was told", is_seal, is_done=True),
    ],
    changes=[
        Position("in the middle of pages that are cleared", is_cleared_page, 3, is_done=True),
        Position("after the last window, before the seal", is_seal),
    ],
    upload=[Position("in the middle of the upload", is_upload, 5, is_done=True)],
    imported=[Position("a copy for the import has begun", is_import, is_done=True)],
)
FURTHER_KILLS = Kills(
    whole=[
        Position("before the seal", is_seal),
        Position("sealed and recorded, still open, without a manifest", is_closing),
    ],
    changes=[
        Position("in the middle of pages that pass through the host", is_written_page, 4),
        Position("between two windows", is_list_of_second_window),
        Position("sealed, and nobody was told", is_seal, is_done=True),
    ],
    upload=[
        Position("in another window of the upload", is_upload, 31),
        Position("after the upload, before its end", is_closing),
        Position("uploaded and closed, and nobody was told", is_closing, is_done=True),
    ],
    imported=[Position("before a copy for the import", is_import)],
)


@dataclass
class Story:
    """A VM with one disk that changes and is backed up, and what its restore points must hold."""

    system: LocalSystem
    taken: dict[str, Image] = field(default_factory=dict)  # restore point → what the disk held
    made: list[str] = field(default_factory=list)  # ids of restored disks, lower case

    def __post_init__(self) -> None:
        disks = {"os": DISK_BYTES}
        estate = self.system.cloud.estate
        estate.tempo = replace(estate.tempo, blob_copy_bytes_per_second=FAST)
        self.machine = self.system.cloud.add_virtual_machine("web", HOME, "production", disks, tags={})

    def change(self, turn: int) -> None:
        """Write a page at most places, a little further on each time, and clear the others."""
        image = self.machine.disk("os").image
        for number, place in enumerate(PLACES):
            if turn and (turn + number) % 3 == 0:
                image.clear(place, 64 * PAGE_BYTES)
            else:
                image.write(place + turn % 64 * PAGE_BYTES, f"turn {turn} at {place}".encode())

    def back_up(self, turn: int) -> str:
        """Change the disk and back it up; return the restore point when it is everywhere."""
        self.change(turn)
        held = self.machine.disk("os").image.freeze_copy()
        body = {"vm": self.machine.id, "policy": POLICY}
        operation = order(self.system, "backups", body, f"backup-{turn}")
        point = str(succeeded(self.system, operation)["restorePoint"]["id"])
        self.taken[point] = held
        wait_for(self.system, f"restore-points/{point}", is_everywhere)
        assert_closed(self)
        return point

    def order_restore(self, point: str, key: str) -> str:
        """Order the disk of a point back out of its page blob; return the operation."""
        return order(self.system, "restores", {"restorePoint": point, "location": VAULT_LOCATION}, key)

    def end_restore(self, point: str, operation: str) -> None:
        """Wait until a restore is over; the disk is what it was."""
        [disk] = succeeded(self.system, operation)["outcome"]["disks"]
        assert_equal(self.system.cloud.disk(disk["id"]).image, self.taken[point])
        self.made.append(disk["id"].lower())
        assert_closed(self)

    def allow_imports(self, are_allowed: bool) -> None:
        """Let the policy name the vault's account, for imports, or not, from the host's next start on."""
        policies = self.system.directory.path / "policies.yaml"
        told = json.loads(policies.read_text())
        told["locations"][VAULT_LOCATION].pop("account", None)
        if are_allowed:
            told["locations"][VAULT_LOCATION]["account"] = self.system.azure.vault.id
        policies.write_text(json.dumps(told))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(KILLS_OF_SUITE, id="suite"),
        pytest.param(FURTHER_KILLS, id="more", marks=pytest.mark.soak),
    ],
)
def test_a_kill_in_the_middle_of_a_batch_leaves_a_whole_replica_and_nothing_else(tmp_path, kills):
    with running(tmp_path, BEGINS) as system:
        story = Story(system)
        with killing(system, kills.whole):
            first = story.back_up(0)
        system.azure.vault.resource.refuses_incremental_sources = True
        with killing(system, kills.changes, meanwhile=lambda: story.allow_imports(False)):
            second = story.back_up(1)
        assert_written(system, first, second)
        with killing(system, kills.upload, meanwhile=lambda: story.allow_imports(True)):
            story.end_restore(first, story.order_restore(first, "upload"))
        with killing(system, kills.imported):
            imported = story.order_restore(second, "import")
        story.end_restore(second, imported)
        system.pass_time(PRUNED)
        check(story)


def assert_written(system: LocalSystem, first: str, second: str) -> None:
    """The first copy is whole; of the second only what had changed was written, and it came from the host."""
    whole, changes = (pages_of(system, point) for point in (first, second))
    assert (whole["isWhole"], changes["isWhole"]) == (True, False)
    assert changes["clearedBytes"] == len(PLACES) // 3 * PAGE_BYTES
    assert changes["streamedBytes"] == changes["writtenBytes"] == len(PLACES) * 2 // 3 * PAGE_BYTES


def pages_of(system: LocalSystem, point: str) -> dict[str, Any]:
    """Return what the API tells of a disk's pages."""
    replicas = wait_for(system, f"restore-points/{point}", is_everywhere)["replicas"]
    [disk] = next(each for each in replicas if each["location"] == VAULT_LOCATION)["disks"]
    return dict(disk["pages"])


def check(story: Story) -> None:
    """All that was taken is everywhere and right; nobody holds anything, can read anything, or learn how."""
    system = story.system
    for point in story.taken:
        replicas = get(system, f"restore-points/{point}")["replicas"]
        assert {replica["state"] for replica in replicas} <= {"available", "expiring"}, replicas
    wait_until(lambda: not any(name.startswith("restores/") for name in vault_of(system)))  # pruned
    check_replicas(story)
    with TableServiceClient.from_connection_string(system.catalogue_connection) as tables:
        for table in ("permits", "copyqueues"):
            assert list(tables.get_table_client(table).list_entities()) == [], table
        system.host.stop()
        assert_none_in([*rows(tables), *left_on_disk(system)])


def vault_of(system: LocalSystem) -> dict[str, PageBlob]:
    """Return the blobs in the vault by their names."""
    with system.cloud.estate.lock:
        return dict(system.azure.vault.resource.containers[VAULT_CONTAINER].blobs)


def check_replicas(story: Story) -> None:
    """The vault has one blob, with one seal per point and the right bytes, and nothing after the last."""
    [blob] = vault_of(story.system).values()
    seals = {state.metadata[POINT_METADATA]: state for state in blob.snapshots.values()}
    assert len(blob.snapshots) == len(seals)
    assert seals.keys() == story.taken.keys()
    for point, held in story.taken.items():
        assert seals[point].length == DISK_BYTES + FOOTER_BYTES
        assert_equal(seals[point].image, held)
        footer = seals[point].image.read(DISK_BYTES, FOOTER_BYTES)
        assert footer_fault(footer, DISK_BYTES) is None
    newest = blob.snapshots[max(blob.snapshots)]
    assert list(blob.base.image.changes_since(newest.image)) == []


def assert_equal(found: Image, expected: Image) -> None:
    """Two images of disks hold the same; what neither of them has is zeros in both."""
    there = {
        (each.start, each.end)
        for image in (found, expected)
        for each in image.page_ranges(0, expected.size_bytes)
    }
    wrong = [at for at, end in there if found.read(at, end - at) != expected.read(at, end - at)]
    assert not wrong, f"they differ at {sorted(wrong)}"


def assert_closed(story: Story) -> None:
    """Nobody can read a snapshot or write a disk from outside, and every disk that was made is told of."""
    estate = story.system.cloud.estate
    with estate.lock:
        there = [each for each in estate.shelf.under("/subscriptions/") if isinstance(each, Snapshot | Disk)]
    for each in there:
        assert estate.accesses.active(each.id.key) is None, f"{each.id} is open"
        if isinstance(each, Snapshot):
            assert each.properties["networkAccessPolicy"] == "DenyAll", f"{each.id} can be opened"
    restored = [each.id.key for each in there if "/restored-" in each.id.key]
    assert sorted(restored) == sorted(story.made)


def left_on_disk(system: LocalSystem) -> list[tuple[str, str]]:
    """Return what a host that was stopped has left: its database with all histories, and its log."""
    directory = system.directory.path
    with closing(sqlite3.connect(directory / "host.sqlite")) as database:
        told = [("the host's database", line) for line in database.iterdump()]
    assert any('INTO "history"' in line for _, line in told)
    return [*told, ("the host's log", (directory / "function-host.log").read_text())]


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_whatever_request_is_the_last_one_the_replica_is_whole_and_nothing_else_is_left(tmp_path):
    assert tell_stories(tmp_path, tell_story) == KILLS  # and each story ended as it should


def tell_story(folder: Path, chance: random.Random, kills: int) -> None:
    """Back up and restore again and again, until the host was killed so often."""
    counts = [chance.randint(1, 60) for _ in range(kills)]
    positions = [
        Position(f"at request {count}", is_of_a_batch, count, is_done=chance.random() < 0.5)
        for count in counts
    ]
    with running(folder, BEGINS) as system:
        story, turn = Story(system), 0
        with killing(system, positions, lambda: story.allow_imports(chance.random() < 0.5)) as killer:
            while killer.is_alive() or turn < 2:
                system.azure.vault.resource.refuses_incremental_sources = turn % 2 == 1
                point = story.back_up(turn)
                story.end_restore(point, story.order_restore(point, f"restore-{turn}"))
                turn += 1
        system.pass_time(PRUNED)
        check(story)
