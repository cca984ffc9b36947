"""Names, ids and keys: derived, legal, distinct, and back again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import names
from domain.copy_queues import CopyQueue
from domain.requests import BackupRequest, RestoreRequest
from tests.domain.samples import DAILY, NORTH, SLOT

# What Azure lets a VM or a disk be called, and some more.
resource_names = st.text(ascii_letters + digits + "._-", min_size=1, max_size=80) | st.text(
    st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80
)
vm_ids = resource_names.map(
    lambda name: f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}"
)
unique_ids = st.uuids().map(str)
moments = st.builds(
    datetime.fromtimestamp, st.floats(946_684_800, 7_000_000_000), st.just(UTC)
)  # 2000 to 2191
slots = moments.map(names.slot_of)
attempts = st.integers(1, 99)
points = st.builds(names.point_id, vm_ids.map(names.vm_key), slots, attempts)
location_names = st.from_regex(r"[a-z][a-z0-9-]{0,29}", fullmatch=True)

FORBIDDEN_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")  # azure-semantics.md §9
LEGAL_RESOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@given(vm_ids, slots, attempts)
def test_a_point_id_is_taken_apart_into_what_it_was_made_of(vm_id, slot, attempt):
    key = names.vm_key(vm_id)
    assert names.point_parts(names.point_id(key, slot, attempt)) == (key, slot, attempt)


@given(st.lists(st.tuples(slots, attempts), min_size=2, unique=True))
def test_rows_sort_newest_slot_first_and_in_it_newest_attempt_first(taken):
    keys = {names.point_row_key(*each): each for each in taken}
    assert len(keys) == len(taken)
    assert [keys[key] for key in sorted(keys)] == sorted(taken, reverse=True)


@given(st.lists(moments, unique=True))
def test_copies_sort_oldest_source_first(created):
    point = names.point_id("web-0123456789ab", SLOT, 1)
    keys = {names.copy_row_key(moment, point): moment for moment in created}
    assert [keys[key] for key in sorted(keys)] == sorted(created)


@given(points, resource_names, unique_ids, location_names, st.integers(1, 3))
def test_a_snapshot_name_is_legal(point, disk, unique_id, location, attempt):
    assert LEGAL_RESOURCE.fullmatch(names.snapshot_name(point, disk, unique_id, location, attempt))


@given(
    st.lists(
        st.tuples(points, resource_names, unique_ids, location_names, st.integers(1, 3)),
        min_size=2,
        unique_by=lambda each: (each[0], each[2], each[3], each[4]),
    )
)
def test_snapshots_of_other_points_disks_locations_or_attempts_have_other_names(wanted):
    # Without regard to case, as Azure compares names.
    assert len({names.snapshot_name(*each).lower() for each in wanted}) == len(wanted)


@pytest.mark.parametrize(
    "other",
    [
        ("web-0123456789ab~20261122T0200Z~2", "data", "a", "west", 1),  # the next attempt of the slot
        ("web-0123456789ab~20261122T0201Z~1", "data", "a", "west", 1),  # another slot
        ("api-0123456789ab~20261122T0200Z~1", "data", "a", "west", 1),  # another VM
        ("web-0123456789ab~20261122T0200Z~1", "data", "b", "west", 1),  # made again under the same name
        ("web-0123456789ab~20261122T0200Z~1", "data", "a", "north", 1),  # another location
        ("web-0123456789ab~20261122T0200Z~1", "data", "a", "west", 2),  # the next attempt of the copy
    ],
)
def test_one_difference_is_enough_for_another_snapshot_name(other):
    one = names.snapshot_name("web-0123456789ab~20261122T0200Z~1", "data", "a", "west", 1)
    assert names.snapshot_name(*other) != one


def test_a_snapshot_name_says_what_it_is():
    name = names.snapshot_name("web-0123456789ab~20261122T0200Z~1", "web_OsDisk", "a", "west")
    assert name.startswith("web-web_OsDisk-20261122T0200Z-1-")


@given(resource_names, unique_ids)
def test_a_restored_disks_name_is_legal(disk, unique_id):
    assert LEGAL_RESOURCE.fullmatch(names.restored_disk_name("20261122-" + "0" * 20, disk, unique_id))


def test_restored_disks_of_one_name_are_told_apart():
    operation = "20261122-" + "0" * 20
    one, other = (names.restored_disk_name(operation, "data", unique) for unique in ("a", "b"))
    assert one != other
    assert names.restored_disk_name("20261123-" + "0" * 20, "data", "a") != one


@given(vm_ids, resource_names, unique_ids, location_names, slots, attempts)
def test_keys_hold_nothing_that_a_table_forbids(vm_id, disk, unique_id, location, slot, attempt):
    vm, key = names.vm_key(vm_id), names.disk_key(disk, unique_id)
    point = names.point_id(vm, slot, attempt)
    keys = [vm, names.point_row_key(slot, attempt), names.copy_partition(key, location)]
    keys += [names.copy_row_key(slot, point), names.operation_id(slot, "who", "what")]
    assert not any(FORBIDDEN_IN_KEYS.search(each) or not each for each in keys)


@given(vm_ids, slots, attempts, resource_names, unique_ids, location_names)
def test_instance_ids_are_as_durable_functions_wants_them(vm_id, slot, attempt, disk, unique_id, location):
    queue = CopyQueue(names.disk_key(disk, unique_id), replace(NORTH, name=location))
    operation = names.operation_id(slot, "who", "what")
    instances = [
        BackupRequest(vm_id, slot, attempt, DAILY).instance,
        RestoreRequest(operation, "point", NORTH).instance,
        queue.instance,
    ]
    for instance in instances:
        # 1 to 100 printable ASCII characters without those that a URL or a table forbids.
        assert re.fullmatch(r"[!\"$-.0->A-\[\]-~][!-~]{0,99}", instance), instance
        assert not FORBIDDEN_IN_KEYS.search(instance)


@given(vm_ids)
def test_the_case_of_an_arm_id_does_not_matter(vm_id):
    # Only ASCII changes case between responses.
    swapped = "".join(each.swapcase() if each.isascii() else each for each in vm_id)
    assert names.vm_key(swapped) == names.vm_key(vm_id)


def test_vms_of_one_name_in_two_groups_have_two_keys():
    one, other = (
        names.vm_key(
            f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/web"
        )
        for group in ("a", "b")
    )
    assert one != other
    assert one[:4] == other[:4] == "web-"


def test_a_disk_made_again_under_its_name_has_another_key():
    assert names.disk_key("data", "a") != names.disk_key("data", "b")
    assert names.disk_key("DATA", "A") == names.disk_key("data", "a")


def test_a_slot_is_the_minute_in_utc():
    berlin = timezone(timedelta(hours=1))
    assert names.slot_of(datetime(2026, 11, 22, 3, 0, 59, 999, tzinfo=berlin)) == SLOT
    assert names.slot_text(datetime(2026, 11, 22, 3, 0, tzinfo=berlin)) == "20261122T0200Z"


@pytest.mark.parametrize("attempt", [0, 100, -1])
def test_an_attempt_beyond_two_digits_is_refused(attempt):
    with pytest.raises(ValueError, match="outside 1 to 99"):
        names.point_id("web-0123456789ab", SLOT, attempt)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "web",
        "web-0123456789ab~20261122T0200Z",  # no attempt
        "web-0123456789ab~20261122T0200Z~0",
        "web-0123456789ab~20261122T0200Z~01",  # the same point would have two ids
        "web-0123456789ab~20261122T0200Z~100",
        "web-0123456789ab~20261322T0200Z~1",  # no such month
        "web-0123456789ab~20261122T2500Z~1",
        "web-0123456789ab~2026-11-22T02:00Z~1",
        "web-0123456789AB~20261122T0200Z~1",
        "web-0123456789a~20261122T0200Z~1",
        "we/b-0123456789ab~20261122T0200Z~1",
        "we'b-0123456789ab~20261122T0200Z~1",  # would end a string in a query
        "web-0123456789ab~\u0662\u0660\u0662\u0666\u0661\u0661\u0662\u0662T0200Z~1",  # digits, but not ours
        "web-0123456789ab~20261122T0200Z~1\n",
    ],
)
def test_what_is_no_point_id_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="is not a restore point id"):
        names.point_parts(wrong)


@given(slots, st.text(min_size=1), st.text())
def test_an_operation_id_gives_its_day(now, one, other):
    operation = names.operation_id(now, one, other)
    assert names.operation_day(operation) == f"{now:%Y%m%d}"
    assert operation == names.operation_id(now, one, other)


@pytest.mark.parametrize(
    "wrong", ["", "20261122", "20261122-XYZ", "20261122-" + "0" * 21, "2026112/-" + "0" * 20]
)
def test_what_is_no_operation_id_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="is not an operation id"):
        names.operation_day(wrong)
