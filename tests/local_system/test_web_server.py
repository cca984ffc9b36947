"""The example machine: its files change where they should, and a wrong disk is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clock import ManualClock
from local_system.failures import LocalSystemFailed
from local_system.proofs import Taken, prove
from local_system.web_server import DISKS, WebServer, are_equal, copy_sparse, examine
from simulator.cloud import Cloud
from simulator.file_systems import check_ext4
from simulator.world_handles import DiskHandle
from tests.world import START


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(ManualClock(START))
    yield cloud
    cloud.close()


@pytest.fixture
def machine(cloud: Cloud, tmp_path: Path) -> WebServer:
    return WebServer(cloud, tmp_path / "web")


def disk_of(cloud: Cloud, machine: WebServer, name: str) -> DiskHandle:
    return cloud.disk(f"{machine.id.rsplit('/', 2)[0]}/disks/web-{name}")


@pytest.mark.parametrize("name", DISKS)
def test_a_disk_of_the_cloud_is_a_real_file_system_with_its_files(cloud, machine, tmp_path, name):
    kept = machine.keep_copies("now")
    saved = tmp_path / "saved.img"
    disk_of(cloud, machine, name).image.copy_to(saved)
    found = examine(name, saved, kept[name])
    assert found.is_good
    assert found.story == DISKS[name].before


def test_changing_files_changes_a_few_blocks_of_every_disk(cloud, machine, tmp_path):
    before = machine.keep_copies("before")
    changed = machine.change_files()
    assert 0 < changed < 1 << 20
    for name, copy in before.items():
        saved = tmp_path / f"{name}.img"
        disk_of(cloud, machine, name).image.copy_to(saved)
        found = examine(name, saved, copy)
        assert not found.is_equal
        assert found.story == DISKS[name].after
        assert "bytes differ" in found.fault


def test_a_damaged_file_system_is_not_good(machine):
    kept = machine.keep_copies("now")["site"]
    with kept.open("r+b") as image:
        image.seek(1024)
        image.write(bytes(1024))  # its superblock
    assert not check_ext4(kept, DISKS["site"].begins).is_clean


def test_the_demo_fails_if_a_single_byte_of_a_restored_disk_differs(cloud, machine):
    disk = disk_of(cloud, machine, "site")
    taken = Taken({}, machine.keep_copies("then"))
    told = {"sourceDisk": "web-site", "name": "restored", "id": disk.id}
    assert "2.0 GiB equal" in prove(told, taken, machine, cloud).text
    disk.image.write((2 << 30) - 1, b"x")
    with pytest.raises(LocalSystemFailed, match="with web-site failed: their bytes differ"):
        prove(told, taken, machine, cloud)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({0: b"a"}, {0: b"a"}, True),
        ({0: b"a"}, {0: b"b"}, False),
        ({0: b"a"}, {0: b"a", 9 << 20: b"b"}, False),  # written where the other has a hole
        ({0: b"a", 9 << 20: b"b"}, {0: b"a"}, False),
        ({0: b"a", 9 << 20: bytes(4096)}, {0: b"a"}, True),  # zeros and a hole are the same bytes
    ],
)
def test_sparse_files_are_compared_byte_by_byte(tmp_path, one, other, equal):
    paths = []
    for name, content in (("one", one), ("other", other)):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(16 << 20)
            for at, data in content.items():
                file.seek(at)
                file.write(data)
        paths.append(path)
    assert are_equal(*paths) is equal


def test_files_of_different_sizes_are_different(tmp_path):
    (tmp_path / "one").write_bytes(bytes(4096))
    (tmp_path / "other").write_bytes(bytes(8192))
    assert not are_equal(tmp_path / "one", tmp_path / "other")


def test_a_sparse_copy_is_equal_and_stays_sparse(tmp_path):
    with (tmp_path / "one").open("wb") as file:
        file.truncate(1 << 30)
        file.seek(123 << 20)
        file.write(b"somewhere")
    copy_sparse(tmp_path / "one", tmp_path / "other")
    assert are_equal(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "other").stat().st_blocks * 512 < 1 << 20
