"""What disks and snapshots cost, and what they refuse; that their bytes are right: test_images_properties."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from random import Random

import pytest

from simulator.images import Image, ImageStore
from simulator.images.chunks import CHUNK_BYTES
from simulator.images.ranges import PageRange

MIB = 1024 * 1024
TIB = 1024**4
SLACK = 256 * 1024  # what a file system adds of its own


@pytest.fixture
def store():
    store = ImageStore()
    yield store
    store.close()


def test_a_large_disk_costs_what_is_written_in_it(store):
    disk = store.create(TIB)
    assert store.used_bytes() == 0
    random = Random(1)
    for _ in range(64):
        disk.write(random.randrange(TIB // MIB) * MIB, random.randbytes(256 * 1024))
    assert 16 * MIB <= store.used_bytes() <= 16 * MIB + SLACK


def test_a_snapshot_costs_what_changes_after_it(store):
    disk = store.create(TIB)
    disk.write(0, Random(1).randbytes(16 * MIB))
    snapshots = [disk.freeze_copy() for _ in range(20)]
    assert store.used_bytes() <= 16 * MIB + SLACK
    for page in range(0, 16 * MIB, MIB):
        disk.write(page, b"x" * 4096)
    snapshots.append(disk.freeze_copy())
    assert store.used_bytes() <= 16 * MIB + 16 * 4096 + SLACK


def test_deleting_a_middle_snapshot_gives_back_what_nobody_shares_and_keeps_later_ones_complete(store):
    random = Random(1)
    disk = store.create(64 * MIB)
    disk.write(0, random.randbytes(8 * MIB))
    disk.freeze_copy()
    disk.write(4 * MIB, random.randbytes(8 * MIB))
    middle = disk.freeze_copy()
    disk.write(4 * MIB, random.randbytes(6 * MIB))
    last = disk.freeze_copy()
    expected = last.read(0, 64 * MIB)
    before = store.used_bytes()
    middle.release()
    middle.release()
    assert before - store.used_bytes() == pytest.approx(6 * MIB, abs=SLACK)
    assert last.read(0, 64 * MIB) == expected == disk.read(0, 64 * MIB)


def test_bytes_are_given_back_in_blocks_not_only_in_whole_chunks(store):
    disk = store.create(CHUNK_BYTES)
    disk.write(0, b"x" * CHUNK_BYTES)
    full = store.used_bytes()
    disk.clear(0, CHUNK_BYTES // 2)
    assert full - store.used_bytes() >= CHUNK_BYTES // 2 - 4096
    older = disk.freeze_copy()
    disk.write(CHUNK_BYTES // 2, b"y" * (CHUNK_BYTES // 4))
    shared = store.used_bytes()
    older.release()
    assert shared - store.used_bytes() >= CHUNK_BYTES // 4 - 4096


def test_when_everything_is_released_everything_is_given_back_and_used_again(store):
    for _ in range(3):
        disk = store.create(TIB)
        disk.write(5 * MIB + 3, b"x" * 9 * MIB)
        snapshot = disk.freeze_copy()
        disk.write(5 * MIB, b"y" * MIB)
        disk.release()
        snapshot.release()
        assert store.used_bytes() <= SLACK
    assert os.fstat(store.arena.descriptor).st_size <= 16 * MIB


def test_what_is_being_sent_stays_whole_though_its_snapshot_is_deleted(store):
    disk = store.create(4 * MIB)
    content = Random(1).randbytes(MIB)
    disk.write(0, content)
    snapshot = disk.freeze_copy()
    disk.release()
    parts = snapshot.parts(0, MIB)
    snapshot.release()
    other = store.create(4 * MIB)
    other.write(0, b"z" * MIB)  # would be written over what is being sent, were it free
    assert b"".join(block for part in parts for block in part.blocks()) == content
    del parts
    assert store.used_bytes() <= MIB + SLACK


def test_a_list_of_ranges_is_whole_though_its_snapshot_is_deleted_meanwhile(store):
    disk = store.create(64 * MIB)
    disk.write(0, b"x" * 32 * MIB)
    older = disk.freeze_copy()
    for number in range(32):
        disk.write(number * MIB, b"y" * 512)
    newer = disk.freeze_copy()
    written, changed = newer.page_ranges(), newer.changes_since(older)
    first = next(changed)
    for each in (older, newer, disk):
        each.release()
    assert [first, *changed] == [PageRange(number * MIB, number * MIB + 512) for number in range(32)]
    assert list(written) == [PageRange(0, 32 * MIB)]


def test_a_dense_disk_is_read_in_one_stretch_of_the_file(store):
    disk = store.create(64 * MIB)
    disk.write(0, b"x" * 32 * MIB)
    (part,) = disk.freeze_copy().parts(3 * MIB + 5, 4 * MIB)
    assert (part.length, part.file) == (4 * MIB, store.arena.descriptor)


def test_a_snapshot_of_a_disk_with_many_chunks_takes_no_time(store):
    disk = store.create(32 * TIB)
    for number in range(20_000):
        disk.write(number * 16 * CHUNK_BYTES, b"x" * 512)
    began = time.perf_counter()
    snapshots = [disk.freeze_copy() for _ in range(100)]
    assert time.perf_counter() - began < 1.0
    disk.write(5, b"y")
    assert list(disk.changes_since(snapshots[0])) == [PageRange(0, 512)]


def test_fifty_thousand_ranges_are_compared_and_read_in_windows(store):
    disk = store.create(TIB)
    disk.write(0, b"a" * (50_000 * 1024))
    older = disk.freeze_copy()
    for number in range(50_000):
        if number % 2:
            disk.clear(number * 1024, 512)
        else:
            disk.write(number * 1024, b"b" * 512)
    newer = disk.freeze_copy()
    changes = list(newer.changes_since(older))
    assert changes == [PageRange(n * 1024, n * 1024 + 512, bool(n % 2)) for n in range(50_000)]
    assert list(newer.changes_since(older, 1024, 2048)) == [PageRange(1024, 1536, True)]
    assert newer.changed_bytes_since(older) == 25_000 * 512


def sparse_file(path: Path, size_bytes: int, written: dict[int, bytes]) -> Path:
    with open(path, "wb") as file:
        file.truncate(size_bytes)
        for offset, data in written.items():
            file.seek(offset)
            file.write(data)
    return path


def test_a_sparse_file_is_copied_without_its_holes(store, tmp_path):
    path = sparse_file(tmp_path / "disk.img", 32 * MIB, {7 * MIB: b"x" * MIB, 24 * MIB: b"y" * 4096})
    disk = store.create(TIB)
    disk.copy_from(path)
    assert list(disk.page_ranges()) == [PageRange(7 * MIB, 8 * MIB), PageRange(24 * MIB, 24 * MIB + 4096)]
    assert disk.read(0, 32 * MIB) == path.read_bytes()
    assert store.used_bytes() <= MIB + 4096 + SLACK


def test_copying_a_changed_file_again_writes_only_what_changed(store, tmp_path):
    random = Random(1)
    content = {number * MIB: random.randbytes(MIB) for number in (1, 5, 6)}
    disk = store.create(16 * MIB)
    disk.copy_from(sparse_file(tmp_path / "first.img", 16 * MIB, content))
    first = disk.freeze_copy()
    changed = {1 * MIB: content[1 * MIB], 6 * MIB: content[6 * MIB][:8192] + b"new" + content[6 * MIB][8195:]}
    path = sparse_file(tmp_path / "second.img", 16 * MIB, changed)
    disk.copy_from(path)
    assert disk.read(0, 16 * MIB) == path.read_bytes()
    assert list(disk.changes_since(first)) == [
        PageRange(5 * MIB, 6 * MIB, is_clear=True),
        PageRange(6 * MIB + 8192, 6 * MIB + 12288),
    ]


def test_an_image_is_saved_to_a_sparse_file(store, tmp_path):
    disk = store.create(TIB)
    disk.write(3 * MIB + 5, b"hello")
    disk.freeze_copy().copy_to(tmp_path / "saved.img")
    assert os.stat(tmp_path / "saved.img").st_size == TIB
    assert os.stat(tmp_path / "saved.img").st_blocks * 512 <= SLACK
    again = store.create(TIB)
    again.copy_from(tmp_path / "saved.img")
    assert again.read(3 * MIB, 20) == bytes(5) + b"hello" + bytes(10)


def test_writing_from_several_threads_while_snapshots_are_taken_loses_nothing(store):
    disk = store.create(16 * MIB)
    snapshots: list[Image] = []

    def write(lane: int) -> None:
        for number in range(200):
            disk.write((number * 4 + lane) * 4096, bytes([lane + 1]) * 4096)

    writers = [threading.Thread(target=write, args=(lane,)) for lane in range(4)]
    for each in writers:
        each.start()
    while any(each.is_alive() for each in writers):
        snapshots.append(disk.freeze_copy())
        if len(snapshots) > 3:
            snapshots.pop(1).release()
    for each in writers:
        each.join()
    row = b"".join(bytes([lane + 1]) * 4096 for lane in range(4))
    assert disk.read(0, 800 * 4096) == row * 200


def test_a_store_leaves_no_file_behind(tmp_path):
    store = ImageStore(tmp_path)
    store.create(MIB).write(0, b"x")
    assert list(tmp_path.iterdir()) == []
    store.close()
    with pytest.raises(OSError, match="closed"):
        store.used_bytes()


def test_what_cannot_be_is_refused(store):
    disk = store.create(MIB)
    snapshot = disk.freeze_copy()
    with pytest.raises(ValueError, match="frozen"):
        snapshot.write(0, b"x")
    with pytest.raises(ValueError, match="frozen"):
        snapshot.clear(0, 512)
    with pytest.raises(ValueError, match="do not lie inside"):
        disk.write(MIB - 1, b"xy")
    with pytest.raises(ValueError, match="do not lie inside"):
        disk.read(MIB, 1)
    with pytest.raises(ValueError, match="do not lie inside"):
        disk.read(-1, 1)
    with pytest.raises(ValueError, match="multiples of 512"):
        disk.clear(1, 512)
    with pytest.raises(ValueError, match="only grows"):
        disk.resize(MIB - 512)
    with pytest.raises(ValueError, match="a multiple of 512, or none"):
        store.create(513)
    disk.release()
    for use in (disk.freeze_copy, disk.page_ranges, lambda: disk.read(0, 1), lambda: disk.write(0, b"x")):
        with pytest.raises(ValueError, match="released"):
            list(use())
