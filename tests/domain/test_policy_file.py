"""The policy file: what every field becomes, and every fault in one go, with its line and in words."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import yaml

from domain.errors import InvalidInput
from domain.policy import Backlog, Policies, Selector, SnapshotAccess, Unsupported
from domain.policy_file import parse_policies
from domain.policy_forms import (
    FileForm,
    LocationForm,
    PolicyForm,
    ScheduleForm,
    SelectorForm,
    SubscriptionForm,
)

HERE = "11111111-1111-1111-1111-111111111111"
ELSEWHERE = "22222222-2222-2222-2222-222222222222"
KEYS = f"/subscriptions/{HERE}/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets/north"
SUBNET = (
    f"/subscriptions/{HERE}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/one/subnets/two"
)


def location(name: str, region: str, **more: Any) -> dict[str, Any]:
    given = {
        "region": region,
        "subscription": HERE,
        "resource_group": f"snapshots-{name}",
        "manifests": f"https://{name}.blob.example/manifests",
        "restore_resource_group": f"restored-{name}",
    }
    return given | more


def policy(**more: Any) -> dict[str, Any]:
    given = {
        "schedule": {"cron": "0 2 * * *"},
        "home": "west",
        "recovery": ["north"],
        "keep_last": {"west": 7, "north": 30},
    }
    return given | more


def file(
    west: dict | None = None, north: dict | None = None, subscriptions: Any = None, **policies: Any
) -> str:
    """The text of a policy file: two locations, and the policies that are given."""
    return yaml.safe_dump(
        {
            "subscriptions": subscriptions or [{"id": HERE}],
            "locations": {
                "west": location("west", "westeurope") | (west or {}),
                "north": location("north", "northeurope") | (north or {}),
            },
            "policies": policies or {"daily": policy()},
        },
        sort_keys=False,
    )


def parsed(**parts: Any) -> Policies:
    return parse_policies(file(**parts))


def faults_of(text: str | bytes) -> dict[str, str]:
    """Return the faults by their fields, in order."""
    with pytest.raises(InvalidInput, match=r"^policies\.yaml: ") as raised:
        parse_policies(text)
    return {fault.field.rpartition(", ")[2]: fault.message for fault in raised.value.faults}


def test_what_is_left_out_has_its_default():
    daily = parsed().policies["daily"]
    assert (daily.backlog, daily.unsupported, daily.selector) == (Backlog.EVERY, Unsupported.REFUSE, None)
    assert (daily.most_pruned, daily.max_skew.total_seconds()) == (0.5, 60)
    north = daily.recovery[0]
    assert (north.encryption_set_id, north.subnet_id, north.sizes, north.zones) == (None, None, {}, {})
    assert north.snapshot_access is SnapshotAccess.DENIED


def test_arm_ids_are_read_in_any_case():
    north = parsed(north={"encryption_set": KEYS.upper(), "subnet": SUBNET.lower()}).locations["north"]
    assert (north.encryption_set_id, north.subnet_id) == (KEYS.upper(), SUBNET.lower())


def test_every_field_that_may_be_left_out_is_read():
    mapped = {"sizes": {"Standard_D4s_v5": "Standard_D4as_v5"}, "zones": {1: 2, "3": "3"}}
    selector = {"subscriptions": [HERE], "resource_groups": ["web"], "tags": {"env": "production"}}
    asked = policy(
        backlog="newest", unsupported_disks="leave_out", selector=selector, most_pruned_percent=20,
        max_skew_seconds=5,
    )  # fmt: skip
    more = {"encryption_set": KEYS, "subnet": SUBNET, "snapshot_access": "allowed"}
    read = parsed(north={**more, **mapped}, daily=asked)
    daily, north = read.policies["daily"], read.locations["north"]
    assert (daily.backlog, daily.unsupported) == (Backlog.NEWEST, Unsupported.LEAVE_OUT)
    assert daily.selector == Selector((HERE,), ("web",), {"env": "production"})
    assert (daily.most_pruned, daily.max_skew.total_seconds()) == (0.2, 5)
    assert (north.encryption_set_id, north.subnet_id) == (KEYS, SUBNET)
    assert (north.sizes, north.snapshot_access) == (mapped["sizes"], SnapshotAccess.ALLOWED)
    assert north.zones == {"1": "2", "3": "3"}  # nobody must know that YAML takes them for numbers


@pytest.mark.parametrize(
    "form", [FileForm, SubscriptionForm, LocationForm, PolicyForm, ScheduleForm, SelectorForm]
)
def test_a_field_must_be_there_or_has_a_default(form):
    assert set(form.required) <= {each.name for each in fields(form)}


@pytest.mark.parametrize(
    ("parts", "field", "words"),
    [
        ({"west": {"region": "West Europe"}}, "locations.west.region",
         "a region looks like westeurope (found 'West Europe')"),
        ({"subscriptions": [{"id": "production"}]}, "subscriptions.0.id", "is named by its id, like 1"),
        ({"west": {"resource_group": "a/b"}}, "locations.west.resource_group", "is named without its path"),
        ({"west": {"resource_group": "group."}}, "locations.west.resource_group", "the last no full stop"),
        ({"west": {"manifests": "west"}}, "locations.west.manifests", "a container is named by its URL"),
        ({"west": {"encryption_set": "keys"}}, "locations.west.encryption_set", "named by its ARM id"),
        ({"west": {"subnet": KEYS}}, "locations.west.subnet", "a subnet is named by its ARM id, like /sub"),
        ({"west": {"sizes": {"D4": "Standard_D2"}}}, "locations.west.sizes.D4", "looks like Standard_D4s_v5"),
        ({"west": {"snapshot_access": "public"}}, "locations.west.snapshot_access",
         "it should be 'denied' or 'allowed' (found 'public')"),
        ({"west": {"zones": {1: "a"}}}, "locations.west.zones.1", "a zone is one digit, like 1 (found 'a')"),
        ({"daily": policy(home="West")}, "policies.daily.home", "small letters"),
        ({"daily": policy(backlog="all")}, "policies.daily.backlog", "'every' or 'newest' (found 'all')"),
        ({"daily": policy(unsupported_disks="skip")}, "policies.daily.unsupported_disks", "'refuse' or"),
        ({"daily": policy(most_pruned_percent=0)}, "policies.daily.most_pruned_percent", "greater than or"),
        ({"daily": policy(most_pruned_percent=101)}, "policies.daily.most_pruned_percent", "less than or"),
        ({"daily": policy(selector={"vms": ["web"]})}, "policies.daily.selector.vms", "no such field"),
        ({"daily": policy(selector={"tags": {"a/b": "c"}})}, "policies.daily.selector.tags.a/b", "none of <"),
    ],
)  # fmt: skip
def test_what_a_field_looks_like_is_said_in_words(parts, field, words):
    told = faults_of(file(**parts))
    assert words in told[field]
    assert not [message for message in told.values() if "pattern" in message or "^" in message]


@pytest.mark.parametrize(
    ("parts", "field", "words"),
    [
        ({"subscriptions": [{"id": ELSEWHERE}]}, "policies.daily.home",
         f"location 'west' is in subscription {HERE}, which is none of those that VMs are looked for in"),
        ({"north": {"subscription": ELSEWHERE, "encryption_set": KEYS}}, "locations.north.encryption_set",
         f"it is in subscription {HERE}, but the location is in {ELSEWHERE}"),
        ({"north": {"subscription": ELSEWHERE, "subnet": SUBNET}}, "locations.north.subnet",
         f"it is in subscription {HERE}, but the location is in {ELSEWHERE}"),
        ({"north": {"sizes": {"Standard_D4s_v5": "Standard_D2s_v5", "standard_d4s_v5": "Standard_D8s_v5"}}},
         "locations.north.sizes.standard_d4s_v5", "'Standard_D4s_v5' is the same size"),
        ({"daily": policy(selector={})}, "policies.daily.selector", "would protect every VM"),
        ({"daily": policy(selector={"tags": {"Env": "a", "env": "b"}})}, "policies.daily.selector.tags.env",
         "'Env' is the same tag"),
        ({"daily": policy(selector={"subscriptions": [ELSEWHERE]})}, "policies.daily.selector.subscriptions",
         f"VMs are not looked for in {ELSEWHERE}"),
        ({"subscriptions": [{"id": HERE}, {"id": ELSEWHERE}],
          "daily": policy(selector={"subscriptions": [HERE, ELSEWHERE]})},
         "policies.daily.selector.subscriptions", f"VMs in {ELSEWHERE} cannot be protected with the home"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(parts, field, words):
    told = faults_of(file(**parts))
    assert list(told) == [field]
    assert words in told[field]


WIDE = {"resource_groups": ["Web", "data"]}


@pytest.mark.parametrize(
    ("first", "second", "is_hidden"),
    [
        (WIDE, WIDE, True),
        (WIDE, {"resource_groups": ["web"], "tags": {"env": "production"}}, True),
        ({"subscriptions": [HERE]}, {"tags": {"env": "production"}, "subscriptions": [HERE.upper()]}, True),
        ({"tags": {"env": "test"}}, {"tags": {"Env": "test"}, "resource_groups": ["web"]}, True),
        ({"resource_groups": ["web"]}, WIDE, False),  # the narrower one first: all others are left for this
        (WIDE, {"resource_groups": ["web", "mail"]}, False),  # mail is left
        (WIDE, {"tags": {"env": "test"}}, False),
        ({"tags": {"env": "test"}}, {"tags": {"env": "production"}}, False),
        ({"tags": {"env": "test"}}, {"resource_groups": ["web"]}, False),
    ],
)
def test_a_selector_that_never_chooses_a_vm_is_a_fault(first, second, is_hidden):
    text = file(first=policy(selector=first), plain=policy(), second=policy(selector=second))
    if is_hidden:
        told = faults_of(text)
        assert list(told) == ["policies.second.selector"]
        assert "the selector of policy 'first' takes all these VMs" in told["policies.second.selector"]
    else:
        assert set(parse_policies(text).policies) == {"first", "plain", "second"}


def test_faults_of_a_schedule_stand_at_the_lines_of_their_fields():
    text = file(daily=policy(schedule={"cron": "* * * * *", "time_zone": "Berlin"}))
    with pytest.raises(InvalidInput, match="policies") as raised:
        parse_policies(text)
    lines = [line.strip() for line in text.splitlines()]
    assert [fault.field for fault in raised.value.faults] == [
        f"line {lines.index('time_zone: Berlin') + 1}, policies.daily.schedule.time_zone",
        f"line {lines.index(chr(39).join(['cron: ', '* * * * *', ''])) + 1}, policies.daily.schedule.cron",
    ]


def test_faults_of_form_and_of_meaning_are_told_in_one_go():
    text = file(
        west={"region": "West Europe"},
        north={"manifests": "https://west.blob.example/manifests"},
        daily=policy(
            schedule={"cron": "0 2 * *"}, backlog="all", keep_last={"west": 0, "north": 3, "south": 3}
        ),
        weekly=policy(recovery=["nroth"], regoin="here"),
    )
    assert list(faults_of(text)) == [
        "locations.west.region",
        "policies.daily.keep_last.west",
        "policies.daily.backlog",
        "policies.weekly.regoin",
        "locations.north.manifests",
        "policies.daily.schedule.cron",
        "policies.daily.keep_last.south",
        "policies.weekly.recovery",
        "policies.weekly.keep_last",
        "policies.weekly.keep_last.north",
    ]


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"west": {"subscription": 5}}, "locations.west.subscription"),  # so nobody knows where the home is
        ({"daily": policy(home=5)}, "policies.daily.home"),  # so nobody knows what keep_last may name
        ({"daily": policy(recovery="north")}, "policies.daily.recovery"),
        ({"daily": policy(recovery=["north", 5, 6])}, "policies.daily.recovery.1"),
        ({"daily": policy(keep_last={"west": 7, "north": "many"})}, "policies.daily.keep_last.north"),
        ({"daily": policy(schedule=5)}, "policies.daily.schedule"),
        ({"daily": policy(schedule={})}, "policies.daily.schedule.cron"),
        ({"subscriptions": [{"id": "one"}], "daily": policy(selector={"subscriptions": [HERE]})},
         "subscriptions.0.id"),
    ],
)  # fmt: skip
def test_a_fault_of_form_does_not_bring_others_that_are_none(parts, field):
    told = faults_of(file(**parts))
    assert field in told
    assert {each.rpartition(".")[0] for each in told} == {field.rpartition(".")[0]}


def test_a_location_that_is_nothing_is_the_only_fault_though_policies_name_it():
    text = file().replace("  west:\n", "  west: 5\n  other:\n", 1)
    assert list(faults_of(text)) == ["locations.west"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (file().encode().replace(b"daily", b"d\xe4ily"), "line 17", "this is not UTF-8"),
        (file().encode("utf-16"), "line 1", "this is not UTF-8"),
        ("policies: &all\n  daily: *all\n", "line 1, policies.daily", "an alias of what it stands in"),
        ("policies: &all\n  - [a, *all]\n", "line 1, policies.0.1", "an alias of what it stands in"),
        ("[" * 5000, "policies.yaml", "nested too deeply"),
        ("a: " + "{a: " * 900 + "1" + "}" * 900, "policies.yaml", "nested too deeply"),
        (
            "a0: &a0 [1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "policies.yaml",
            "more than 50000 fields",
        ),
    ],
    ids=["latin", "wide", "itself", "itself in a list", "deep", "deep and closed", "grows"],
)
def test_what_no_reader_could_finish_is_told_with_the_name_of_the_file(text, line, words):
    with pytest.raises(InvalidInput, match=r"^policies\.yaml: ") as raised:
        parse_policies(text)
    (fault,) = raised.value.faults
    assert fault.field == line
    assert words in fault.message


def test_a_mark_of_the_byte_order_and_anchors_do_no_harm():
    text = file().replace("keep_last:\n", "keep_last: &kept\n", 1)
    assert parse_policies(b"\xef\xbb\xbf" + text.encode()).policies["daily"].keep_last == {
        "west": 7,
        "north": 30,
    }
