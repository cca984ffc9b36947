"""Disk encryption sets, and the disks and snapshots that name them (azure-semantics §5)."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from simulator.world_handles import DiskSpec
from tests.simulator.conftest import GIB, HOME, RECOVERY, code_of, disk_body, snapshot_body

CUSTOMER = "EncryptionAtRestWithCustomerKey"
BOTH = "EncryptionAtRestWithPlatformAndCustomerKeys"
PLATFORM = "EncryptionAtRestWithPlatformKey"


@pytest.fixture
def key(azure):
    return azure.cloud.add_disk_encryption_set("key", HOME, "production")


@pytest.fixture
def both(azure):
    return azure.cloud.add_disk_encryption_set("both", HOME, "production", with_platform_key=True)


def encrypted(key, kind=None):
    return disk_body(None, encryption={"diskEncryptionSetId": key, **({"type": kind} if kind else {})})


def ask_for_a_disk(azure, key):
    return azure.make_disk("d1", encrypted(key))


def ask_for_a_snapshot(azure, key):
    return azure.take("s1", encryption={"diskEncryptionSetId": key})


def free_disk(azure, name="free"):
    return azure.cloud.add_disk(name, HOME, "production", GIB)


def patch(azure, name, **properties):
    return azure.sdk.disks.begin_update("production", name, {"properties": properties}).result()


def test_a_set_can_be_looked_at_and_listed(azure, key, both):
    found = azure.sdk.disk_encryption_sets.get("production", "key")
    assert (found.id, found.location, found.encryption_type) == (key, HOME, CUSTOMER)
    assert azure.sdk.disk_encryption_sets.get("production", "both").encryption_type == BOTH
    assert [each.name for each in azure.sdk.disk_encryption_sets.list()] == ["both", "key"]
    with pytest.raises(ResourceNotFoundError):
        azure.sdk.disk_encryption_sets.get("production", "none")


def test_a_disk_has_the_type_of_its_set(azure, key, both):
    """hashicorp/terraform-provider-azurerm pull request 14218: the set decides."""
    for name, of in ("one", key), ("two", both):
        made = azure.make_disk(name, encrypted(of))
        set_type = azure.sdk.disk_encryption_sets.get("production", of.rsplit("/", 1)[-1]).encryption_type
        assert (made.encryption.type, made.encryption.disk_encryption_set_id) == (set_type, of)


@pytest.mark.parametrize("ask", [ask_for_a_disk, ask_for_a_snapshot])
def test_a_set_that_does_not_exist_is_refused(azure, ask):
    """Azure/azure-cli issue 18355 has the words."""
    missing = azure.id("diskEncryptionSets", "none")
    with pytest.raises(HttpResponseError) as raised:
        ask(azure, missing)
    assert (raised.value.status_code, code_of(raised)) == (400, "BadRequest")
    assert f"DiskEncryptionSet '{missing}' was not found." in str(raised.value)


def test_what_is_no_set_is_refused(azure):
    with pytest.raises(HttpResponseError, match="not the id of a disk encryption set") as raised:
        azure.make_disk("d1", encrypted(azure.web.disk("os").id))
    assert code_of(raised) == "InvalidParameter"


@pytest.mark.parametrize(
    ("encryption", "words"),
    [
        (
            {"type": PLATFORM, "diskEncryptionSetId": "key"},
            "encrypted with platform key has disk encryption set",
        ),
        ({"type": CUSTOMER}, "encryption.diskEncryptionSetId"),
        ({"type": BOTH}, "encryption.diskEncryptionSetId"),
        ({"type": "Rot13"}, "encryption.type"),
    ],
)
def test_type_and_set_fit_together(azure, key, encryption, words):
    """Azure/azure-cli pull request 22484 has the words of the first."""
    if "diskEncryptionSetId" in encryption:
        encryption = {**encryption, "diskEncryptionSetId": key}
    with pytest.raises(HttpResponseError, match=words) as raised:
        azure.make_disk("d1", disk_body(None, encryption=encryption))
    assert code_of(raised) == "InvalidParameter"


@pytest.mark.parametrize("kind", [CUSTOMER, BOTH])
def test_the_type_is_that_of_the_set(azure, key, both, kind):
    """Own code."""
    with pytest.raises(HttpResponseError) as raised:
        azure.make_disk("d1", encrypted(both if kind == CUSTOMER else key, kind))
    assert (raised.value.status_code, code_of(raised)) == (400, "SimulatorEncryptionMismatch")


def test_a_set_serves_its_own_region_and_subscription(azure):
    """§5: set, disk and snapshot in the same subscription and region. Own code."""
    other = azure.cloud.add_subscription()
    away = azure.cloud.add_disk_encryption_set("key", RECOVERY, "recovery")
    foreign = azure.cloud.add_disk_encryption_set("key", HOME, "keys", subscription=other)
    for unfit in away, foreign:
        with pytest.raises(HttpResponseError) as raised:
            azure.make_disk("d1", encrypted(unfit))
        assert code_of(raised) == "SimulatorEncryptionMismatch"


def test_a_snapshot_and_its_disk_take_over_the_key(azure, key):
    disk = azure.make_disk("secret", encrypted(key))
    snapshot = azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id)).result()
    restored = azure.make_disk("restored", disk_body(snapshot.id))
    for each in snapshot, restored:
        assert (each.encryption.type, each.encryption.disk_encryption_set_id) == (CUSTOMER, key)


def test_a_disk_from_an_encrypted_snapshot_cannot_do_without(azure, key):
    """§5: it cannot be turned off later. Own code."""
    disk = azure.make_disk("secret", encrypted(key))
    snapshot = azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id)).result()
    with pytest.raises(HttpResponseError) as raised:
        azure.make_disk("d1", disk_body(snapshot.id, encryption={"type": PLATFORM}))
    assert code_of(raised) == "SimulatorEncryptionMismatch"


class TestChanging:
    def test_a_free_disk_gets_a_key_and_another_one_and_never_none(self, azure, key, both):
        free_disk(azure)
        for of, kind in (key, CUSTOMER), (both, BOTH):
            assert patch(azure, "free", encryption={"diskEncryptionSetId": of}).encryption.type == kind
        with pytest.raises(ResourceExistsError) as raised:
            patch(azure, "free", encryption={"type": PLATFORM})
        assert code_of(raised) == "SimulatorEncryptionMismatch"

    def test_a_disk_of_a_running_machine_keeps_its_key(self, azure, key):
        with pytest.raises(ResourceExistsError, match="attached to running VM") as raised:
            patch(azure, "web-data", encryption={"diskEncryptionSetId": key})
        assert code_of(raised) == "OperationNotAllowed"
        azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
        assert patch(azure, "web-data", encryption={"diskEncryptionSetId": key}).encryption.type == CUSTOMER

    def test_a_disk_with_incremental_snapshots_keeps_its_key(self, azure, key):
        disk = free_disk(azure)
        azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id)).result()
        with pytest.raises(ResourceExistsError) as raised:
            patch(azure, "free", encryption={"diskEncryptionSetId": key})
        assert code_of(raised) == "SimulatorEncryptionMismatch"

    def test_what_it_has_may_be_said_again(self, azure, key):
        azure.make_disk("secret", encrypted(key))
        said = json.loads(azure.ask("GET", azure.id("disks", "secret")).body)["properties"]["encryption"]
        azure.sdk.snapshots.begin_create_or_update(
            "production", "s1", snapshot_body(azure.id("disks", "secret"))
        ).result()
        assert patch(azure, "secret", encryption=said).encryption.disk_encryption_set_id == key


@pytest.mark.parametrize("kind", [CUSTOMER, BOTH])
def test_the_world_has_no_disk_of_a_set_that_is_not_there(azure, kind):
    missing = azure.id("diskEncryptionSets", "none")
    spec = DiskSpec(GIB, properties={"encryption": {"type": kind, "diskEncryptionSetId": missing}})
    with pytest.raises(ValueError, match="add_disk_encryption_set"):
        azure.cloud.add_disk("secret", HOME, "production", spec)
