"""The properties of disks and snapshots that a client sets and Azure only keeps: which there are, and which
values they can have (azure-semantics §2.3)."""

from __future__ import annotations

from typing import Any

from simulator.arm import errors, fields
from simulator.arm.call import Call

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
    "encryption",
)


def require_encryption_set(call: Call) -> None:
    """Check the right to use the encryption set that a body names; raises ArmError 403.

    Known of disks (kubernetes-sigs/azuredisk-csi-driver issue 2609); that snapshots are alike is our choice.
    """
    asked = fields.section(call.body, "properties", "encryption").get("diskEncryptionSetId")
    if isinstance(asked, str) and asked:
        call.require_linked("Microsoft.Compute/diskEncryptionSets/read", asked)


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
    if name == "diskAccessId":
        return fields.text(properties, name, "properties.")
    return properties[name]
