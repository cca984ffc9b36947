"""Faults of a request are told in words, with what was found; a field that stands twice is one."""

from __future__ import annotations

import pytest

from tests.triggers.test_bad_input import UNKNOWN, faults, refused


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"vm": "KEY", "policy": "daily", "policy": "daily"}', "policy"),
        ('{"vm": "KEY", "vm": "KEY"}', "vm"),
        ('{"vm": "KEY", "v\\u006d": "KEY"}', "vm"),  # the same name, written differently
    ],
)
def test_a_field_that_stands_twice_is_a_fault_although_both_are_well_formed(api, body, field):
    vm = api.add_vm("web")
    answer = refused(api, "POST", "backups", body.replace("KEY", vm).encode())
    assert answer.status == 400
    assert faults(answer) == {field: "this field stands twice; send it once"}


def test_a_name_within_a_field_that_stands_twice_is_a_fault(api):
    body = b'{"vm": "web-0123456789ab", "keepLast": {"west": 1, "west": 9}}'
    assert faults(refused(api, "POST", "retention/preview", body)) == {
        "west": "this field stands twice; send it once"
    }


@pytest.mark.parametrize(
    ("path", "body", "key", "told"),
    [
        (
            "restores",
            {"restorePoint": f"{UNKNOWN}~20261122T0200Z~1", "location": "west", "disks": []},
            None,
            {"disks": "it should have at least 1 item; found none"},
        ),
        (
            "backups",
            {"vm": UNKNOWN},
            "x" * 300,
            {"Idempotency-Key": "it should have at most 256 characters; found 300"},
        ),
        (
            "backups",
            {"vm": UNKNOWN},
            "",
            {"Idempotency-Key": "it should have at least 1 character; found none"},
        ),
        (
            "restores",
            {"vm": UNKNOWN, "location": "west", "what": "x" * 100},
            None,
            {"what": f"it should be 'disks' or 'vm'; found '{'x' * 59}… (102 characters in all)"},
        ),
        (
            "retention/preview",
            {"vm": UNKNOWN, "keepLast": {"mars": 1}},
            None,
            {"keepLast.mars": "there is no location 'mars'; known are north, west"},
        ),
    ],
)
def test_faults_are_told_in_words_and_with_what_was_found(api, path, body, key, told):
    headers = {} if key is None else {"Idempotency-Key": key}
    assert faults(refused(api, "POST", path, body, headers=headers)) == told
