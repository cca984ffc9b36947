"""VM sizes: what a region offers of one to a subscription, and why a VM cannot be brought back in it.

What Azure does not tell of a size is no fault: it then says no itself, if it has to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from domain.errors import Fault
from domain.manifests import Manifest
from domain.placement import is_home, size_there, sku_there, zones_there
from domain.policy import Location
from domain.restored_machines import security_type

_ON_PREMIUM = ("Premium", "Ultra")  # skus of disks that only sizes with premium storage take


@dataclass(frozen=True)
class SizeOffer:
    """A VM size as a region offers it to a subscription.

    `zones` are those of the region that have it. `restricted` says, in Azure's word, why the subscription
    cannot have it there, `restricted_zones` why not in which zone. `capabilities` are as Azure spells them,
    values too.
    """

    name: str
    zones: tuple[str, ...] = ()
    restricted: str | None = None
    restricted_zones: Mapping[str, str] = field(default_factory=dict)
    capabilities: Mapping[str, str] = field(default_factory=dict)


def wanted_size(manifest: Manifest, location: Location) -> str:
    """Return the size that a VM will have in a location."""
    return size_there(_size(manifest), manifest.vm.region, location)


def size_faults(manifest: Manifest, location: Location, offer: SizeOffer | None) -> Iterator[Fault]:
    """Say why a VM cannot have its size in a location; `offer` is what the region has of it, None if none."""
    size = f"VM size {wanted_size(manifest, location)}"
    fault = partial(_fault, _advice(manifest, location))
    if offer is None:
        yield fault(f"{location.region} does not offer {size}")
        return
    whose = f"subscription {location.subscription} cannot have {size}"
    if offer.restricted:
        yield fault(f"{whose} in {location.region} ({offer.restricted})")
    zonal = partial(_fault, _zone_advice(manifest, location))
    for zone in zones_there(_zones(manifest), manifest.vm.region, location):
        if zone not in offer.zones:
            yield zonal(f"{location.region} does not offer {size} in zone {zone}")
        elif zone in offer.restricted_zones and not offer.restricted:
            yield zonal(f"{whose} in zone {zone} of {location.region} ({offer.restricted_zones[zone]})")
    for lack in _lacks(manifest, location, offer.capabilities):
        yield fault(f"{size} {lack}")


def _lacks(manifest: Manifest, location: Location, told: Mapping[str, str]) -> Iterator[str]:
    """Say what a VM needs that its size has not."""
    disks = [part.disk for part in manifest.disks]
    os_disk = next((disk for disk in disks if disk.is_os_disk), None)
    generation = os_disk.traits.get("hyperVGeneration") if os_disk else None
    if generation and generation not in _several(told, "HyperVGenerations", generation):
        yield f"does not start disks of generation {generation}, and the OS disk is one"
    premium = [disk.name for disk in disks if sku_there(disk, location).startswith(_ON_PREMIUM)]
    if premium and told.get("PremiumIO") == "False":
        yield f"takes no premium disks, and these are: {', '.join(premium)}"
    data = sum(not disk.is_os_disk for disk in disks)
    most = told.get("MaxDataDiskCount", "")
    if most.isdecimal() and data > int(most):
        yield f"takes {most} data disks, and the restore point has {data}"
    if security_type(manifest) == "TrustedLaunch" and told.get("TrustedLaunchDisabled") == "True":
        yield "has no Trusted Launch, which the VM was made with"
    architecture = _architecture(os_disk.traits if os_disk else {})
    if architecture and told.get("CpuArchitectureType", architecture) != architecture:
        yield f"has processors {told['CpuArchitectureType']}, and the OS disk is for {architecture}"
    controller = _properties(manifest).get("storageProfile", {}).get("diskControllerType")
    if controller and controller not in _several(told, "DiskControllerTypes", controller):
        yield f"has no disk controller {controller}, which the VM was made with"
    if _encrypts_at_host(manifest) and told.get("EncryptionAtHostSupported") == "False":
        yield "cannot encrypt at the host, which the VM was made to do"


def _fault(advice: str, found: str) -> Fault:
    return Fault("location", f"{found}; {advice}")


def _advice(manifest: Manifest, location: Location) -> str:
    if is_home(manifest.vm.region, location):
        return "restore the VM from another location, or its disks alone"
    return (
        f"give location '{location.name}' another size that stands for {_size(manifest)} in its sizes, "
        "or restore the disks alone"
    )


def _zone_advice(manifest: Manifest, location: Location) -> str:
    if is_home(manifest.vm.region, location):
        return _advice(manifest, location)
    zones = ", ".join(_zones(manifest))
    return (
        f"give location '{location.name}' another zone that stands for zone {zones} of "
        f"{manifest.vm.region} in its zones, or another size that stands for {_size(manifest)} in its sizes"
    )


def _properties(manifest: Manifest) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = manifest.vm.model.get("properties", {})
    return properties


def _size(manifest: Manifest) -> str:
    return str(_properties(manifest)["hardwareProfile"]["vmSize"])


def _zones(manifest: Manifest) -> tuple[str, ...]:
    return tuple(manifest.vm.model.get("zones") or ())


def _architecture(traits: Mapping[str, Any]) -> str | None:
    return (traits.get("supportedCapabilities") or {}).get("architecture")


def _encrypts_at_host(manifest: Manifest) -> bool:
    return bool((_properties(manifest).get("securityProfile") or {}).get("encryptionAtHost"))


def _several(told: Mapping[str, str], name: str, otherwise: str) -> list[str]:
    """Return the values of a capability that has several; `otherwise` where Azure tells nothing of it."""
    return [value.strip() for value in told.get(name, otherwise).split(",")]
