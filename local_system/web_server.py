"""The example machine `web`: an OS disk and two data disks, with real file systems and real files.

What a guest would write is written with debugfs into disk images on this machine, and from there, block by
block, to the disks of the simulated cloud. So there is always a second truth, which the cloud has never
touched, to hold a restored disk against.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from domain.names import vm_key
from local_system.policies import HOME, POLICY
from simulator.cloud import Cloud
from simulator.file_systems import CheckReport, check_ext4, make_ext4, make_partitioned, read_file, write_file
from simulator.images.files import data_extents
from simulator.partitions import FIRST_PARTITION_AT
from simulator.world_handles import MachineHandle

GIB = 1 << 30
MIB = 1 << 20
_PIECE_BYTES = 4 * MIB


@dataclass(frozen=True)
class ExampleDisk:
    """What a disk of the machine is like, and the one text file on it that is worth reading."""

    size_bytes: int
    begins: int  # where its file system does
    story: str  # the name of that file
    before: str
    after: str
    ballast: str  # a file that is large enough for a copy to take a while
    ballast_bytes: int

    @property
    def files(self) -> Mapping[str, bytes]:
        """The files that are on it in the beginning."""
        ballast = Random(self.ballast).randbytes(self.ballast_bytes)
        return {self.story: self.before.encode(), self.ballast: ballast}


DISKS = {
    "os": ExampleDisk(
        4 * GIB, FIRST_PARTITION_AT, "etc/motd", "web: release 41\n", "web: release 42\n",
        "boot/vmlinuz", 24 * MIB,
    ),
    "site": ExampleDisk(
        2 * GIB, 0, "index.html", "<h1>Winter</h1>\n", "<h1>Spring</h1>\n",
        "images/hero.jpg", 16 * MIB,
    ),
    "orders": ExampleDisk(
        1 * GIB, 0, "orders.csv", "1001,Ada,2\n", "1001,Ada,2\n1002,Grace,7\n",
        "archive/orders.db", 12 * MIB,
    ),
}  # fmt: skip


class WebServer:
    """The machine `web` in a simulated cloud, and the images that its disks are filled from."""

    name = "web"

    def __init__(self, cloud: Cloud, directory: Path) -> None:
        """`directory` holds the images; it is made."""
        self._directory = directory
        directory.mkdir()
        for name, disk in DISKS.items():
            _make(self._image(name), name, disk)
        self._machine = self._added(cloud)
        self._fill()

    @property
    def id(self) -> str:
        """The ARM id of the machine."""
        return self._machine.id

    @property
    def key(self) -> str:
        """The key that Tidemark knows the machine by."""
        return vm_key(self.id)

    @property
    def disk_names(self) -> Mapping[str, str]:
        """The names of the disks in Azure, by their short ones."""
        return {f"{self.name}-{short}": short for short in DISKS}

    def change_files(self) -> int:
        """Change the one text file on every disk; return how many bytes of the disks became others."""
        before = {name: self._machine.disk(name).image.freeze_copy() for name in DISKS}
        for name, disk in DISKS.items():
            write_file(self._image(name), disk.story, disk.after.encode(), disk.begins)
        self._fill()
        changed = 0
        for name, frozen in before.items():
            changed += self._machine.disk(name).image.changed_bytes_since(frozen)
            frozen.release()
        return changed

    def keep_copies(self, moment: str) -> Mapping[str, Path]:
        """Copy the images aside, as they are now; return the copies by the short names of the disks."""
        kept = {name: self._directory / f"{moment}-{name}.img" for name in DISKS}
        for name, copy in kept.items():
            copy_sparse(self._image(name), copy)
        return kept

    def _added(self, cloud: Cloud) -> MachineHandle:
        sizes = {name: disk.size_bytes for name, disk in DISKS.items()}
        return cloud.add_virtual_machine(
            self.name, HOME, "production", disks=sizes, tags={"tidemark-policy": POLICY}
        )

    def _fill(self) -> None:
        for name in DISKS:
            self._machine.disk(name).image.copy_from(self._image(name))

    def _image(self, name: str) -> Path:
        return self._directory / f"{name}.img"


@dataclass(frozen=True)
class Examined:
    """A disk that came back, held against what it was: its bytes, its file system, and a file on it."""

    size_bytes: int
    is_equal: bool
    check: CheckReport
    story: str

    @property
    def is_good(self) -> bool:
        """Whether it is what it was."""
        return self.is_equal and self.check.is_clean

    @property
    def fault(self) -> str:
        """What is wrong with it."""
        return "their bytes differ" if not self.is_equal else f"e2fsck -n found:\n{self.check.text}"


def examine(name: str, restored: Path, original: Path) -> Examined:
    """Compare a restored disk, saved to a file, with the copy kept when it was backed up."""
    disk = DISKS[name]
    return Examined(
        size_bytes=restored.stat().st_size,
        is_equal=are_equal(restored, original),
        check=check_ext4(restored, disk.begins),
        story=read_file(restored, disk.story, disk.begins).decode(),
    )


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file and leave its holes out."""
    with source.open("rb", buffering=0) as read, target.open("xb", buffering=0) as written:
        written.truncate(source.stat().st_size)
        for start, end in data_extents(read.fileno()):
            for at in range(start, end, _PIECE_BYTES):
                os.pwrite(written.fileno(), os.pread(read.fileno(), min(_PIECE_BYTES, end - at), at), at)


def are_equal(one: Path, other: Path) -> bool:
    """Compare two files byte by byte; where both have a hole, both are zeros."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb", buffering=0) as first, other.open("rb", buffering=0) as second:
        return all(
            os.pread(first.fileno(), length, at) == os.pread(second.fileno(), length, at)
            for file in (first, second)
            for start, end in data_extents(file.fileno())
            for at in range(start, end, _PIECE_BYTES)
            for length in (min(_PIECE_BYTES, end - at),)
        )


def _make(image: Path, name: str, disk: ExampleDisk) -> None:
    make = make_partitioned if disk.begins else make_ext4
    make(image, disk.size_bytes, disk.files, label=name)
