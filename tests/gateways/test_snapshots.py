"""Snapshots through the real SDK against the simulated cloud.

What the simulated cloud does is held to azure-semantics.md by its own tests; these hold the gateway to it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import copies_of
from domain.errors import Absent, Conflicting, Refused, Transient
from domain.policy import SnapshotAccess
from tests.gateways.simulated import START


def test_a_snapshot_is_begun_taken_and_found_with_its_tags(azure, web):
    point = azure.taken(web)
    assert point.is_available, point.failure
    for part in point.disks:
        snapshot = azure.found(part.snapshot_id)
        assert (snapshot.source_id, snapshot.source_unique_id) == (part.disk.id, part.disk.unique_id)
        assert snapshot.size_bytes == part.disk.size_bytes
        assert snapshot.created is not None
        assert START <= snapshot.created < azure.clock.now()
        assert snapshot.percent is None  # a standard or premium disk's is whole at once
        assert snapshot.tags["tidemark-point"] == point.id


def test_a_snapshot_that_was_only_begun_is_not_usable_yet(azure, web):
    vm = azure.machines.describe(web.id)
    begun = azure.snapshots.begin(azure.west.snapshot_id("one"), vm.disks[0].id, azure.west, {})
    assert not begun.is_taken
    assert not begun.is_usable
    assert begun.failure is None


def test_beginning_a_snapshot_twice_takes_one(azure, web):
    point = azure.taken(web)
    part = point.disks[0]
    before = azure.found(part.snapshot_id)
    web.disk("os").image.write(0, b"later")
    assert azure.begin(point, part) == before
    azure.pass_time()
    assert azure.found(part.snapshot_id) == before


def test_a_snapshot_of_another_disk_under_the_name_is_refused(azure, web):
    os, data = azure.machines.describe(web.id).disks
    name = azure.west.snapshot_id("one")
    azure.snapshots.begin(name, os.id, azure.west, {})
    with pytest.raises(Refused, match=r"exists, but was made of .*web-os instead of .*web-data") as refused:
        azure.snapshots.begin(name, data.id, azure.west, {})
    assert refused.value.code == "NameTaken"


def test_a_snapshot_whose_disk_is_gone_or_whose_group_is_missing_is_refused(azure, web):
    with pytest.raises(Refused):
        azure.snapshots.begin(azure.west.snapshot_id("one"), web.disk("os").id + "-gone", azure.west, {})
    nowhere = replace(azure.west, resource_group="nowhere")
    with pytest.raises(Absent, match="nowhere") as absent:
        azure.snapshots.begin(nowhere.snapshot_id("one"), web.disk("os").id, azure.west, {})
    assert absent.value.code == "ResourceGroupNotFound"


@pytest.mark.parametrize(
    ("access", "told"),
    [
        (SnapshotAccess.DENIED, ("DenyAll", "Disabled")),
        (SnapshotAccess.ALLOWED, ("AllowAll", "Enabled")),
    ],
)
def test_a_snapshot_and_its_copy_may_be_read_as_their_locations_say(azure, web, access, told):
    west, north = (replace(each, snapshot_access=access) for each in (azure.west, azure.north))
    taken, copied = west.snapshot_id("taken"), north.snapshot_id("copied")
    azure.snapshots.begin(taken, web.disk("os").id, west, {})
    azure.pass_time()
    azure.snapshots.begin_copy(copied, taken, north, {})
    azure.pass_time(600)
    assert azure.found(copied).percent == 100
    for snapshot in (taken, copied):
        properties = azure.snapshot_model(snapshot)["properties"]
        assert (properties["networkAccessPolicy"], properties["publicNetworkAccess"]) == told


@pytest.mark.parametrize("after_executing", [False, True])
def test_a_write_without_an_answer_may_be_repeated(azure, web, after_executing):
    azure.cloud.faults.drop("PUT", "/snapshots/", after_executing=after_executing)
    disk, name = web.disk("os").id, azure.west.snapshot_id("one")
    with pytest.raises(Transient):
        azure.snapshots.begin(name, disk, azure.west, {"a": "b"})
    azure.snapshots.begin(name, disk, azure.west, {"a": "b"})
    azure.pass_time()
    assert azure.found(name).is_usable


def test_throttling_is_told_with_its_time(azure, web):
    azure.cloud.faults.fail("PUT", "/snapshots/", status=429, retry_after=1200)
    with pytest.raises(Transient) as told:
        azure.snapshots.begin(azure.west.snapshot_id("one"), web.disk("os").id, azure.west, {})
    assert told.value.retry_after == timedelta(minutes=20)


def test_a_snapshot_whose_operation_failed_says_so(azure, web):
    azure.cloud.faults.fail_operation("PUT", "/snapshots/")
    name = azure.west.snapshot_id("one")
    azure.snapshots.begin(name, web.disk("os").id, azure.west, {})
    azure.pass_time()
    assert azure.found(name).failure == "Azure reports the snapshot 'one' as Failed"


def test_a_copy_is_usable_only_when_all_of_it_is_there(azure, web):
    web.disk("data").image.write(0, b"x" * 4096)
    point = azure.taken(web)
    copy = copies_of(point)[1]
    target = azure.north.snapshot_id(copy.target_name)
    azure.snapshots.begin_copy(target, copy.source_id, azure.north, {})
    azure.pass_time(10)  # the operation has succeeded; the data is still on its way
    underway = azure.found(target)
    assert underway.is_taken
    assert not underway.is_usable
    assert underway.percent is not None
    azure.pass_time(3600)
    assert azure.found(target).is_usable
    assert azure.found(target).percent == 100.0


def test_beginning_a_copy_twice_makes_one(azure, web):
    copy = copies_of(azure.taken(web))[0]
    target = azure.north.snapshot_id(copy.target_name)
    azure.snapshots.begin_copy(target, copy.source_id, azure.north, {})
    azure.pass_time(3600)
    before = azure.found(target)
    assert azure.snapshots.begin_copy(target, copy.source_id, azure.north, {}) == before
    other = copies_of(azure.taken(web))[1]
    with pytest.raises(Refused, match="exists, but was made of"):
        azure.snapshots.begin_copy(target, other.source_id, azure.north, {})


def test_a_copy_in_the_way_of_another_one_is_a_conflict_and_nothing_is_begun(azure, web):
    sources = [azure.west.snapshot_id(name) for name in ("older", "newer")]
    for source in sources:
        azure.snapshots.begin(source, web.disk("data").id, azure.west, {})
        azure.pass_time()
    older, newer = (azure.north.snapshot_id(name) for name in ("older-copy", "newer-copy"))
    azure.snapshots.begin_copy(older, sources[0], azure.north, {})
    with pytest.raises(Conflicting, match="newer-copy"):
        azure.snapshots.begin_copy(newer, sources[1], azure.north, {})
    assert azure.snapshots.find(newer) is None


@pytest.mark.parametrize(
    "encryption",
    [None, "EncryptionAtRestWithCustomerKey", "EncryptionAtRestWithPlatformAndCustomerKeys"],
)
def test_a_copy_gets_the_locations_encryption_set_only_where_the_disk_has_a_key_of_its_own(
    azure, web, encryption
):
    copy = copies_of(azure.taken(web))[0]
    target = azure.north.snapshot_id(copy.target_name)
    with_both = encryption == "EncryptionAtRestWithPlatformAndCustomerKeys"
    keys = azure.cloud.add_disk_encryption_set("keys", "northeurope", "keys", with_platform_key=with_both)
    north = replace(azure.north, encryption_set_id=keys)
    azure.snapshots.begin_copy(target, copy.source_id, north, {}, encryption)
    azure.pass_time(3600)
    told = azure.snapshot_model(target)["properties"]["encryption"]
    if encryption:
        assert told == {"type": encryption, "diskEncryptionSetId": north.encryption_set_id}
    else:
        assert told == {"type": "EncryptionAtRestWithPlatformKey"}
