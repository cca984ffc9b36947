"""The properties of disks and snapshots that a client sets and Azure only keeps: which there are, and which
values they can have (azure-semantics §2.3)."""

from __future__ import annotations

from typing import Any

from simulator.arm import errors, fields

INHERITED = (
    "osType",
    "hyperVGeneration",
    "purchasePlan",
    "supportedCapabilities",
    "securityProfile",
    "supportsHibernation",
    "encryptionSettingsCollection",
)
ACCESS = ("networkAccessPolicy", "publicNetworkAccess", "diskAccessId", "dataAccessAuthMode")
PLATFORM_KEY = {"type": "EncryptionAtRestWithPlatformKey"}

CHOICES = {
    "osType": ("Linux", "Windows"),
    "hyperVGeneration": ("V1", "V2"),
    "networkAccessPolicy": ("AllowAll", "AllowPrivate", "DenyAll"),
    "publicNetworkAccess": ("Enabled", "Disabled"),
    "dataAccessAuthMode": ("None", "AzureActiveDirectory"),
}
OBJECTS = (
    "purchasePlan",
    "supportedCapabilities",
    "securityProfile",
    "encryptionSettingsCollection",
)
NUMBERS = ("diskIOPSReadWrite", "diskMBpsReadWrite", "maxShares")
FLAGS = ("burstingEnabled", "supportsHibernation")
TEXTS = ("diskAccessId", "tier")


def kept(properties: fields.Json, *names: str) -> dict[str, Any]:
    """Return those of `names` that a request sets; raises ArmError 400 for values that cannot be."""
    return {name: _checked(properties, name) for name in names if properties.get(name) is not None}


def _checked(properties: fields.Json, name: str) -> Any:
    if name in OBJECTS:
        return dict(fields.section(properties, name))
    if name in CHOICES:
        value = fields.text(properties, name, "properties.")
        if value not in CHOICES[name]:
            raise errors.invalid_parameter(
                f"The value '{value}' of parameter '{name}' is invalid; it is one of "
                f"{', '.join(CHOICES[name])}.",
                name,
            )
        return value
    if name in NUMBERS:
        return fields.whole(properties, name, "properties.")
    if name in FLAGS:
        return fields.truth(properties, name, "properties.")
    if name in TEXTS:
        return fields.text(properties, name, "properties.")
    raise ValueError(f"of {name!r} it is not said what it can be; add it to one of the lists above")
