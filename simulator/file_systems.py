"""Real ext4 file systems with real files in sparse disk images, without root and without mounting.

    make_ext4(path, size_bytes, {"etc/motd": b"hello"}, label="data")
    make_partitioned(path, size_bytes, files, label="root")       # the same in the first partition of a disk
    write_file(path, "etc/motd", b"changed", offset)              # changes a few blocks
    read_file(path, "etc/motd", offset), check_ext4(path, offset)

`offset` is where the file system begins: 0, or `partitions.first_partition(path).offset`. The work is done by
mkfs.ext4, debugfs and e2fsck of e2fsprogs. Same arguments, same bytes: identifiers derive from the label, and
times are fixed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from simulator.partitions import FIRST_PARTITION_AT, Partition, write_partition_table

_MADE_AT = 1767225600  # 2026-01-01, UTC: the time of every file that is made here
_NAMESPACE = uuid.UUID("3c9a1f0e-52a8-4a7e-8f0b-d2a6a3b0c6d1")
_NAME = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_MORE_PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/opt/e2fsprogs/sbin")
_MIB = 1024 * 1024


class FileSystemError(Exception):
    """A program of e2fsprogs is missing or failed; the message holds what it said."""


@dataclass(frozen=True)
class CheckReport:
    """What e2fsck found, without repairing anything."""

    is_clean: bool
    text: str


def make_ext4(path: Path, size_bytes: int, files: Mapping[str, bytes], *, label: str) -> None:
    """Make a disk image that is one file system. `files` maps relative names to contents; the image must not
    exist yet. Raises FileSystemError."""
    _make_image(path, size_bytes)
    _format(path, 0, size_bytes, files, label)


def make_partitioned(path: Path, size_bytes: int, files: Mapping[str, bytes], *, label: str) -> Partition:
    """Make a disk image with a partition table, whose first partition holds the file system, and return where
    that lies. Raises FileSystemError."""
    if size_bytes < 4 * FIRST_PARTITION_AT:
        raise ValueError(f"A partitioned disk of {size_bytes} bytes is too small: 4 MiB are the least")
    _make_image(path, size_bytes)
    partition = write_partition_table(path, _identifier(label, "disk"))
    _format(path, partition.offset, partition.length, files, label)
    return partition


def read_file(path: Path, name: str, offset: int = 0) -> bytes:
    """Return the contents of a file. Raises FileSystemError if it is not there."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "content")
        _debugfs(path, offset, [f'dump "/{_checked(name)}" "{target}"'], writes=False)
        return target.read_bytes()


def write_file(path: Path, name: str, content: bytes, offset: int = 0) -> None:
    """Put a file into an existing file system, in place of one of that name; its directory must exist.

    Only the blocks that change are written to the image. Raises FileSystemError.
    """
    in_image = f"/{_checked(name)}"
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "content")
        source.write_bytes(content)
        source.chmod(0o644)
        remove = [f'rm "{in_image}"'] if _exists(path, offset, in_image) else []
        _debugfs(
            path, offset, [*remove, f'write "{source}" "{in_image}"', *_ownership(in_image)], writes=True
        )


def check_ext4(path: Path, offset: int = 0) -> CheckReport:
    """Let e2fsck look at a file system, even if it says of itself that it is clean."""
    done = _run("e2fsck", ["-f", "-n", _at(path, offset)])
    return CheckReport(done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace"))


def _make_image(path: Path, size_bytes: int) -> None:
    if size_bytes % _MIB:
        raise ValueError(f"A disk of {size_bytes} bytes: managed disks are whole MiB")
    with open(path, "xb") as image:
        image.truncate(size_bytes)


def _format(path: Path, offset: int, length: int, files: Mapping[str, bytes], label: str) -> None:
    extended = f"offset={offset},hash_seed={_identifier(label, 'hash')},root_owner=0:0"
    arguments = ["-q", "-F", "-b", "4096", "-L", label, "-U", str(_identifier(label, "file system"))]
    with tempfile.TemporaryDirectory() as directory:
        names = _lay_out(Path(directory), files)
        arguments += ["-E", extended, "-d", directory, str(path), f"{length // 1024}k"]
        done = _run("mkfs.ext4", arguments)
        if done.returncode:
            raise _failed("mkfs.ext4", path, done)
    _debugfs(path, offset, [line for name in names for line in _ownership(f"/{name}")], writes=True)


def _lay_out(directory: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write the files below a directory and return the names of all files and directories."""
    names: set[str] = set()
    for name, content in sorted(files.items()):
        target = directory / _checked(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o644)
        parents = [str(each) for each in PurePosixPath(name).parents][:-1]
        names.update([name, *parents])
    for name in names:
        if (directory / name).is_dir():
            (directory / name).chmod(0o755)
    directory.chmod(0o755)
    return sorted(names)


def _ownership(in_image: str) -> list[str]:
    """Return the commands that make a file root's and as old as all others: mkfs.ext4 and debugfs take owner
    and times from the files that they copy."""
    fields = {
        "uid": "0",
        "gid": "0",
        "atime": f"@{_MADE_AT}",
        "mtime": f"@{_MADE_AT}",
        "ctime": f"@{_MADE_AT}",
    }
    return [f'set_inode_field "{in_image}" {field} {value}' for field, value in fields.items()]


def _exists(path: Path, offset: int, in_image: str) -> bool:
    done = _run("debugfs", ["-R", f'stat "{in_image}"', _at(path, offset)])
    return b"Inode:" in done.stdout


def _debugfs(path: Path, offset: int, commands: Iterable[str], *, writes: bool) -> None:
    """Run commands of debugfs, which exits with 0 even if they fail, and says so beside its banner only."""
    with tempfile.NamedTemporaryFile("w", suffix=".debugfs") as script:
        script.writelines(f"{command}\n" for command in commands)
        script.flush()
        done = _run("debugfs", [*(["-w"] if writes else []), "-f", script.name, _at(path, offset)])
    complaints = [line for line in done.stderr.splitlines() if not line.startswith(b"debugfs 1.")]
    if done.returncode or complaints:
        raise _failed("debugfs", path, done)


def _run(program: str, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    environment = {
        **os.environ,
        "E2FSPROGS_FAKE_TIME": str(_MADE_AT),
        "SOURCE_DATE_EPOCH": str(_MADE_AT),
        "LC_ALL": "C",
        "TZ": "UTC",
    }
    return subprocess.run(
        [_found(program), *arguments],
        capture_output=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _found(program: str) -> str:
    places = os.pathsep.join([os.environ.get("PATH", ""), *_MORE_PLACES])
    found = shutil.which(program, path=places)
    if found is None:
        raise FileSystemError(
            f"The program {program} is missing; looked for it in {places}. It belongs to e2fsprogs: "
            "apt-get install e2fsprogs, or brew install e2fsprogs"
        )
    return found


def _failed(program: str, path: Path, done: subprocess.CompletedProcess[bytes]) -> FileSystemError:
    said = (done.stdout + done.stderr).decode(errors="replace").strip()
    return FileSystemError(f"{program} failed on {path.name} with exit code {done.returncode}:\n{said}")


def _at(path: Path, offset: int) -> str:
    return f"{path}?offset={offset}" if offset else str(path)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or any(part in (".", "..") for part in name.split("/")):
        raise ValueError(f"The file name {name!r}: relative names of letters, digits and . _ - / only")
    return name


def _identifier(label: str, purpose: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{label}: {purpose}")
