"""Which api-versions there are: from the first one of each kind of resource on.

Azure has a list for each kind and refuses every date that is not on it; the lists grow several times a year
and are not kept here, so a date that never was a version is taken. The words are those of
claranet/terraform-azurerm-windows-vm issue 7, without the list.
"""

from __future__ import annotations

from simulator.arm.errors import ArmError
from simulator.regions import REGIONS

FIRST_WITH_INCREMENTAL = "2019-03-01"
FIRST_WITH_COPY_START = "2020-12-01"  # azure-semantics §3
_FIRST = {
    "Microsoft.Compute/disks": "2016-04-30-preview",
    "Microsoft.Compute/diskEncryptionSets": "2019-07-01",
    "Microsoft.Compute/snapshots": "2016-04-30-preview",
    "Microsoft.Compute/virtualMachines": "2015-05-01-preview",
    "Microsoft.Network/networkInterfaces": "2014-12-01-preview",
    "Microsoft.Network/virtualNetworks": "2014-12-01-preview",
    "Microsoft.Network/virtualNetworks/subnets": "2014-12-01-preview",
}


def check_version(kind: str, version: str, location: str) -> None:
    """Refuse an api-version from before a kind of resource; raises ArmError 400 NoRegisteredProviderFound."""
    first = _FIRST.get(kind)
    if first is None or version >= first:
        return
    _, _, name = kind.partition("/")
    raise ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{version}' for "
        f"type '{name}'. The supported api-versions are '{first}' and later ones. The supported locations "
        f"are '{', '.join(REGIONS)}'.",
    )
