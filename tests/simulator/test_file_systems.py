"""The demo's disks hold real file systems, which the real tools check and read."""

from __future__ import annotations

import os
import struct

import pytest

from simulator.file_systems import (
    FileSystemError,
    check_ext4,
    make_ext4,
    make_partitioned,
    read_file,
    write_file,
)
from simulator.images import ImageStore
from simulator.partitions import first_partition

MIB = 1024 * 1024
FILES = {"etc/hostname": b"web\n", "var/lib/app/data.bin": bytes(range(256)) * 400, "empty": b""}


def test_a_file_system_is_clean_and_holds_its_files(tmp_path):
    disk = tmp_path / "data.img"
    make_ext4(disk, 64 * MIB, FILES, label="data")
    assert disk.stat().st_size == 64 * MIB
    assert disk.stat().st_blocks * 512 < 16 * MIB  # sparse
    report = check_ext4(disk)
    assert report.is_clean, report.text
    for name, content in FILES.items():
        assert read_file(disk, name) == content


def test_a_partitioned_disk_holds_its_file_system_in_its_first_partition(tmp_path):
    disk = tmp_path / "os.img"
    partition = make_partitioned(disk, 64 * MIB, FILES, label="root")
    assert partition == first_partition(disk)
    assert (partition.offset, partition.length) == (MIB, 62 * MIB)
    content = disk.read_bytes()
    assert content[510:512] == b"\x55\xaa"
    assert content[446 + 4] == 0xEE
    assert content[512:520] == content[-512:-504] == b"EFI PART"
    assert struct.unpack_from("<QQ", content, 512 + 24) == (1, 64 * MIB // 512 - 1)
    assert struct.unpack_from("<QQ", content, len(content) - 512 + 24) == (64 * MIB // 512 - 1, 1)
    report = check_ext4(disk, partition.offset)
    assert report.is_clean, report.text
    assert read_file(disk, "etc/hostname", partition.offset) == b"web\n"


def test_changing_files_changes_a_few_blocks_and_leaves_the_file_system_clean(tmp_path):
    disk = tmp_path / "os.img"
    at = make_partitioned(disk, 64 * MIB, FILES, label="root").offset
    store = ImageStore()
    image = store.create(64 * MIB)
    image.copy_from(disk)
    before = image.freeze_copy()
    write_file(disk, "etc/hostname", b"changed\n", at)
    write_file(disk, "etc/new", b"new" * 1000, at)
    image.copy_from(disk)
    assert 0 < image.changed_bytes_since(before) <= 128 * 1024
    restored = tmp_path / "restored.img"
    image.freeze_copy().copy_to(restored)
    store.close()
    assert check_ext4(restored, at).is_clean
    assert read_file(restored, "etc/hostname", at) == b"changed\n"
    assert read_file(restored, "etc/new", at) == b"new" * 1000
    assert read_file(restored, "var/lib/app/data.bin", at) == FILES["var/lib/app/data.bin"]


def test_the_same_arguments_make_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        make_partitioned(tmp_path / name, 32 * MIB, FILES, label="root")
        write_file(tmp_path / name, "etc/hostname", b"again", MIB)
        os.utime(tmp_path / name, (1, 1))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_damage_is_found(tmp_path):
    disk = tmp_path / "data.img"
    make_ext4(disk, 32 * MIB, FILES, label="data")
    with open(disk, "r+b") as file:
        file.seek(4096 + 1)  # the table of the block groups
        file.write(b"\xff" * 40)
    report = check_ext4(disk)
    assert not report.is_clean
    assert report.text
    with open(tmp_path / "zeros.img", "wb") as file:
        file.truncate(32 * MIB)
    assert not check_ext4(tmp_path / "zeros.img").is_clean
    with pytest.raises(ValueError, match="no intact GUID partition table"):
        first_partition(tmp_path / "zeros.img")


def test_what_is_not_there_is_named(tmp_path):
    disk = tmp_path / "data.img"
    make_ext4(disk, 32 * MIB, FILES, label="data")
    with pytest.raises(FileSystemError, match="nowhere: File not found"):
        read_file(disk, "nowhere")
    with pytest.raises(FileSystemError, match="File not found"):
        write_file(disk, "no/such/directory", b"x")
    with pytest.raises(ValueError, match="letters, digits"):
        write_file(disk, '../"quoted"', b"x")
    with pytest.raises(FileExistsError):
        make_ext4(disk, 32 * MIB, FILES, label="data")


def test_a_file_system_that_is_too_small_for_its_files_says_so(tmp_path):
    with pytest.raises(FileSystemError, match=r"mkfs\.ext4 failed on data\.img"):
        make_ext4(tmp_path / "data.img", 2 * MIB, {"large": bytes(range(256)) * 40_000}, label="data")


def test_a_missing_program_is_named_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("simulator.file_systems._MORE_PLACES", ())
    with pytest.raises(FileSystemError, match=r"mkfs\.ext4 is missing.*apt-get install e2fsprogs"):
        make_ext4(tmp_path / "data.img", 32 * MIB, {}, label="data")


def test_programs_are_found_where_path_does_not_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    make_ext4(tmp_path / "data.img", 32 * MIB, {}, label="data")
    assert check_ext4(tmp_path / "data.img").is_clean
