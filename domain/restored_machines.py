"""A VM that is brought back: what of its recorded configuration is asked for again, and what came of it.

It is made of specialized disks (azure-semantics §7.4): host name, accounts and keys are on the OS disk, so
neither an image nor an OS profile may be given. What is left behind is listed in domain/not_carried.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Fault
from domain.manifests import Manifest
from domain.names import restored_interface_name
from domain.networks import InterfacePlan
from domain.placement import size_there, zones_there
from domain.policy import Location
from domain.provisioning import Made
from domain.requests import RestoreRequest
from domain.restores import DiskPlan
from domain.tags import restored_tags
from domain.vms import Disk, VirtualMachine

# Parts of settings that can be asked for again as they were; the others are left behind.
SECURITY_CARRIED = ("securityType", "uefiSettings", "encryptionAtHost")
CAPABILITIES_CARRIED = ("ultraSSDEnabled",)


@dataclass(frozen=True)
class Attachment:
    """A disk as a VM has it; `lun` is None for the OS disk."""

    disk_id: str
    lun: int | None
    caching: str
    has_write_accelerator: bool = False

    def __str__(self) -> str:
        place = "as OS disk" if self.lun is None else f"at LUN {self.lun}"
        return f"{self.disk_id.rsplit('/', 1)[-1]} {place} with caching {self.caching}"


@dataclass(frozen=True)
class MachinePlan:
    """A VM to be made of restored disks, the OS disk first.

    `settings` are properties of the VM as ARM spells them, `controller` the kind of its disk controller,
    `purchase_plan` what its image was bought under.
    """

    id: str
    region: str
    size: str
    os_type: str
    disks: tuple[Attachment, ...]
    interface: InterfacePlan
    zones: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    controller: str | None = None
    purchase_plan: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the VM will be called."""
        return self.id.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class RestoredMachine(Made):
    """A VM as Azure describes it; `operation` is what made it, empty if it was not a restore.

    `problem` is what Azure says of a VM that has failed.
    """

    id: str
    provisioning_state: str
    size: str
    zones: tuple[str, ...] = ()
    disks: tuple[Attachment, ...] = ()
    operation: str = ""
    problem: str | None = None

    def differences(self, plan: MachinePlan) -> list[str]:
        """Say in what it is not as planned."""
        found = [
            f"it has {what} {there or 'none'} instead of {wanted or 'none'}"
            for what, there, wanted in (
                ("size", self.size.lower(), plan.size.lower()),
                ("zone", ", ".join(self.zones), ", ".join(plan.zones)),
            )
            if there != wanted
        ]
        there, wanted = _by_text(self.disks), _by_text(plan.disks)
        found += [f"it has not disk {wanted[key]}" for key in wanted.keys() - there.keys()]
        found += [f"it has also disk {there[key]}" for key in there.keys() - wanted.keys()]
        return sorted(found)


def machine_faults(vm: VirtualMachine, disks: Sequence[Disk]) -> Iterator[Fault]:
    """Say why a VM cannot be brought back from the disks of a restore point, wherever that is tried."""
    if not any(disk.is_os_disk for disk in disks):
        why = "Azure takes no snapshot of an ephemeral one" if vm.has_ephemeral_os_disk else "it was left out"
        yield Fault("what", f"the restore point does not hold the OS disk ({why}); restore the disks alone")


def machine_id(location: Location, name: str) -> str:
    """Return the ARM id of a VM that is brought back into a location."""
    return f"{location.restore_group_id}/providers/Microsoft.Compute/virtualMachines/{name}"


def plan_machine(request: RestoreRequest, manifest: Manifest, plans: Sequence[DiskPlan]) -> MachinePlan:
    """Plan the VM of a replica; `plans` are those of all its disks. It must have no `machine_faults`."""
    vm, location = manifest.vm, request.location
    os_disk = next(part.disk for part in manifest.disks if part.disk.is_os_disk)
    properties = vm.model.get("properties", {})
    storage = properties.get("storageProfile", {})
    tags = restored_tags(vm.tags, manifest.point, request.operation)
    return MachinePlan(
        id=machine_id(location, request.vm_name),
        region=location.region,
        size=size_there(properties["hardwareProfile"]["vmSize"], vm.region, location),
        os_type=os_disk.traits.get("osType") or storage["osDisk"]["osType"],
        disks=_attachments(manifest, plans, storage),
        interface=_interface(request, tags),
        zones=zones_there(tuple(vm.model.get("zones") or ()), vm.region, location),
        settings=_settings(manifest, properties),
        controller=storage.get("diskControllerType"),
        purchase_plan=purchase_plan(manifest),
        tags=tags,
    )


def purchase_plan(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return what the image of a VM was bought under, as the VM or else its OS disk says."""
    on_disk = [part.disk.traits.get("purchasePlan") for part in manifest.disks if part.disk.is_os_disk]
    return manifest.vm.model.get("plan") or next(iter(on_disk), None)


def _interface(request: RestoreRequest, tags: Mapping[str, str]) -> InterfacePlan:
    location = request.location
    name = restored_interface_name(request.operation, request.vm_name)
    interface = f"{location.restore_group_id}/providers/Microsoft.Network/networkInterfaces/{name}"
    return InterfacePlan(interface, location.region, location.subnet_id or "", tags)


def _attachments(
    manifest: Manifest, plans: Sequence[DiskPlan], storage: Mapping[str, Any]
) -> tuple[Attachment, ...]:
    entries = {None: storage.get("osDisk", {})} | {each["lun"]: each for each in storage.get("dataDisks", [])}
    found = [
        Attachment(
            plan.id,
            part.disk.lun,
            part.disk.caching,
            bool(entries.get(part.disk.lun, {}).get("writeAcceleratorEnabled")),
        )
        for part, plan in zip(manifest.disks, plans, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: -1 if each.lun is None else each.lun))


def security_type(manifest: Manifest) -> str | None:
    """Return what a VM is secured by, as it says itself or else its OS disk; None where neither does."""
    told = (manifest.vm.model.get("properties", {}).get("securityProfile") or {}).get("securityType")
    on_disk = [
        (part.disk.traits.get("securityProfile") or {}).get("securityType")
        for part in manifest.disks
        if part.disk.is_os_disk
    ]
    found: str | None = told or next(iter(on_disk), None)
    return found.split("_")[0] if found else None  # a disk says also what of it is encrypted


def _settings(manifest: Manifest, properties: Mapping[str, Any]) -> dict[str, Any]:
    security = _parts(properties, "securityProfile", SECURITY_CARRIED)
    if secured := security_type(manifest):
        security["securityType"] = secured
    boot = (properties.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}
    settings = {
        "securityProfile": security,
        "additionalCapabilities": _parts(properties, "additionalCapabilities", CAPABILITIES_CARRIED),
        # Without an account of its own: a former one is in the region that may be lost.
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}} if boot.get("enabled") else {},
        "licenseType": properties.get("licenseType"),
    }
    return {name: value for name, value in settings.items() if value}


def _parts(properties: Mapping[str, Any], name: str, carried: Sequence[str]) -> dict[str, Any]:
    there = properties.get(name) or {}
    return {part: there[part] for part in carried if there.get(part) is not None}


def _by_text(disks: Sequence[Attachment]) -> dict[str, Attachment]:
    return {str(each).lower(): each for each in disks}
