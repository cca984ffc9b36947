"""GET restore-points/{id} of what is not there: the answer says all that is known about why."""

from __future__ import annotations

from domain.protection import ProtectedVm
from tests.triggers.harness import HOME, START, Api

SLOT = START.replace(hour=2, minute=0, second=0)


def see_fail(api: Api, reason: str) -> tuple[str, str]:
    """Let a backup fail before its point is begun; return the VM's key and the point's id."""
    vm = ProtectedVm.unseen(api.add_vm("web"), "daily", HOME)
    point = f"{vm.key}~20261122T0200Z~1"
    api.connected.catalogue.vms.update(vm, lambda known: known.with_failure(point, reason, SLOT))
    return vm.key, point


def test_the_newest_point_that_was_never_begun_says_why(api):
    key, point = see_fail(api, "VM 'web' cannot be read: the identity has no role there")
    links = api.ask("GET", f"vms/{key}").body["links"]
    answer = api.ask("GET", links.get("newestPoint", f"restore-points/{point}"))
    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert f"'{point}' failed before it was begun" in answer.body["detail"]
    assert "the identity has no role there" in answer.body["detail"]


def test_a_point_that_is_about_to_be_begun_says_so(api):
    vm = ProtectedVm.unseen(api.add_vm("web"), "daily", HOME)
    point = f"{vm.key}~20261122T0200Z~1"
    api.connected.catalogue.vms.update(vm, lambda known: known.beginning(point))
    answer = api.ask("GET", f"restore-points/{point}")
    assert answer.status == 404
    assert "is about to be begun; look again in a minute" in answer.body["detail"]


def test_another_point_of_a_known_vm_is_not_explained_by_its_newest(api):
    key, _ = see_fail(api, "the identity has no role there")
    answer = api.ask("GET", f"restore-points/{key}~20261122T0300Z~1")
    assert answer.status == 404
    assert f"VM 'web' has no restore point '{key}~20261122T0300Z~1'" in answer.body["detail"]
    assert f"GET vms/{key}/restore-points" in answer.body["detail"]
    assert "no role there" not in answer.body["detail"]


def test_a_point_of_a_vm_that_nobody_knows_says_where_to_look(api):
    answer = api.ask("GET", "restore-points/web-0123456789ab~20261122T0200Z~1")
    assert answer.status == 404
    assert "its VM is not known; look at GET vms" in answer.body["detail"]
