"""POST backups: by which policy a VM is backed up, and which VMs are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.policy import Selector
from tests.triggers.test_backups import ask, started
from tests.triggers.test_bad_input import faults, refused


def test_a_vm_without_a_tag_is_backed_up_by_the_policy_whose_selector_chooses_it(api):
    chosen = replace(api.policy(), selector=Selector(tags={"team": "shop"}))
    api.with_policies({"daily": chosen})
    answer = ask(api, {"vm": api.add_vm("web", tags={"Team": "shop"})})
    assert answer.status == 202
    assert [request.policy.name for request in started(api)] == ["daily"]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (
            {},
            "the tag tidemark-policy of VM 'web' is missing, and no selector chooses the VM, so name a "
            "policy; known are daily",
        ),
        ({"tidemark-policy": "hourly"}, "names 'hourly'; known are daily"),
    ],
)
def test_a_vm_whose_tag_names_no_policy_needs_one_in_the_order(api, tags, reason):
    answer = refused(api, "POST", "backups", {"vm": api.add_vm("web", tags=tags)})
    assert answer.status == 400
    assert reason in faults(answer)["policy"]


@pytest.mark.parametrize("policy", [{}, {"policy": "daily"}])
def test_a_vm_that_its_tag_leaves_out_cannot_be_backed_up(api, policy):
    tags = {"tidemark-policy": "daily", "Tidemark-Exclude": "True"}
    answer = refused(api, "POST", "backups", {"vm": api.add_vm("web", tags=tags), **policy})
    assert answer.status == 400
    assert faults(answer) == {
        "vm": "the tag tidemark-exclude=true of VM 'web' says that no restore points are taken of it, "
        "whatever policy is named; take the tag off the VM if one is wanted"
    }


def test_a_vm_without_a_policy_is_told_beside_what_else_is_wrong_with_it(api):
    vm = api.add_vm("cache", has_ephemeral_os_disk=True, tags={})
    assert set(faults(refused(api, "POST", "backups", {"vm": vm}))) == {"policy", "vm"}
