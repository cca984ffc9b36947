"""A replica by page ranges: the previous disk and what was copied are the current one, byte for byte.

The model is a disk as a list of pages. Each step writes or clears some; Azure reports what a step touched,
also where the bytes are the same as before, and a cleared page only if it was allocated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.page_ranges import PAGE_BYTES, PageRange, clipped, joined, overlaid
from domain.page_writes import Costs, plan_writes
from domain.windows import covered_windows
from tests.domain.page_samples import numbers, pages_of

PAGES = 64
ZERO = bytes(PAGE_BYTES)


@dataclass(frozen=True)
class Disk:
    """The pages of a disk, None where nothing is allocated, and its VHD footer as the last one."""

    pages: tuple[bytes | None, ...]

    @property
    def blob(self) -> bytes:
        return b"".join(page or ZERO for page in (*self.pages, self.footer))

    @property
    def footer(self) -> bytes:
        return f"footer of {len(self.pages)} pages".encode().ljust(PAGE_BYTES, b"~")

    def after(self, steps, name):
        """The disk after some steps; `name` makes what they write differ from what others do."""
        pages = list(self.pages)
        for number, (first, count, is_clear) in enumerate(steps):
            for page in range(first, min(first + count, len(pages))):
                pages[page] = (
                    None if is_clear else f"{name} {number} {page};".encode().ljust(PAGE_BYTES, b".")
                )
        return replace(self, pages=tuple(pages))

    def grown(self, more_pages):
        return replace(self, pages=self.pages + (None,) * more_pages)


def changes(previous, current, steps):
    """What Azure reports of two snapshots with these steps between them, footers included."""
    kinds: dict[int, bool] = {}
    for first, count, is_clear in steps:
        kinds |= dict.fromkeys(range(first, min(first + count, len(current.pages))), is_clear)
    before = dict(enumerate(previous.pages))
    kinds = {page: is_clear for page, is_clear in kinds.items() if not is_clear or before.get(page)}
    if len(current.pages) != len(previous.pages):
        kinds.setdefault(len(previous.pages), True)  # the old footer's place is disk now
        kinds[len(current.pages)] = False
    return listed(kinds)


def listed(kinds):
    pages = (PageRange(page * PAGE_BYTES, (page + 1) * PAGE_BYTES, kinds[page]) for page in sorted(kinds))
    return list(joined(pages))


def written(target, writes, source):
    """Carry the writes out on a page blob, from the source's bytes."""
    for write in writes:
        span = slice(write.start, write.end)
        target[span] = bytes(write.length) if write.is_clear else source[span]


steps = st.lists(st.tuples(st.integers(0, PAGES - 1), st.integers(1, 12), st.booleans()), max_size=6)
costs = st.builds(Costs, st.sampled_from([0, 1, 5]), st.sampled_from([0, 0.1 / 512, 1 / 512, 3 / 512]))
page_counts = st.integers(1, PAGES).map(lambda count: count * PAGE_BYTES)


@settings(max_examples=300)
@given(
    base=steps, between=steps, more_pages=st.sampled_from([0, 0, 1, 9]), other=st.none() | steps,
    costs=costs, limit=page_counts, window=page_counts, chance=st.randoms(use_true_random=False),
)  # fmt: skip
def test_previous_and_copied_is_current(base, between, more_pages, other, costs, limit, window, chance):
    previous = Disk((None,) * (PAGES - more_pages)).after(base, "base")
    current = previous.grown(more_pages).after(between, "current")
    target = bytearray(previous.blob.ljust(len(current.blob), b"\0"))
    changed = changes(previous, current, between)
    dirty = spoilt(target, previous, other, costs, limit, chance) if other is not None else []

    wanted = list(overlaid(changed, dirty))
    before = bytes(target)
    touched = set()
    for start, end in shuffled(covered_windows(wanted, window, len(target)), chance):
        writes = list(plan_writes(clipped(wanted, start, end), costs, limit))
        touched |= {page for write in writes for page in numbers(write.start, write.end)}
        inside = [page for page in pages_of(wanted) if page in numbers(start, end)]
        assert touched & set(numbers(start, end)) <= set(range(min(inside), max(inside) + 1))
        for attempt in attempts(writes, chance):
            written(target, attempt, current.blob)

    assert target == current.blob
    for page in set(numbers(0, len(target))) - touched:
        span = slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
        assert target[span] == before[span]  # untouched, and right


def spoilt(target, previous, other, costs, limit, chance):
    """Leave an unfinished copy of another snapshot in the target, and return what Azure lists of it then."""
    snapshot = previous.after(other, "another")
    writes = list(plan_writes(changes(previous, snapshot, other), costs, limit))
    done = chance.sample(writes, chance.randint(0, len(writes)))
    written(target, done, snapshot.blob)
    return listed({page: each.is_clear for each in done for page in numbers(each.start, each.end)})


def attempts(writes, chance):
    """Some writes were done before the first attempt was lost; the next does all; some are done once more."""
    lost = chance.sample(writes, chance.randint(0, len(writes)))
    again = chance.sample(writes, chance.randint(0, len(writes)))
    return lost, shuffled(writes, chance), again


def shuffled(items, chance):
    items = list(items)
    chance.shuffle(items)
    return items


@given(base=steps, costs=costs, limit=page_counts)
def test_a_whole_copy_into_a_fresh_blob_is_the_disk(base, costs, limit):
    disk = Disk((None,) * PAGES).after(base, "base")
    allocated = {page: False for page, content in enumerate((*disk.pages, disk.footer)) if content}
    target = bytearray(len(disk.blob))
    writes = list(plan_writes(listed(allocated), costs, limit))
    written(target, writes, disk.blob)
    assert target == disk.blob
    assert not any(write.is_clear for write in writes)
