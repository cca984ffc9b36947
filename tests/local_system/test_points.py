"""What is drawn of restore points and their copies is what the API says of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from clock import ManualClock
from local_system.failures import LocalSystemFailed
from local_system.following import Follower
from local_system.points import failure_of, have_copies_begun, progress_rows, waiting_disks
from local_system.screen import Row, Screen
from local_system.transfers import (
    Written,
    require_differences,
    require_order,
    transfer_table,
    transfers,
    written,
)
from simulator.meter import CopiedBytes, Meter

SLOT = datetime(2026, 3, 3, 1, 59, tzinfo=UTC)
BEHIND_FIRST = "/api/v1/restore-points/first"


def copy(name, state="waiting", percent=0.0, waits_for=None, started=None, progressed=None, failure=None):
    return {
        "name": name,
        "state": state,
        "percent": percent,
        "waitsFor": waits_for,
        "started": started and started.isoformat(),
        "progressed": progressed and progressed.isoformat(),
        "failure": failure,
        "snapshot": f"/snapshots/{name}-{started and started.minute}",
    }


def point(key, minutes=0, disks=("usable",), copies=(), state="available", replica="copying", failure=None):
    names = [copied["name"] for copied in copies] or [f"disk{place}" for place, _ in enumerate(disks)]
    return {
        "id": key,
        "slot": (SLOT + timedelta(minutes=minutes)).isoformat(),
        "state": state,
        "failure": failure,
        "disks": [
            {"name": name, "state": disks[place % len(disks)], "failure": None}
            for place, name in enumerate(names)
        ],
        "replicas": [
            {"location": "west", "state": "available", "disks": []},
            {"location": "north", "state": replica, "disks": list(copies)},
        ],
    }


def test_the_queue_of_each_disk_is_drawn_together_and_says_whom_a_copy_waits_for():
    first = point("first", copies=[copy("os", "copying", 38.0), copy("data", "available", 100.0)])
    second = point("second", 1, copies=[copy("os", waits_for=BEHIND_FIRST), copy("data")])
    assert progress_rows([first, second], "north") == [
        Row("os of 01:59", 38.0, "copying"),
        Row("os of 02:00", 0.0, "waits for that of 01:59"),
        Row("data of 01:59", 100.0, "copied"),
        Row("data of 02:00", 0.0, "queued"),
    ]
    assert waiting_disks(second, "north") == {"os"}


def test_a_copy_that_waits_for_a_point_that_is_not_followed_names_it():
    second = point("second", 1, copies=[copy("os", waits_for=BEHIND_FIRST)])
    assert progress_rows([second], "north") == [Row("os of 02:00", 0.0, "waits for that of first")]


def test_before_copies_are_queued_the_snapshots_at_home_are_told():
    taking = point("first", disks=("planned", "taken", "usable"))
    assert [row.note for row in progress_rows([taking], "north")] == [
        "snapshot begins",
        "snapshot taken",
        "snapshot usable",
    ]


def test_copies_have_begun_when_azure_has_taken_the_order_of_each():
    begun, queued = copy("os", "copying", started=SLOT), copy("data")
    assert not have_copies_begun(point("first"), "north")
    assert not have_copies_begun(point("first", copies=[begun, queued]), "north")
    assert have_copies_begun(point("first", copies=[begun]), "north")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (point("first", copies=[copy("os", failure="it was throttled")]), None),  # it is tried again
        (point("first", state="failed", failure="disk 'os': gone"), "disk 'os': gone"),
        (point("first", replica="failed", copies=[copy("os", "failed", failure="no quota")]), "os: no quota"),
        (point("first", replica="failed"), "no reason is given"),
    ],
)
def test_what_has_failed_is_told_with_its_reason(told, reason):
    assert failure_of(told) == reason


def arrived(began, ended, minutes=0):
    moments = (SLOT + timedelta(minutes=began), SLOT + timedelta(minutes=ended))
    return point("point", minutes, copies=[copy("os", "available", 100.0, None, *moments)])


def test_what_has_arrived_is_told_with_its_times_and_what_the_meter_counted():
    meter = Meter()
    meter.copied(CopiedBytes("source", "/snapshots/os-59", "northeurope", 3 << 20, whole=True))
    meter.copied(CopiedBytes("source", "/snapshots/os-8", "northeurope", 4096, whole=False))
    older, newer = (transfers(told, "north", meter) for told in (arrived(0, 8), arrived(9, 10, minutes=1)))
    assert list(transfer_table(older, newer))[1:] == [
        ("os", "01:59", "01:59:00", "02:07:00", "3.0 MiB"),
        ("os", "02:00", "02:08:00", "02:09:00", "4.0 KiB"),
    ]
    require_order(older, newer)


def test_a_copy_that_overtook_the_one_ahead_of_it_fails_the_demo():
    older, newer = (transfers(told, "north", Meter()) for told in (arrived(0, 8), arrived(7, 9)))
    with pytest.raises(LocalSystemFailed, match="newer copy of os began before the older one had arrived"):
        require_order(older, newer)


def in_vault(is_whole, written):
    pages = {"writtenBytes": written, "streamedBytes": 0, "requests": 2, "isWhole": is_whole}
    copies = [
        copy(name, "available", progressed=SLOT + timedelta(minutes=minute)) | {"pages": pages}
        for minute, name in enumerate(("os", "data"))
    ]
    return point("point", copies=copies)


def test_what_was_written_by_pages_is_told_of_all_disks_together():
    whole, changed = written(in_vault(True, 4096), "north"), written(in_vault(False, 512), "north")
    assert whole == Written(SLOT + timedelta(minutes=1), 8192, 0, 4, is_whole=True)
    require_differences(whole, changed)
    with pytest.raises(LocalSystemFailed, match="not once whole"):
        require_differences(whole, whole)


class Answers:
    """Stands for the API: answers each path with what it was given, one after the other."""

    def __init__(self, **answers):
        self._answers = {path.replace("__", "/"): list(given) for path, given in answers.items()}

    def get(self, path):
        given = self._answers[path.replace("-", "_")]
        return given.pop(0) if len(given) > 1 else given[0]


def follower(out, **answers):
    api = SimpleNamespace(get=Answers(**answers).get)
    return Follower(api, Screen(out, {}), ManualClock(SLOT), "north")  # type: ignore[arg-type]  # all that is used


def listed(*ids):
    return {"items": [{"id": each} for each in ids]}


def test_the_next_point_is_followed_until_its_copies_are_queued_and_those_that_wait_are_remembered():
    out = io.StringIO()
    copying = point("first", copies=[copy("os", "copying", 20.0)])
    follow = follower(
        out,
        vms__web__restore_points=[listed("first"), listed("second", "first")],
        restore_points__first=[copying],
        restore_points__second=[
            point("second", 1, replica="waiting") | {"disks": copying["disks"]},
            point("second", 1, copies=[copy("os", waits_for=BEHIND_FIRST)]),
        ],
    )
    assert follow.next_point("web", "first") == "second"
    assert follow.seen_waiting == {"os"}
    assert out.getvalue().splitlines() == [
        "      01:59:00  os of 01:59  20 %  copying",
        "      01:59:00  os of 02:00   0 %  snapshot usable",
        "      01:59:00  os of 02:00   0 %  waits for that of 01:59",
    ]


def test_points_have_arrived_when_each_replica_is_available_and_not_when_one_is():
    complete = [copy("os", "available", 100.0)]
    second = [point("second", 1, copies=complete), point("second", 1, copies=complete, replica="available")]
    follow = follower(
        io.StringIO(),
        restore_points__first=[point("first", copies=complete, replica="available")],
        restore_points__second=second,
    )
    assert follow.arrival(["first", "second"])[1] is second[1]


def test_a_point_that_fails_while_it_is_followed_is_told():
    lost = point("first", replica="failed", copies=[copy("os", "failed", failure="no quota")])
    follow = follower(io.StringIO(), restore_points__first=[lost])
    with pytest.raises(LocalSystemFailed, match="Restore point first failed: os: no quota"):
        follow.arrival(["first"])
