"""POST retention/preview."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.retention import expiring
from tests.triggers.harness import START

SLOT = START.replace(hour=2, minute=0, second=0)


@pytest.fixture
def points(api):
    """Three points of a VM, newest first."""
    vm = api.add_vm()
    return [api.add_point(vm, SLOT - timedelta(days=day)) for day in range(3)]


def preview(api, **body):
    return api.ask("POST", "retention/preview", body)


def test_every_replica_has_a_verdict_with_all_its_reasons(api, points):
    told = preview(api, vm=points[0].vm.id).body
    assert (told["policy"], told["stopped"]) == ("daily", [])
    assert {replica["verdict"] for replica in told["replicas"]} == {"kept"}
    assert told["replicas"][0] == {
        "restorePoint": f"/api/v1/restore-points/{points[0].id}",
        "slot": "2026-11-22T02:00:00Z",
        "location": "west",
        "state": "available",
        "verdict": "kept",
        "because": ["number 1 of the last 7", "the newest in west", "the next copy to north builds on it"],
        "expires": None,
    }


def test_another_limit_is_tried_out_and_changes_nothing(api, points):
    api.connected.catalogue.restore_points.alter(points[2].id, lambda point: expiring(point, "north", START))
    told = preview(api, vm=points[0].vm.key, keepLast={"north": 1}).body
    north = [replica for replica in told["replicas"] if replica["location"] == "north"]
    assert [(each["verdict"], each["state"]) for each in north] == [
        ("kept", "available"),
        ("expires", "available"),
        ("expires", "expiring"),
    ]
    assert north[2]["because"] == []
    assert north[2]["expires"] == "2026-11-23T16:00:30Z"
    again = preview(api, vm=points[0].vm.key).body["replicas"]
    assert {replica["verdict"] for replica in again} == {"kept"}


def test_a_limit_that_pruning_would_stop_at_is_told(api, points):
    told = preview(api, vm=points[0].vm.key, keepLast={"north": 1}).body
    [stopped] = told["stopped"]
    assert "2 of 3 restore points in north would expire at once" in stopped
    # Nothing expires then, so no verdict may say that it does.
    verdicts = [replica["verdict"] for replica in told["replicas"]]
    assert (verdicts.count("stopped"), verdicts.count("kept"), len(verdicts)) == (2, 4, 6)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vm": "web-0123456789ab", "keepLast": {"north": 0}},
        {"vm": "web-0123456789ab", "keepLast": {"moon": 3}},
    ],
)
def test_bad_input_is_told(api, body):
    assert preview(api, **body).status == 400


def test_a_vm_that_nobody_knows_is_not_found(api):
    assert preview(api, vm="web-0123456789ab").status == 404
