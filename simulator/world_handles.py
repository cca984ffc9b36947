"""What a world is built of, and the handles that its builder gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import VirtualMachine
from simulator.images import Image


@dataclass(frozen=True)
class DiskSpec:
    """What a disk is to be like; `properties` are further ones as ARM names them (osType, encryption,
    ...)."""

    size_bytes: int
    sku: str = "Premium_LRS"
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MachineHandle:
    """A virtual machine of the world, with its disks by the names that they were added under."""

    machine: VirtualMachine
    disks: Mapping[str, Disk]

    @property
    def id(self) -> str:
        return self.machine.id.text

    @property
    def power(self) -> str:
        return self.machine.power

    def disk(self, name: str) -> DiskHandle:
        """Return the disk that was added under a name."""
        if name not in self.disks:
            raise KeyError(f"'{self.machine.id.name}' has no disk '{name}'; it has {', '.join(self.disks)}")
        return DiskHandle(self.disks[name])


@dataclass(frozen=True)
class DiskHandle:
    """A managed disk of the world."""

    resource: Disk

    @property
    def id(self) -> str:
        return self.resource.id.text

    @property
    def unique_id(self) -> str:
        return self.resource.unique_id

    @property
    def image(self) -> Image:
        """The bytes of the disk, to read and to write.

        Whatever was due happens before they are given out, so that a snapshot which ended a moment ago does
        not hold what is written now. Whoever keeps the image on a clock that moves by itself, and writes to
        it later, has to ask the handle again.
        """
        with self.resource.estate.lock:
            self.resource.estate.timeline.settle()
        return self.resource.image
