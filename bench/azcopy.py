"""A sparse disk of 8 GiB with 512 MiB of changes, into one page blob, beside AzCopy.

AzCopy is given the disk as a file, and is to write it into a page blob of Azurite; Tidemark reads the
changes from a server and writes them into another. AzCopy knows no differences: it reads the whole disk and
sends each piece of it that is not all zeros. Its binary comes from the npm registry
(@azure-tools/azcopy-linux, MIT) and wants libsecret; where one of them is not to be had there are no rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient, generate_container_sas

from bench.copying_server import serve
from bench.processes import serving
from domain.page_ranges import PageRange
from domain.page_writes import plan_writes
from gateways.blob_access import Opened, Signed
from gateways.page_blobs import PageBlob
from gateways.page_transfers import Checks, PageTransfer
from gateways.wire import Network
from simulator.azurite import Azurite, random_keys

PACKAGE = "@azure-tools/azcopy-linux@10.32.2"
PROGRAM = Path("node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64")
DISK_BYTES = 8 * 1024**3
CHANGED_BYTES = 512 * 1024**2
LONGEST = 1024**2
ACCOUNT, CONTAINER = "vault", "disks"
CHECKS = Checks(crc64=False)  # Azurite refuses them


def measure() -> list[dict[str, Any]]:
    """Return the seconds of both, and how many times as long AzCopy takes."""
    with tempfile.TemporaryDirectory() as folder, Azurite(random_keys([ACCOUNT])) as azurite:
        program = _program(Path(folder))
        if program is None:
            return []
        with ContainerClient(
            azurite.blob_endpoint(ACCOUNT), CONTAINER,
            credential=AzureNamedKeyCredential(ACCOUNT, azurite.keys[ACCOUNT]), api_version="2021-12-02",
        ) as container:  # fmt: skip
            container.create_container()
        changes = _changes()
        ours = _ours(azurite, changes)
        theirs = _theirs(azurite, program, Path(folder), changes)
    name = "8 GiB disk with 512 MiB of changes into Azurite"
    return [
        _row(f"{name}, Tidemark", ours, "s"),
        _row(f"{name}, AzCopy", theirs, "s"),
        _row(f"{name}, AzCopy's time beside Tidemark's", theirs / ours, "times", 5.0),
    ]


def _program(folder: Path) -> Path | None:
    """Return AzCopy's binary, or say why it cannot be had."""
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    fetched = subprocess.run(install, capture_output=True, text=True, check=False)
    program = folder / PROGRAM
    if fetched.returncode or not program.is_file():
        sys.stderr.write(f"AzCopy is not to be had: {fetched.stderr.strip()[-300:]}\n")
        return None
    program.chmod(0o755)
    tried = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if tried.returncode:
        sys.stderr.write(f"AzCopy does not run here: {tried.stderr.strip()[-300:]}\n")
        return None
    return program


def _changes() -> list[PageRange]:
    """Return extents of 64 KiB to 1 MiB, all over the disk, ascending."""
    random = Random(8)
    lengths: list[int] = []
    while sum(lengths) < CHANGED_BYTES:
        lengths.append(random.randrange(64 * 1024, LONGEST + 1, 4096))
    apart = DISK_BYTES // len(lengths)
    starts = (number * apart // 4096 * 4096 for number in range(len(lengths)))
    found = [PageRange(start, start + length) for start, length in zip(starts, lengths, strict=True)]
    if any(one.end > other.start for one, other in pairwise(found)):
        raise RuntimeError("two changes overlap")
    return found


def _ours(azurite: Azurite, changes: list[PageRange]) -> float:
    network = Network()
    target = PageBlob(
        network, f"{azurite.blob_endpoint(ACCOUNT)}/{CONTAINER}", "ours.vhd", Signed(_sas(azurite))
    )
    target.create(DISK_BYTES, {})
    with serving(serve) as port:
        address = f"http://127.0.0.1:{port}/md-source/container/abcd"
        source = Opened("source", address, Signed("sv=2020-10-02&sig=c2lnbmF0dXJl"))
        transfer = PageTransfer(source, target, is_served=False, checks=CHECKS)
        began = time.perf_counter()
        transfer.run(plan_writes(changes), lambda: False)
        seconds = time.perf_counter() - began
    network.close()
    return seconds


def _theirs(azurite: Azurite, program: Path, folder: Path, changes: list[PageRange]) -> float:
    disk = folder / "disk.vhd"
    random = Random(1)
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
        for change in changes:
            file.seek(change.start)
            file.write(random.randbytes(change.length))
    target = f"{azurite.blob_endpoint(ACCOUNT)}/{CONTAINER}/theirs.vhd?{_sas(azurite)}"
    command = [str(program), "copy", str(disk), target, "--from-to=LocalBlob", "--blob-type=PageBlob"]
    places = {
        "AZCOPY_LOG_LOCATION": str(folder),
        "AZCOPY_JOB_PLAN_LOCATION": str(folder),
        "HOME": str(folder),
    }
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--skip-version-check"], env={**os.environ, **places}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if "Final Job Status: Completed" not in done.stdout:
        raise RuntimeError(f"AzCopy did not copy the disk: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    return seconds


def _sas(azurite: Azurite) -> str:
    return generate_container_sas(
        ACCOUNT, CONTAINER, account_key=azurite.keys[ACCOUNT], permission="racwdl",
        expiry=datetime.now(UTC) + timedelta(hours=2),
    )  # fmt: skip


def _row(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "aim": aim,
            "better": "higher" if unit == "times" else "lower"}  # fmt: skip
