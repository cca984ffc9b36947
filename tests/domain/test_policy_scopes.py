"""Where VMs are looked for, as the policy file says it: whole subscriptions, or some of their groups."""

from __future__ import annotations

import pytest

from domain.policy import Scope
from tests.domain.test_policy_file import ELSEWHERE, HERE, faults_of, file, parsed, policy

SOME = [{"id": HERE, "resource_groups": ["web"]}]


def test_vms_are_looked_for_in_whole_subscriptions_or_in_some_of_their_resource_groups():
    groups = {"id": ELSEWHERE, "resource_groups": ["web", "data"]}
    scopes = parsed(subscriptions=[{"id": HERE}, groups]).scopes
    assert scopes == (Scope(HERE), Scope(ELSEWHERE, "web"), Scope(ELSEWHERE, "data"))
    assert [scope.id for scope in scopes[:2]] == [
        f"/subscriptions/{HERE}",
        f"/subscriptions/{ELSEWHERE}/resourceGroups/web",
    ]


@pytest.mark.parametrize(
    ("subscriptions", "field", "words"),
    [
        ([HERE], "subscriptions.0", "fields of its own"),
        ([{"resource_groups": ["web"]}], "subscriptions.0.id", "this field is missing"),
        ([{"id": HERE, "resource_groups": []}], "subscriptions.0.resource_groups", "name at least one"),
        # What is left of a list without its entries does not mean everything.
        ([{"id": HERE, "resource_groups": None}], "subscriptions.0.resource_groups", "must be a list"),
        ([{"id": HERE, "resource_groups": ["a/b"]}], "subscriptions.0.resource_groups.0", "without its path"),
        ([{"id": HERE}, {"id": HERE.upper(), "resource_groups": ["web"]}], "subscriptions.1.id",
         "stands above already"),
        ([{"id": HERE, "resource_groups": ["Web", "data", "web"]}], "subscriptions.0.resource_groups.2",
         "'Web' is the same resource group"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_subscription_is_the_only_fault(subscriptions, field, words):
    told = faults_of(file(subscriptions=subscriptions, daily=policy(selector={"resource_groups": ["web"]})))
    assert list(told) == [field]
    assert words in told[field]


@pytest.mark.parametrize(
    ("subscriptions", "selector", "is_looked_at"),
    [
        (SOME, {"resource_groups": ["WEB"]}, True),  # Azure does not tell cases apart
        (SOME, {"resource_groups": ["web", "data"]}, False),
        ([*SOME, {"id": ELSEWHERE}], {"resource_groups": ["data"]}, True),  # there all are
        ([*SOME, {"id": ELSEWHERE}], {"resource_groups": ["data"], "subscriptions": [HERE]}, False),
        ([{"id": HERE}], {"resource_groups": ["data"], "subscriptions": [HERE.upper()]}, True),
    ],
)
def test_a_selector_asks_for_no_resource_group_that_nobody_looks_at(subscriptions, selector, is_looked_at):
    text = {"subscriptions": subscriptions, "daily": policy(selector=selector)}
    if is_looked_at:
        assert parsed(**text).policies["daily"].selector.resource_groups == tuple(selector["resource_groups"])
    else:
        told = faults_of(file(**text))
        assert list(told) == ["policies.daily.selector.resource_groups"]
        assert "VMs are not looked for in 'data'" in told["policies.daily.selector.resource_groups"]
