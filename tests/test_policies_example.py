"""The policies.yaml that is shipped as an example: it can be used, and whoever spoils it is told where."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from domain.errors import InvalidInput
from domain.policy import Scope
from domain.policy_file import parse_policies
from domain.policy_forms import (
    FileForm,
    LocationForm,
    PolicyForm,
    ScheduleForm,
    SelectorForm,
    SubscriptionForm,
)

TEXT = (Path(__file__).parents[1] / "policies.yaml").read_text(encoding="utf-8")


def line_of(fragment: str) -> int:
    """Return the number of the first line of the example that holds a fragment."""
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if fragment in line)


def faults_of(text: str) -> list[str]:
    with pytest.raises(InvalidInput, match=r"^policies\.yaml: ") as raised:
        parse_policies(text)
    return [str(fault) for fault in raised.value.faults]


def spoiled(fragment: str, instead: str) -> str:
    assert TEXT.count(fragment) >= 1, f"the example has no {fragment!r} any more"
    return TEXT.replace(fragment, instead, 1)


def test_the_example_says_what_its_comments_say():
    found = parse_policies(TEXT)
    daily = found.policies["daily"]
    here = "11111111-1111-1111-1111-111111111111"
    assert found.scopes == (Scope(here, "production"), Scope(here, "databases"))
    assert (daily.schedule.cron, daily.schedule.time_zone) == ("0 2 * * *", "Europe/Berlin")
    assert daily.home.region == "westeurope"
    assert [location.name for location in daily.recovery] == ["north"]
    assert daily.keep_last == {"west": 7, "north": 30}
    assert daily.max_skew == timedelta(seconds=60)
    assert found.locations["north"].group_id.endswith("/resourceGroups/tidemark-snapshots-north")
    north = found.locations["north"]
    assert (north.zones, north.sizes) == ({"1": "2"}, {"Standard_D4s_v5": "Standard_D4as_v5"})
    assert (north.subnet_id or "").endswith("/subnets/servers")
    assert (north.encryption_set_id or "").endswith("/diskEncryptionSets/recovery")
    assert found.policies["databases"].selector is not None


def test_the_example_names_every_field_there_is_and_the_defaults_that_it_tells():
    data = yaml.safe_load(TEXT)
    daily, databases = data["policies"]["daily"], data["policies"]["databases"]
    shown = {
        FileForm: data,
        SubscriptionForm: data["subscriptions"][0],
        LocationForm: data["locations"]["north"] | data["locations"]["vault"],
        ScheduleForm: daily["schedule"],
        SelectorForm: databases["selector"],
        PolicyForm: daily | databases,
    }
    for form, given in shown.items():
        assert set(given) == {each.name for each in fields(form)}
    assert data["locations"]["north"]["snapshot_access"] == LocationForm().snapshot_access
    defaults = PolicyForm()
    for name in ("max_skew_seconds", "backlog", "unsupported_disks", "most_pruned_percent"):
        assert daily[name] == getattr(defaults, name)


@pytest.mark.parametrize(
    ("fragment", "instead", "where", "what"),
    [
        ("region: westeurope", "regoin: westeurope", "locations.west.regoin", "there is no such field"),
        ("    region: westeurope\n", "", "locations.west.region", "this field is missing"),
        ("region: westeurope", "region: West Europe", "locations.west.region", "found 'West Europe'"),
        ("region: westeurope", "region: 5", "locations.west.region", "valid string"),
        (
            "https://tidemarkwest.blob.core.windows.net/manifests",
            "tidemarkwest",
            "locations.west.manifests",
            "found 'tidemarkwest'",
        ),
        (
            "https://tidemarknorth.blob.core.windows.net/manifests",
            "https://tidemarkwest.blob.core.windows.net/another-container",
            "locations.north.manifests",
            "location 'west' keeps its manifests in that storage account",
        ),
        ("  north:\n", "  North_1:\n", "locations.North_1", "found 'North_1'"),
        ("home: west", "home: wets", "policies.daily.home", "no location 'wets'; the file has west, north"),
        ("recovery: [north]", "recovery: [south]", "policies.daily.recovery", "no location 'south'"),
        ("recovery: [north]", "recovery: north", "policies.daily.recovery", "this must be a list"),
        ("recovery: [north]", "recovery: [north, west]", "policies.daily.recovery", "named twice"),
        ("      north: 30\n", "", "policies.daily.keep_last", "how many points location 'north' keeps"),
        ("north: 30", "north: 0", "policies.daily.keep_last.north", "greater than or equal to 1 (found 0)"),
        ("north: 30", "north: 451", "policies.daily.keep_last.north", "less than or equal to 450"),
        ("north: 30", "north: many", "policies.daily.keep_last.north", "valid integer (found 'many')"),
        ("north: 30", "north: 30\n      south: 3", "keep_last.south", "does not use this location"),
        ('cron: "0 2 * * *"', 'cron: "0 2 * *"', "policies.daily.schedule.cron", "has not five fields"),
        (
            'cron: "0 2 * * *"',
            'cron: "*/5 * * * *"',
            "policies.daily.schedule.cron",
            "the least is 15 minutes",
        ),
        ("Europe/Berlin", "Berlin", "policies.daily.schedule.time_zone", "'Berlin' is not an IANA time zone"),
    ],
)
def test_a_fault_is_named_with_its_line_and_its_field(fragment, instead, where, what):
    # A misspelt name has consequences (the right one is missing), so there may be further faults.
    told = [fault for fault in faults_of(spoiled(fragment, instead)) if f"{where}: " in fault]
    assert len(told) == 1
    assert what in told[0]
    numbers = re.findall(r"^line (\d+), ", told[0])
    # Where a field is missing, the line of what it is missing from is the best there is.
    assert abs(int(numbers[0]) - line_of(fragment.strip())) <= 2


def test_all_faults_are_told_at_once():
    text = spoiled("region: westeurope", "region: West Europe").replace("north: 30", "north: 0")
    assert len(faults_of(text)) == 2


def test_two_locations_cannot_have_the_same_page_blobs():
    pages = "    method: pages\n    pages: https://TidemarkReplicas.blob.core.windows.net/replicas\n"
    [told] = faults_of(TEXT.replace("  vault:\n", f"{pages}  vault:\n", 1))
    assert "locations.vault.pages: location 'north' keeps its page blobs in that container" in told


def test_page_blobs_do_not_lie_among_manifests():
    pages = "pages: https://tidemarkreplicas.blob.core.windows.net/replicas"
    manifests = "pages: https://TidemarkNorth.blob.core.windows.net/manifests"
    [told] = faults_of(TEXT.replace(pages, manifests, 1))
    assert "locations.vault.pages: location 'north' keeps its manifests in that container" in told


def test_a_signature_that_was_put_behind_a_container_is_not_told():
    container = "https://tidemarkreplicas.blob.core.windows.net/replicas"
    [told] = faults_of(TEXT.replace(container, f"{container}?sv=2024-11-04&sig=c2VjcmV0", 1))
    assert "TIDEMARK_SAS_<identity>_<account>" in told
    assert "c2VjcmV0" not in told


def test_a_field_that_stands_twice_is_told_with_its_second_line():
    text = spoiled("home: west", "home: north\n    home: west")
    assert faults_of(text) == [
        f"line {line_of('home: west') + 1}, policies.daily.home: this field stands twice"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "policies.yaml: the file is empty"),
        ("# nothing but a comment\n", "policies.yaml: the file is empty"),
        ("policies:\n  daily: [\n", "line 3: this is not YAML"),
        ("policies:\n\tdaily: 1\n", "line 2: this is not YAML"),
        ("- a\n- list\n", "line 1, the file: this must have fields of its own"),
        ("locations: west\n", "line 1, locations: this must have names of its own"),
        ("locations: {}\n", "line 1, locations: "),
        ("? [a, list]\n: as a key\n", "line 1: this is not YAML"),
        ("when: 2026-13-45\n", "this is not YAML: month must be in 1..12"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1: this is not YAML"),  # never executed
        ("---\na: 1\n---\nb: 2\n", "this is not YAML"),
    ],
)
def test_what_is_not_a_policy_file_is_told(text, fault):
    assert any(fault in told for told in faults_of(text))
