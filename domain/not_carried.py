"""What of a VM and its disks a restore cannot bring back, each with the reason: never dropped in silence.

Known settings have a reason of their own; whatever else the recorded configuration holds is listed as well,
so that a setting that Azure adds tomorrow does not vanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.manifests import Manifest
from domain.placement import is_home, sku_there, zones_there
from domain.policy import Location
from domain.requests import RestoreRequest
from domain.restored_machines import CAPABILITIES_CARRIED, SECURITY_CARRIED, purchase_plan
from domain.restores import is_wanted
from domain.tags import tags_left_behind
from domain.vms import POLICY_TAG, Disk

_ELSEWHERE = "it belongs to the place where the VM was; put the VM into one of the new place, if you have one"
_SPOT = "a VM that is brought back must not be evicted; it is an ordinary one"
_REASONS = {
    "availabilitySet": _ELSEWHERE,
    "virtualMachineScaleSet": _ELSEWHERE,
    "proximityPlacementGroup": _ELSEWHERE,
    "host": _ELSEWHERE,
    "hostGroup": _ELSEWHERE,
    "capacityReservation": _ELSEWHERE,
    "platformFaultDomain": _ELSEWHERE,
    "extendedLocation": _ELSEWHERE,
    "priority": _SPOT,
    "evictionPolicy": _SPOT,
    "billingProfile": _SPOT,
    "osProfile": "Azure takes none with disks that are attached: host name, accounts and keys are as they "
    "are on the OS disk; patching by Azure must be set again",
    "identity": "an identity may be lost with its region, one of the VM's own comes with another principal, "
    "and rights must not follow unasked; assign the identity again",
}
_UNKNOWN = "a restore does not set it; set it by hand"
_CARRIED = {  # or brought back by a rule of its own, or written by Azure alone
    "hardwareProfile", "storageProfile", "networkProfile", "securityProfile", "diagnosticsProfile",
    "licenseType", "additionalCapabilities", "provisioningState", "vmId", "timeCreated", "instanceView",
}  # fmt: skip
_CARRIED_BESIDE = {
    "id", "name", "type", "location", "tags", "zones", "plan", "properties", "resources", "etag", "managedBy",
}  # fmt: skip


@dataclass(frozen=True)
class NotCarried:
    """One thing that was there and is not brought back."""

    what: str
    why: str


def not_carried(request: RestoreRequest, manifest: Manifest) -> list[NotCarried]:
    """List what a restore leaves behind."""
    found: list[NotCarried] = []
    for part in manifest.disks:
        if is_wanted(part.disk, request.disks):
            found += _of_disk(part.disk, request.location)
    found.append(NotCarried("network access of the disks", "they are closed to export; open them if need be"))
    if request.is_for_vm:
        found += _of_machine(request, manifest)
    return found


def _of_disk(disk: Disk, location: Location) -> Iterator[NotCarried]:
    name = f"disk '{disk.name}'"
    if len(zones_there(disk.zones, disk.region, location)) < len(disk.zones):
        yield NotCarried(f"zone {', '.join(disk.zones)} of {name}", _unmapped(location))
    if sku_there(disk, location) != disk.sku:
        why = f"location '{location.name}' maps no zones, so it may have none"
        yield NotCarried(f"sku {disk.sku} of {name}", f"{why}; the disk is {sku_there(disk, location)}")
    if (disk.traits.get("encryptionSettingsCollection") or {}).get("enabled"):
        yield NotCarried(f"keys of Azure Disk Encryption of {name}", _guest_keys(disk, location))
    for tag in tags_left_behind(disk.tags):
        yield _tag(tag, f" of {name}")


def _of_machine(request: RestoreRequest, manifest: Manifest) -> Iterator[NotCarried]:
    model, location = manifest.vm.model, request.location
    properties = model.get("properties", {})
    for name in sorted((set(properties) - _CARRIED) | (set(model) - _CARRIED_BESIDE)):
        if properties.get(name) or model.get(name):
            yield NotCarried(name, _REASONS.get(name, _UNKNOWN))
    yield from _of_parts(properties)
    yield from _of_storage(manifest, properties.get("storageProfile", {}))
    zones = tuple(model.get("zones") or ())
    if len(zones_there(zones, manifest.vm.region, location)) < len(zones):
        yield NotCarried(f"zone {', '.join(zones)} of the VM", _unmapped(location))
    for extension in model.get("resources") or ():
        why = "it is not installed again; what it put on the disks is there"
        yield NotCarried(f"extension {extension.get('name')}", why)
    for tag in tags_left_behind(manifest.vm.tags):
        yield _tag(tag, " of the VM")
    yield from _of_surroundings(properties, purchase_plan(manifest), request)


def _of_parts(properties: Mapping[str, Any]) -> Iterator[NotCarried]:
    """List the parts of settings of which only some are asked for again."""
    for name, carried in (
        ("hardwareProfile", ("vmSize",)),
        ("securityProfile", SECURITY_CARRIED),
        ("additionalCapabilities", CAPABILITIES_CARRIED),
        ("diagnosticsProfile", ("bootDiagnostics",)),
    ):
        there = properties.get(name) or {}
        for part in sorted(set(there) - set(carried)):
            if there[part]:
                yield NotCarried(f"{name}.{part}", _UNKNOWN)
    boot = (properties.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}
    if boot.get("storageUri"):
        why = "an account may be lost with its region; the boot log goes to storage that Azure manages"
        yield NotCarried("diagnosticsProfile.bootDiagnostics.storageUri", why)


def _of_storage(manifest: Manifest, storage: Mapping[str, Any]) -> Iterator[NotCarried]:
    if storage.get("imageReference"):
        why = "a VM of disks that are attached has none; it cannot be made anew from its image"
        yield NotCarried("storageProfile.imageReference", why)
    if manifest.vm.has_ephemeral_os_disk:
        yield NotCarried("the OS disk", "Azure takes no snapshot of an ephemeral one")
    held = {part.disk.id.lower() for part in manifest.disks}
    for disk in manifest.vm.disks:
        if disk.id.lower() not in held:
            yield NotCarried(f"disk '{disk.name}'", "the restore point does not hold it")
    for entry in (storage.get("osDisk", {}), *storage.get("dataDisks", [])):
        yield from _of_attachment(entry)


def _of_attachment(entry: Mapping[str, Any]) -> Iterator[NotCarried]:
    name = f"disk '{entry.get('name')}'"
    if entry.get("deleteOption") == "Delete":
        yield NotCarried(f"deleteOption of {name}", "a disk that was brought back is not deleted with its VM")
    if (entry.get("encryptionSettings") or {}).get("enabled"):
        why = "the VM is not told where the keys are; they must be in a key vault of its region"
        yield NotCarried(f"encryptionSettings of {name}", why)
    if (entry.get("managedDisk") or {}).get("securityProfile"):
        yield NotCarried(f"securityProfile of {name}", "it follows from the disk itself")


def _of_surroundings(
    properties: Mapping[str, Any], plan: Mapping[str, Any] | None, request: RestoreRequest
) -> Iterator[NotCarried]:
    """List what belongs to a VM and is not in its configuration: nobody can say what of it there was."""
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaces") or []
    names = ", ".join(each["id"].rsplit("/", 1)[-1] for each in interfaces)
    yield NotCarried(
        f"network interfaces: {names or 'none recorded'}",
        f"the VM gets one new interface, with a new address, in {request.location.subnet_id}; public "
        "addresses, security groups, load balancers, accelerated networking and DNS must be set again",
    )
    if plan:
        yield NotCarried(
            f"marketplace terms of plan {plan.get('name')}",
            f"a subscription accepts them; see that {request.location.subscription} has",
        )
    for what in (
        "role assignments and locks",
        "alerts, diagnostic settings and the settings of other backups",
        "user data and settings of extensions",
    ):
        yield NotCarried(what, "the recorded configuration of a VM does not tell whether there were any")


def _tag(tag: str, owner: str) -> NotCarried:
    if tag.lower() == POLICY_TAG:
        why = "it would be backed up from its first minute on; set the tag once it takes over for good"
    elif tag.lower().startswith("tidemark-"):
        why = "what is brought back says of itself what it is"
    else:
        why = "Azure takes no more tags of one resource"
    return NotCarried(f"tag {tag}{owner}", why)


def _unmapped(location: Location) -> str:
    return f"location '{location.name}' does not say which zone stands for it, so it is in none"


def _guest_keys(disk: Disk, location: Location) -> str:
    if is_home(disk.region, location):
        return "the guest needs the same key vault as before"
    return f"the guest needs them from a key vault in {location.region}; bring them there first"
