"""PUT and DELETE restore-points/{id}/hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.retention import GRACE, deleting, expiring
from tests.triggers.harness import START

SLOT = START.replace(hour=2, minute=0, second=0)


@pytest.fixture
def point(api):
    return api.add_point(api.add_vm(), SLOT)


def found(api, point):
    return api.connected.catalogue.restore_points.find(point.id)


def change(api, point, changed):
    return api.connected.catalogue.restore_points.alter(point.id, changed)


def hold(api, point, reason="incident 42"):
    return api.ask("PUT", f"restore-points/{point.id}/hold", {"reason": reason})


def test_a_point_is_held_and_says_why(api, point):
    answer = hold(api, point, "  incident 42 ")
    assert (answer.status, answer.body["hold"]) == (200, "incident 42")
    assert hold(api, point, "incident 43").body["hold"] == "incident 43"
    assert api.ask("GET", f"restore-points/{point.id}").body["hold"] == "incident 43"


def test_a_hold_is_taken_out_as_often_as_one_likes(api, point):
    hold(api, point)
    for _ in range(2):
        answer = api.ask("DELETE", f"restore-points/{point.id}/hold")
        assert (answer.status, answer.body["hold"]) == (200, None)
    assert found(api, point).hold is None


def test_what_was_expiring_is_offered_again_at_once(api, point):
    change(api, point, lambda known: expiring(known, "north", START))
    _, north = api.ask("GET", f"restore-points/{point.id}").body["replicas"]
    assert (north["state"], north["expires"]) == ("expiring", "2026-11-23T16:00:30Z")
    _, north = hold(api, point).body["replicas"]
    assert (north["state"], north["expires"]) == ("available", None)


def test_what_is_being_deleted_is_not_brought_back_and_the_rest_is_kept(api, point):
    change(api, point, lambda known: expiring(known, "north", START))
    change(api, point, lambda known: deleting(known, "north", START + GRACE))
    answer = hold(api, point)
    assert [replica["state"] for replica in answer.body["replicas"]] == ["available", "expiring"]

    change(api, point, lambda known: replace(known, replicas={"north": known.replicas["north"]}))
    answer = hold(api, point, "too late")
    assert answer.status == 409
    assert "is being deleted in every location" in answer.body["detail"]
    assert found(api, point).hold == "incident 42"


def test_a_point_that_is_being_taken_can_be_held_and_a_failed_one_cannot(api):
    vm = api.add_vm()
    begun = api.add_point(vm, SLOT, state="begun")
    assert hold(api, begun).body["hold"] == "incident 42"
    failed = api.add_point(vm, SLOT - timedelta(days=1), state="failed")
    answer = hold(api, failed)
    assert answer.status == 400
    assert answer.body["errors"] == [
        {"field": "id", "message": "it failed, so there is nothing to keep; hold another restore point"}
    ]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 257}, {"reason": 5}])
def test_a_hold_needs_a_reason(api, point, body):
    answer = api.ask("PUT", f"restore-points/{point.id}/hold", body)
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["reason"]
    assert found(api, point).hold is None


@pytest.mark.parametrize(("method", "body"), [("PUT", {"reason": "incident 42"}), ("DELETE", None)])
def test_a_point_that_nobody_knows_is_not_found(api, point, method, body):
    unknown = f"{point.vm.key}~20200101T0000Z~1"
    assert api.ask(method, f"restore-points/{unknown}/hold", body).status == 404
