"""A world described in a file, in YAML or JSON.

subscription: 6a1f7f0e-0000-4000-8000-000000000001   # optional
resource_groups:                                     # name: location
  production: westeurope
  recovery: northeurope
virtual_machines:
  - name: web
    region: westeurope
    group: production
    tags: {team: shop}
    disks:                                           # the first is the OS disk
      os: {size_gib: 8, image: web-os.img}           # image: a file whose bytes the disk begins with
      data: {size_gib: 64, sku: StandardSSD_LRS}
storage_accounts:                                    # for page blobs
  - name: vault
    region: northeurope
    group: recovery
    containers: [disks]
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.arm.fields import GIB
from simulator.world import World
from simulator.world_handles import DiskSpec


class WorldFileError(ValueError):
    """A world file that cannot be read or built; the message names the file and every fault."""


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DiskDescription(_Described):
    """One disk."""

    size_gib: int = Field(gt=0)
    sku: str = "Premium_LRS"
    image: Path | None = None


class MachineDescription(_Described):
    """One virtual machine with its disks."""

    name: str
    region: str
    group: str
    size: str = "Standard_D4s_v5"
    zones: list[str] = []
    tags: dict[str, str] = {}
    disks: dict[str, DiskDescription] = Field(min_length=1)


class AccountDescription(_Described):
    """One storage account with its containers."""

    name: str
    region: str
    group: str
    containers: list[str] = []
    refuses_incremental_sources: bool = False


class WorldDescription(_Described):
    """Everything that is to exist."""

    subscription: str | None = None
    resource_groups: dict[str, str] = {}
    virtual_machines: list[MachineDescription] = []
    storage_accounts: list[AccountDescription] = []


def read_world(path: Path) -> WorldDescription:
    """Read a world file; raises WorldFileError."""
    try:
        return WorldDescription.model_validate(yaml.safe_load(path.read_text()) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WorldFileError(f"{path}: {error}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise WorldFileError(f"{path}: {'; '.join(faults)}") from error


def build_world(world: World, description: WorldDescription, directory: Path) -> None:
    """Build what is described; images lie relative to `directory`. Raises WorldFileError."""
    try:
        world.add_subscription(description.subscription)
        for name, region in description.resource_groups.items():
            world.add_resource_group(name, region)
        for machine in description.virtual_machines:
            _build_machine(world, machine, directory)
        for account in description.storage_accounts:
            _build_account(world, account)
    except (ValueError, OSError) as error:
        raise WorldFileError(str(error)) from error


def _build_account(world: World, account: AccountDescription) -> None:
    built = world.add_storage_account(
        account.name,
        account.region,
        account.group,
        refuses_incremental_sources=account.refuses_incremental_sources,
    )
    for name in account.containers:
        built.add_container(name)


def _build_machine(world: World, machine: MachineDescription, directory: Path) -> None:
    specs = {name: DiskSpec(disk.size_gib * GIB, disk.sku) for name, disk in machine.disks.items()}
    built = world.add_virtual_machine(
        machine.name,
        machine.region,
        machine.group,
        specs,
        tags=machine.tags,
        size=machine.size,
        zones=machine.zones,
    )
    for name, disk in machine.disks.items():
        if disk.image is not None:
            built.disk(name).image.copy_from(directory / disk.image)
