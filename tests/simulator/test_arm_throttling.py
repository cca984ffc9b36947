"""Limits on calls, and the refusal of one too many (azure-semantics §5)."""

from __future__ import annotations

import json

from tests.simulator.conftest import GIB, HOME, snapshot_body

MACHINE = "resourceGroups/production/providers/Microsoft.Compute/virtualMachines/web"
SNAPSHOT = "resourceGroups/production/providers/Microsoft.Compute/snapshots/s1"
DISKS = "providers/Microsoft.Compute/disks"


def left(answer):
    """Return the remaining calls that an answer tells, by name."""
    pairs = answer.headers["x-ms-ratelimit-remaining-resource"].split(",")
    return {name: int(count) for name, _, count in (pair.partition(";") for pair in pairs)}


def test_answers_tell_how_many_calls_remain(azure):
    """§5: the headers of recorded traffic."""
    answer = azure.ask("PUT", SNAPSHOT, snapshot_body(azure.web.disk("data").id))
    assert left(answer) == {
        "Microsoft.Compute/HighCostSnapshotCreateHydrate3Min": 999,
        "Microsoft.Compute/HighCostSnapshotCreateHydrate30Min": 7999,
    }
    assert answer.headers["x-ms-ratelimit-remaining-subscription-writes"] == "1199"
    assert azure.ask("GET", SNAPSHOT).headers["x-ms-ratelimit-remaining-subscription-reads"] == "11999"
    assert (
        azure.ask("DELETE", f"{SNAPSHOT}x").headers["x-ms-ratelimit-remaining-subscription-deletes"]
        == "14999"
    )


def test_a_machine_can_be_read_36_times_at_once_and_then_12_times_a_minute(azure):
    """§5: LowCostGet 12 / 36 per VM."""
    assert [azure.ask("GET", MACHINE).status for _ in range(37)] == [200] * 36 + [429]
    azure.pass_time(seconds=4)
    assert azure.ask("GET", MACHINE).status == 429
    azure.pass_time(seconds=1)
    assert azure.ask("GET", MACHINE).status == 200
    azure.pass_time(minutes=1)
    assert [azure.ask("GET", MACHINE).status for _ in range(13)] == [200] * 12 + [429]


def test_the_limit_of_one_machine_is_not_that_of_another(azure):
    other = azure.cloud.add_virtual_machine("other", HOME, "production", {"os": GIB})
    for _ in range(37):
        azure.ask("GET", MACHINE)
    assert azure.ask("GET", other.id).status == 200


def test_one_call_too_many_gets_the_documented_body(azure):
    """§5: unwrapped, details[0].code TooManyRequests, the reason as JSON in a string."""
    for _ in range(900):
        azure.ask("GET", DISKS)
    answer = azure.ask("GET", DISKS)
    body = json.loads(answer.body)
    assert (answer.status, body["code"]) == (429, "OperationNotAllowed")
    assert "error" not in body
    detail = body["details"][0]
    assert (detail["code"], detail["target"]) == ("TooManyRequests", "HighCostGet")
    assert json.loads(detail["message"])["operationGroup"] == "HighCostGet"
    assert answer.headers["retry-after"] == "1"


def test_twelve_changes_of_one_machine_at_once_and_then_four_a_minute(azure):
    """§5: Update 4 / 12 per VM; what is refused for another reason counts, what is throttled does not."""
    assert [azure.ask("POST", f"{MACHINE}/start").status for _ in range(14)] == [202] + [409] * 11 + [429] * 2
    azure.pass_time(seconds=15)
    assert [azure.ask("POST", f"{MACHINE}/start").status for _ in range(2)] == [409, 429]


def test_polling_a_machines_operation_is_limited(azure):
    """§5: GetOperation 15 / 45 per VM."""
    began = azure.ask("POST", f"{MACHINE}/deallocate")
    path = began.headers["azure-asyncoperation"].partition("management.azure.com")[2]
    statuses = [azure.ask("GET", path, version=None).status for _ in range(46)]
    assert statuses == [200] * 45 + [429]


def test_resource_manager_has_a_limit_of_its_own_for_each_principal(azure):
    """§5: 1,200 writes an hour; the wording of the refusal is the simulator's."""
    group, same = "resourceGroups/recovery", {"location": "northeurope"}
    statuses = [azure.ask("PUT", group, same).status for _ in range(1201)]
    assert statuses == [200] * 1200 + [429]
    answer = azure.ask("PUT", group, same)
    assert json.loads(answer.body)["error"]["code"] == "SubscriptionRequestsThrottled"
    assert answer.headers["retry-after"] == "3"
    assert azure.ask("PUT", group, same, token="development:other").status == 200
    assert azure.ask("GET", group).status == 200
    azure.pass_time(seconds=3)
    assert azure.ask("PUT", group, same).status == 200
