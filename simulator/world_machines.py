"""How the machines of the world have their disks."""

from __future__ import annotations

from typing import Any

from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import AttachedDisk
from simulator.arm.machine_sizes import SIZES


def os_disk(disk: Disk, os_type: str, is_ephemeral: bool) -> AttachedDisk:
    """Return a disk as a machine made from an image has it."""
    disk.is_ephemeral = is_ephemeral
    settings: dict[str, Any] = {
        "osType": os_type,
        "createOption": "FromImage",
        "caching": "ReadOnly" if is_ephemeral else "ReadWrite",
        "deleteOption": "Detach",
    }
    if is_ephemeral:
        settings["diffDiskSettings"] = {"option": "Local", "placement": "ResourceDisk"}
    return AttachedDisk(disk, settings)


def data_disk(disk: Disk, lun: int) -> AttachedDisk:
    """Return a disk as it is attached."""
    return AttachedDisk(disk, {"createOption": "Attach", "caching": "None", "deleteOption": "Detach"}, lun)


def known_size(size: str) -> str:
    """Return a size of machines; raises ValueError if there is none of that name."""
    if size.lower() not in SIZES:
        raise ValueError(f"{size!r} is not a size of the simulated world; machine_sizes.py has those")
    return size
