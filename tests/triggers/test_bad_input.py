"""Bad input gets 400 with every fault, unknown things 404; nothing is started and nothing is written."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.restore_points import ReplicaState
from tests.triggers.harness import ALIEN_SUBSCRIPTION, START, Answer, Api

UNKNOWN = "web-0123456789ab"
SLOT = START.replace(second=0) - timedelta(hours=14)


def vm_id(subscription: str, name: str = "web", group: str = "production") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Compute/virtualMachines/{name}"
    )


def faults(answer: Answer) -> dict[str, str]:
    """Return the faults of a problem document by field."""
    assert answer.media_type == "application/problem+json"
    return {fault["field"]: fault["message"] for fault in answer.body.get("errors", [])}


def refused(api: Api, method: str, path: str, body: object = None, **options: Any) -> Answer:
    """Ask for something that cannot be, and see that it left no trace."""
    answer = api.ask(method, path, body, **options)
    assert api.client.started == {}
    assert api.operations() == []
    return answer


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b"", "body", "the request has no body; send JSON with vm, policy"),
        (b"{", "body", "send an object with vm, policy"),
        (b"\xff", "body", "this is not JSON"),
        (b"[]", "body", "it should be an object; found an array"),
        (b"null", "body", "found null"),
        (b'{"vm": "\\ud800"}', "body", "this is not JSON"),  # half a character
        (b"[" * 60_000, "body", "this is not JSON"),
        (b'{"vm": "' + b"x" * 70_000 + b'"}', "body", "the most is 65536"),
        ({}, "vm", "this field is missing"),
        ({"vm": None}, "vm", "found null"),
        ({"vm": 5}, "vm", "found a number"),
        ({"vm": ["web"]}, "vm", "found an array"),
        ({"vm": ""}, "vm", "is not the key of a VM"),
        ({"vm": "web"}, "vm", "one looks like web-0123456789ab"),  # a name says not which VM
        ({"vm": "../web-0123456789ab"}, "vm", "is not the key of a VM"),
        ({"vm": "web-0123456789ab\n"}, "vm", "is not the key of a VM"),
        ({"vm": "/subscriptions/x"}, "vm", "is not the id of a VM"),
        ({"vm": UNKNOWN, "policy": "hourly"}, "policy", "there is no policy 'hourly'; known are daily"),
        ({"vm": UNKNOWN, "policy": 1}, "policy", "found a number"),
        (b'{"vm": "a", "policy": "daily", "vm": "a"}', "vm", "this field stands twice; send it once"),
        ({"vm": UNKNOWN, "polcy": "daily"}, "polcy", "there is no such field; there are vm, policy"),
    ],
)
def test_a_malformed_backup_order_is_a_fault(api, body, field, reason):
    answer = refused(api, "POST", "backups", body)
    assert answer.status == 400
    assert reason in faults(answer)[field]


@pytest.mark.parametrize(
    ("name", "group"),
    [("web/extensions/x", "production"), ("..", "production"), ("web?x", "production"), ("web", "..")],
)
def test_an_arm_id_that_would_lead_elsewhere_is_a_fault(api, name, group):
    answer = refused(api, "POST", "backups", {"vm": vm_id(api.cloud.subscription, name, group)})
    assert answer.status == 400
    assert "is not the id of a VM" in faults(answer)["vm"]


def test_a_subscription_that_the_policy_file_does_not_name_is_a_fault(api):
    answer = refused(api, "POST", "backups", {"vm": vm_id(ALIEN_SUBSCRIPTION)})
    assert answer.status == 400
    assert api.cloud.subscription in faults(answer)["vm"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "backups"), ("POST", "restores"), ("GET", "health"), ("GET", f"vms/{UNKNOWN}")],
)
def test_a_parameter_that_would_be_ignored_is_a_fault(api, method, path):
    vm = api.add_vm("web")
    answer = refused(api, method, f"{path}?policy=daily&dry-run=1", {"vm": vm})
    assert answer.status == 400
    assert (
        faults(answer)["policy"] == faults(answer)["dry-run"] == "there is no such field; there are none here"
    )


def test_all_faults_of_a_request_are_told_at_once(api):
    answer = refused(
        api,
        "POST",
        "backups?now",
        {"vm": 5, "policy": "hourly", "disks": []},
        headers={"Idempotency-Key": ""},
    )
    assert answer.status == 400
    assert set(faults(answer)) == {"now", "vm", "policy", "disks", "Idempotency-Key"}
    assert answer.body["instance"] == "/api/v1/backups"
    assert "nothing was started" in answer.body["title"]


def test_fields_that_do_not_go_together_are_told_beside_the_other_faults(api):
    answer = refused(api, "POST", "restores", {"before": "yesterday"})
    assert answer.status == 400
    assert set(faults(answer)) == {"location", "restorePoint", "before"}


def test_all_that_azure_says_against_a_backup_is_told_at_once(api):
    vm = api.add_vm("cache", has_ephemeral_os_disk=True, disks={"os": 1 << 20}, region="northeurope")
    answer = refused(api, "POST", "backups", {"vm": vm})
    assert answer.status == 400
    messages = [fault["message"] for fault in answer.body["errors"]]
    assert any("ephemeral OS disk" in message for message in messages)
    assert any("northeurope" in message and "westeurope" in message for message in messages)
    assert any("no disk left to protect" in message for message in messages)


def test_a_vm_with_an_ephemeral_os_disk_cannot_be_backed_up(api):
    answer = refused(api, "POST", "backups", {"vm": api.add_vm("cache", has_ephemeral_os_disk=True)})
    assert answer.status == 400
    assert "ephemeral OS disk" in faults(answer)["vm"]


@pytest.mark.parametrize("name", ["web", "another"])
def test_a_vm_that_azure_does_not_have_is_not_found(api, name):
    answer = refused(api, "POST", "backups", {"vm": vm_id(api.cloud.subscription, name)})
    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert name in answer.body["detail"]


def test_a_vm_in_a_group_that_azure_does_not_have_is_not_found(api):
    answer = refused(api, "POST", "backups", {"vm": vm_id(api.cloud.subscription, "web", "nowhere")})
    assert answer.status == 404


def test_a_key_that_the_overview_does_not_have_is_not_found(api):
    assert refused(api, "POST", "backups", {"vm": UNKNOWN}).status == 404


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"restorePoint": f"{UNKNOWN}~20261122T0200Z~1"}, "location", "missing; known are north, west"),
        ({"location": "west"}, "restorePoint", "give either restorePoint or vm"),
        (
            {"location": "west", "vm": UNKNOWN, "restorePoint": f"{UNKNOWN}~20261122T0200Z~1"},
            "restorePoint",
            "give either restorePoint or vm",
        ),
        ({"location": "south", "vm": UNKNOWN}, "location", "no location 'south'; known are north, west"),
        ({"location": 1, "vm": UNKNOWN}, "location", "found a number"),
        ({"location": "west", "restorePoint": UNKNOWN}, "restorePoint", "is not a restore point id"),
        (
            {"location": "west", "restorePoint": f"{UNKNOWN}~20261322T0200Z~1"},  # a thirteenth month
            "restorePoint",
            "is no moment",
        ),
        (
            {"location": "west", "restorePoint": f"{UNKNOWN}~20261122T0200Z~0"},  # attempts count from 1
            "restorePoint",
            "is not a restore point id",
        ),
        ({"location": "west", "vm": UNKNOWN, "before": "yesterday"}, "before", "looks like 2026-11-22T"),
        ({"location": "west", "vm": UNKNOWN, "before": "1795363200"}, "before", "looks like 2026-11-22T"),
        ({"location": "west", "vm": UNKNOWN, "before": "2026-13-22T16:00:00Z"}, "before", "is not a moment"),
        ({"location": "west", "vm": UNKNOWN, "before": 1795363200}, "before", "found a number"),
        ({"location": "west", "vm": UNKNOWN, "before": "2026-11-22T16:00:00"}, "before", "needs a zone"),
        ({"location": "west", "vm": UNKNOWN, "before": "0001-01-01T00:00:00+14:00"}, "before", "2000"),
        ({"location": "west", "vm": UNKNOWN, "before": "9999-12-31T23:59:59-14:00"}, "before", "2200"),
        (
            {
                "location": "west",
                "restorePoint": f"{UNKNOWN}~20261122T0200Z~1",
                "before": "2026-11-22T16:00:00Z",
            },
            "before",
            "goes with vm",
        ),
    ],
)
def test_a_malformed_restore_order_is_a_fault(api, body, field, reason):
    answer = refused(api, "POST", "restores", body)
    assert answer.status == 400
    assert reason in faults(answer)[field]


@pytest.mark.parametrize(
    "body",
    [
        {"location": "west", "restorePoint": f"{UNKNOWN}~20261122T0200Z~1"},
        {"location": "west", "vm": UNKNOWN},
        {"location": "west", "vm": UNKNOWN, "before": "2199-12-31T23:59:59Z"},
    ],
)
def test_a_restore_of_what_the_catalogue_does_not_have_is_not_found(api, body):
    answer = refused(api, "POST", "restores", body)
    assert answer.status == 404
    assert UNKNOWN in answer.body["detail"]


def test_a_restore_of_a_vm_that_nobody_knows_says_that_it_is_the_vm(api):
    answer = refused(api, "POST", "restores", {"location": "west", "vm": UNKNOWN})
    assert answer.body["detail"] == f"no VM is known under the key '{UNKNOWN}'; look at GET vms"


@pytest.mark.parametrize(
    ("state", "reason"), [("failed", "failed (disk 'data': Azure refused)"), ("begun", "still being taken")]
)
def test_a_point_that_is_not_available_cannot_be_restored(api, state, reason):
    point = api.add_point(api.add_vm(), SLOT, state=state)
    answer = refused(api, "POST", "restores", {"location": "west", "restorePoint": point.id})
    assert answer.status == 400
    assert reason in faults(answer)["restorePoint"]


@pytest.mark.parametrize("state", ["waiting", "copying", "failed", "skipped", "expiring", "deleted"])
def test_a_point_is_not_restored_from_where_it_is_not_available(api, state):
    point = api.add_point(api.add_vm(), SLOT, north=ReplicaState(state))
    answer = refused(api, "POST", "restores", {"location": "north", "restorePoint": point.id})
    assert answer.status == 400
    assert f"is {state} in 'north'; it is available in west" in faults(answer)["location"]


@pytest.mark.parametrize(
    ("path", "field", "reason"),
    [
        ("operations/20261122", "id", "is not an operation id"),
        ("operations/20261122-0123456789ABCDEF0123", "id", "is not an operation id"),
        ("operations/x'%20or%20'1'%20eq%20'1", "id", "is not an operation id"),
        ("operations?day=today", "day", "one looks like 2026-11-22"),
        ("operations?day=1795363200", "day", "one looks like 2026-11-22"),  # not seconds since 1970
        ("operations?day=2026-02-30", "day", "is not a day"),
        ("operations?limit=0", "limit", "greater than or equal to 1; found '0'"),
        ("operations?limit=101", "limit", "less than or equal to 100"),
        ("operations?limit=many", "limit", "integer"),
        ("operations?after=x", "after", "is not an operation id"),
        ("operations?dya=2026-11-22", "dya", "there are day, state, kind, vm, limit, after"),
        ("vms/web", "key", "is not the key of a VM"),
        ("vms?after=web", "after", "is not the key of a VM"),
        ("vms/web/restore-points", "key", "is not the key of a VM"),
        (f"vms/{UNKNOWN}/restore-points?after={UNKNOWN}", "after", "is not a restore point id"),
        (
            f"vms/{UNKNOWN}/restore-points?after=another-0123456789ab~20261122T0200Z~1",
            "after",
            "is not one of this VM; leave it out",
        ),
        ("restore-points/x", "id", "is not a restore point id"),
    ],
)
def test_a_malformed_question_is_a_fault(api, path, field, reason):
    answer = refused(api, "GET", path)
    assert answer.status == 400
    assert reason in faults(answer)[field]


@pytest.mark.parametrize(
    "path",
    [
        "operations/20261122-0123456789abcdef0123",
        f"vms/{UNKNOWN}",
        f"vms/{UNKNOWN}/restore-points",
        f"restore-points/{UNKNOWN}~20261122T0200Z~1",
    ],
)
def test_what_the_catalogue_does_not_have_is_not_found(api, path):
    assert refused(api, "GET", path).status == 404


def test_a_problem_names_its_kind_by_where_the_api_describes_it(api):
    answer = refused(api, "GET", "vms/web")
    document, _, pointer = answer.body["type"].partition("#/")
    described = api.ask("GET", document).body
    for step in pointer.split("/"):
        described = described[step]
    assert described["description"] == answer.body["title"]
    assert json.dumps(described)
