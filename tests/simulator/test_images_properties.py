"""Disks hold against the plainest model there is: a bytearray, and a set of written pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulator.images import Image, ImageStore
from simulator.images.chunks import CHUNK_BYTES
from simulator.images.ranges import PAGE_BYTES, PageRange

FIRST_SIZE = 2 * CHUNK_BYTES + 8 * PAGE_BYTES


@dataclass
class Model:
    """What an image should be."""

    content: bytearray
    written: set[int] = field(default_factory=set)
    is_frozen: bool = False

    def copy(self, is_frozen: bool) -> Model:
        return Model(bytearray(self.content), set(self.written), is_frozen)

    def write(self, offset: int, data: bytes) -> None:
        self.content[offset : offset + len(data)] = data
        if data:
            self.written |= set(range(offset // PAGE_BYTES, (offset + len(data) - 1) // PAGE_BYTES + 1))

    def clear(self, first: int, count: int) -> None:
        self.content[first * PAGE_BYTES : (first + count) * PAGE_BYTES] = bytes(count * PAGE_BYTES)
        self.written -= set(range(first, first + count))


def pages_of(ranges: list[PageRange], is_clear: bool) -> set[int]:
    return {
        page
        for each in ranges
        if each.is_clear == is_clear
        for page in range(each.start // PAGE_BYTES, each.end // PAGE_BYTES)
    }


def assert_ascending_and_joined(ranges: list[PageRange]) -> None:
    for each in ranges:
        assert each.start < each.end
    for before, after in pairwise(ranges):
        assert before.end <= after.start
        assert before.end < after.start or before.is_clear != after.is_clear


class Disks(RuleBasedStateMachine):
    """Any sequence of writes, clears, resizes, snapshots, restores and releases on a family of images."""

    def __init__(self) -> None:
        super().__init__()
        self.store = ImageStore()
        self.pairs: list[tuple[Image, Model]] = []
        self.pairs.append((self.store.create(FIRST_SIZE), Model(bytearray(FIRST_SIZE))))

    def teardown(self) -> None:
        self.store.close()

    def mutable(self, data: st.DataObject) -> tuple[Image, Model]:
        return data.draw(st.sampled_from([pair for pair in self.pairs if not pair[1].is_frozen]))

    @precondition(lambda self: any(not model.is_frozen for _, model in self.pairs))
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        image, model = self.mutable(data)
        near = data.draw(st.sampled_from([0, CHUNK_BYTES, 2 * CHUNK_BYTES, image.size_bytes]))
        offset = max(0, min(image.size_bytes, near + data.draw(st.integers(-3000, 3000))))
        length = data.draw(st.sampled_from([0, 1, 511, 512, 513, 4096, 5000, 40_000, CHUNK_BYTES + 700]))
        length = min(length, image.size_bytes - offset)
        content = bytes([data.draw(st.integers(0, 255))]) * length
        image.write(offset, content)
        model.write(offset, content)

    @precondition(lambda self: any(not model.is_frozen for _, model in self.pairs))
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        image, model = self.mutable(data)
        pages = image.size_bytes // PAGE_BYTES
        first = data.draw(st.integers(0, pages))
        count = min(data.draw(st.sampled_from([0, 1, 2, 7, 8, 9, 300, 2000])), pages - first)
        image.clear(first * PAGE_BYTES, count * PAGE_BYTES)
        model.clear(first, count)

    @precondition(lambda self: any(not model.is_frozen for _, model in self.pairs))
    @rule(data=st.data(), more_pages=st.integers(0, 600))
    def resize(self, data: st.DataObject, more_pages: int) -> None:
        image, model = self.mutable(data)
        if image.size_bytes < 2 * FIRST_SIZE:
            image.resize(image.size_bytes + more_pages * PAGE_BYTES)
            model.content.extend(bytes(more_pages * PAGE_BYTES))

    @precondition(lambda self: 0 < len(self.pairs) < 8)
    @rule(data=st.data(), is_frozen=st.booleans())
    def copy(self, data: st.DataObject, is_frozen: bool) -> None:
        image, model = data.draw(st.sampled_from(self.pairs))
        copied = image.freeze_copy() if is_frozen else image.thaw_copy()
        self.pairs.append((copied, model.copy(is_frozen)))

    @precondition(lambda self: len(self.pairs) > 1)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        image, _ = self.pairs.pop(data.draw(st.integers(0, len(self.pairs) - 1)))
        image.release()

    @invariant()
    def every_image_holds_its_bytes_and_knows_its_ranges(self) -> None:
        for image, model in self.pairs:
            assert image.size_bytes == len(model.content)
            assert image.read(0, image.size_bytes) == bytes(model.content)
            ranges = list(image.page_ranges())
            assert_ascending_and_joined(ranges)
            assert pages_of(ranges, is_clear=False) == model.written
            assert image.changed_bytes_since(None) == len(model.written) * PAGE_BYTES

    @invariant()
    def any_image_plus_the_changes_is_any_other(self) -> None:
        for older, older_model in self.pairs:
            for newer, newer_model in self.pairs:
                changes = list(newer.changes_since(older))
                assert_ascending_and_joined(changes)
                assert older_plus(changes, older_model, newer_model) == newer_model.content
                zeroed = older_model.written - newer_model.written
                end = newer.size_bytes // PAGE_BYTES
                assert pages_of(changes, is_clear=True) == {page for page in zeroed if page < end}

    @invariant()
    def a_window_shows_what_lies_in_it(self) -> None:
        older, newer = self.pairs[0][0], self.pairs[-1][0]
        everything = list(newer.changes_since(older))
        start, end = 100 * PAGE_BYTES, CHUNK_BYTES + 100 * PAGE_BYTES
        inside = [
            PageRange(max(each.start, start), min(each.end, end), each.is_clear)
            for each in everything
            if each.start < end and each.end > start
        ]
        assert list(newer.changes_since(older, start, end)) == inside


def older_plus(changes: list[PageRange], older: Model, newer: Model) -> bytearray:
    size = len(newer.content)
    content = bytearray(older.content[:size].ljust(size, b"\0"))
    for start, end, is_clear in changes:
        content[start:end] = bytes(end - start) if is_clear else newer.content[start:end]
    return content


TestDisks = Disks.TestCase
TestDisks.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
