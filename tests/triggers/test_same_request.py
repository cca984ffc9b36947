"""The same request, made twice or by two, is one operation; a key says what is the same."""

from __future__ import annotations

from datetime import timedelta

from tests.triggers.test_backups import ask
from tests.triggers.test_identity import principal
from triggers import backups


def test_the_same_request_in_the_same_minute_is_the_same_operation(api):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm})
    api.clock.advance(timedelta(seconds=20))
    again = ask(api, f'{{ "vm" : "{vm}" }}'.encode())  # the same, written differently
    assert (again.status, again.body) == (202, first.body)
    assert len(api.operations()) == len(api.client.started) == 1


def test_a_repeated_request_is_the_same_operation_although_the_vm_is_busy_with_it(api):
    vm = api.add_vm("web")
    operation = ask(api, {"vm": vm}).body["id"]
    api.add_point(vm, api.clock.now().replace(second=0), state="begun", operation=operation)
    answer = ask(api, {"vm": vm})
    assert (answer.status, answer.body["id"]) == (202, operation)


def test_who_asks_for_the_same_at_the_same_moment_gets_the_same_operation(api, monkeypatch):
    vm, quicker = api.add_vm("web"), []
    look = backups._points_of_idle

    def look_too_late(found, now):
        monkeypatch.setattr(backups, "_points_of_idle", look)
        quicker.append(ask(api, {"vm": vm}))
        return look(found, now)

    monkeypatch.setattr(backups, "_points_of_idle", look_too_late)
    answer = ask(api, {"vm": vm})
    assert (answer.status, answer.body["id"]) == (202, quicker[0].body["id"])
    assert len(api.operations()) == len(api.client.started) == 1


def test_the_next_minute_is_another_request(api):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}).body["id"]
    now = api.clock.now()
    api.connected.catalogue.operations.alter(first, lambda known: known.succeeded({}, now))
    api.clock.advance(timedelta(minutes=1))
    assert ask(api, {"vm": vm}).body["id"] != first
    assert len(api.client.started) == 2


def test_a_key_makes_a_request_the_same_whatever_its_state_and_however_late(api):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}, key="nightly").body["id"]
    now = api.clock.now()
    api.connected.catalogue.operations.alter(first, lambda known: known.failed("it did not work", now))
    api.clock.advance(timedelta(days=1))  # also past midnight
    answer = ask(api, {"vm": vm}, key="nightly")
    assert (answer.status, answer.body["id"], answer.body["state"]) == (202, first, "failed")
    assert len(api.client.started) == 1


def test_a_key_that_stands_for_another_request_is_refused(api):
    first = ask(api, {"vm": api.add_vm("web")}, key="mine")
    answer = ask(api, {"vm": api.add_vm("db")}, key="mine")
    assert (answer.status, answer.media_type) == (422, "application/problem+json")
    assert first.body["id"] in answer.body["detail"]
    assert len(api.operations()) == len(api.client.started) == 1


def test_a_key_that_stands_for_a_restore_is_no_key_for_a_backup(api):
    vm = api.add_vm("web")
    point = api.add_point(vm, api.clock.now() - timedelta(days=1))
    order = {"restorePoint": point.id, "location": "west"}
    assert api.ask("POST", "restores", order, headers={"Idempotency-Key": "mine"}).status == 202
    assert ask(api, {"vm": vm}, key="mine").status == 422


def test_two_callers_may_choose_the_same_key(api):
    api.with_settings(is_sign_in_enforced=True)
    web, db = api.add_vm("web"), api.add_vm("db")
    another = principal(claims=[{"typ": "oid", "val": "another"}, {"typ": "roles", "val": "Operator"}])
    ids = {
        ask(api, {"vm": web}, key="mine", token=None, headers=principal("Operator")).body["id"],
        ask(api, {"vm": db}, key="mine", token=None, headers=another).body["id"],
    }
    assert len(ids) == len(api.client.started) == 2
