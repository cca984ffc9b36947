"""The plan of page writes: the cheapest there is, inside the limits, decided as the list goes by."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.merging import clustered, optimum, scattered
from domain.page_ranges import PAGE_BYTES, PageRange
from domain.page_writes import LONGEST_LOOK_AHEAD, MOST_BYTES, Costs, Write, plan_writes
from tests.domain.page_samples import drawn, many, numbers, pages_of, range_lists

MIB = 1024**2
# By pages, to be counted in the head: a request is worth three pages.
BY_PAGE = Costs(per_request=3, per_byte=1 / PAGE_BYTES)


def pages(writes):
    return [(each.start // 512, each.end // 512, "c" if each.is_clear else "w") for each in writes]


@pytest.mark.parametrize(
    ("drawing", "most_pages", "expected"),
    [
        ("", 8, []),  # nothing changed
        ("w..w", 8, [(0, 4, "w")]),  # two pages cost less than a request
        ("w...w", 8, [(0, 1, "w"), (4, 5, "w")]),  # three cost as much: nothing is written for nothing
        ("..w..", 8, [(2, 3, "w")]),  # nothing before the first change, nothing behind the last
        ("w|c|w", 8, [(0, 3, "w")]),  # a small clear is copied along: the source reads zeros
        ("wcccccw", 8, [(0, 7, "w")]),  # five pages, and two requests less
        ("wccccccw", 9, [(0, 1, "w"), (1, 7, "c"), (7, 8, "w")]),  # six pages are worth the two requests
        ("wcc", 8, [(0, 3, "w")]),  # at the end of a piece it saves one request
        ("wccc", 8, [(0, 1, "w"), (1, 4, "c")]),
        ("cccc", 8, [(0, 4, "c")]),
        ("c" * 60, 8, [(0, 60, "c")]),  # a clear has any length
        ("cc..cc", 8, [(0, 2, "c"), (4, 6, "c")]),  # what is between two clears is not cleared with them
        ("w" * 20, 8, [(0, 8, "w"), (8, 16, "w"), (16, 20, "w")]),  # no piece above the limit
        ("wwww.wwww", 8, [(0, 4, "w"), (5, 9, "w")]),  # too long for one: then the gap is not written
        ("w.www..w", 6, [(0, 5, "w"), (7, 8, "w")]),  # of two gaps the wider one is left out
        ("w..ww.w", 6, [(0, 1, "w"), (3, 7, "w")]),  # also if it comes first
        ("wwww|c|wwww", 5, [(0, 5, "w"), (5, 9, "w")]),  # a piece may end behind, or in, a clear range
    ],
)
def test_neighbours_are_written_together_where_that_is_cheaper(drawing, most_pages, expected):
    assert pages(plan_writes(drawn(drawing), BY_PAGE, most_pages * PAGE_BYTES)) == expected


def cost(writes, costs):
    return sum(costs.of(write) for write in writes)


costs = st.builds(
    lambda request, per_page: Costs(request, per_page / PAGE_BYTES),
    st.sampled_from([0, 1, 1, 1, 1, 40]),
    st.sampled_from([0, 0.01, 0.1, 0.2, 0.34, 0.5, 1, 3]),
)
limits = st.integers(1, 24).map(lambda count: count * PAGE_BYTES)


@settings(max_examples=300)
@given(range_lists, costs, limits)
@example(drawn("wccccw"), Costs(1, 0), 3 * PAGE_BYTES)  # a clear range longer than a piece, copied by two
@example(drawn("wccccccw"), Costs(1, 0), 3 * PAGE_BYTES)  # as long as two
@example(drawn("w....w"), Costs(1, 0.24 / PAGE_BYTES), 6 * PAGE_BYTES)  # a gap that costs nearly a request
def test_no_plan_is_cheaper(ranges, costs, most_bytes):
    planned = cost(plan_writes(ranges, costs, most_bytes), costs)
    assert planned <= optimum(ranges, costs, most_bytes, PAGE_BYTES) * (1 + 1e-9)


@given(range_lists, costs, limits)
def test_everything_that_changed_is_written_once_and_nothing_else_but_what_was_merged(ranges, costs, limit):
    changed, planned = pages_of(ranges), list(plan_writes(ranges, costs, limit))
    assert all(before.end <= after.start for before, after in pairwise(planned))
    touched = set()
    for write in planned:
        inside = list(numbers(write.start, write.end))
        assert inside
        touched |= set(inside)
        # What was merged lies between two changes: no write begins or ends with anything else.
        assert {inside[0], inside[-1]} <= set(changed)
        if write.is_clear:
            assert all(changed.get(page) for page in inside)
        else:
            assert write.length <= limit
    assert set(changed) <= touched


@pytest.mark.parametrize("make", [scattered, clustered])
@pytest.mark.parametrize(("change_kib", "count"), [(4, 2_000), (64, 1_000), (1024, 100)])
def test_the_plan_for_a_disk_costs_at_most_a_fiftieth_more_than_the_optimum(make, change_kib, count):
    ranges = make(change_kib * 1024, count)
    planned = cost(plan_writes(ranges), Costs())
    assert planned <= 1.02 * optimum(ranges, Costs(), MOST_BYTES, 4096)
    assert planned < cost(plan_writes(ranges, Costs(per_request=0)), Costs())  # each change by itself


def test_a_whole_disk_is_a_row_of_full_pieces_that_nobody_waits_for():
    disk = [PageRange(0, 8 * 1024**4)]
    assert list(islice(plan_writes(disk), 3)) == [
        Write(place * 4 * MIB, (place + 1) * 4 * MIB) for place in range(3)
    ]


def shrinking_gaps(count):
    """What keeps the most open: each change would be a better place to begin a piece at than all before."""
    start = 0
    for place in range(count):
        start += PAGE_BYTES * (200 - place % 200)
        yield PageRange(start, start + PAGE_BYTES)
        start += PAGE_BYTES


@pytest.mark.parametrize("make", [many, shrinking_gaps])
@pytest.mark.parametrize("costs", [Costs(), Costs(1, 0), Costs(1, 1e-6)])
def test_the_plan_looks_a_bounded_way_ahead_however_long_the_list_is(make, costs):
    read_to, done, furthest = 0, 0, 0

    def read():
        nonlocal read_to
        for each in make(20_000):
            read_to = each.end
            yield each

    for write in plan_writes(read(), costs):
        furthest, done = max(furthest, read_to - done), write.end
    # Gaps are never longer than a piece here.
    assert 0 < furthest <= (LONGEST_LOOK_AHEAD + 2) * 2 * MOST_BYTES
    if make is many and costs.per_byte == 0:  # one place is the best wherever the next piece ends
        assert furthest <= 3 * MOST_BYTES
    assert done == read_to


@pytest.mark.parametrize("look_ahead", [4, 16])
def test_what_is_decided_early_costs_one_request_in_many(monkeypatch, look_ahead):
    monkeypatch.setattr("domain.page_writes.LONGEST_LOOK_AHEAD", look_ahead)
    ranges = list(shrinking_gaps(600))
    planned = cost(plan_writes(ranges, Costs(), 64 * 1024), Costs())
    least = optimum(ranges, Costs(), 64 * 1024, PAGE_BYTES)
    # Of so many requests one is too many; where none is, nothing was decided early.
    assert 1.001 * least < planned <= (1 + 1 / (look_ahead - 1)) * least


@pytest.mark.parametrize("count", [0, 1, 10_000, 10_001, 200_000])
def test_lists_of_any_length_are_planned_whole(count):
    end = 0
    for write in plan_writes(many(count)):
        assert write.start <= end + 4096  # nothing but gaps is left out
        end = write.end
    assert end == max(8192 * count - 4096, 0)


def test_a_list_that_is_not_to_be_trusted_plans_nothing_beyond_its_fault():
    ranges = [PageRange(0, 512), PageRange(MIB, MIB + 512), PageRange(0, 512)]
    plan = plan_writes(ranges)
    with pytest.raises(ValueError, match="goes backwards"):
        list(plan)


@pytest.mark.parametrize("most_bytes", [0, -512, 511, 513, 4 * MIB + 512])
def test_a_limit_that_azure_would_refuse_is_refused_at_once(most_bytes):
    with pytest.raises(ValueError, match=f"a piece of {most_bytes} bytes"):
        plan_writes([], Costs(), most_bytes)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_cost_is_finite_and_not_negative(wrong):
    with pytest.raises(ValueError, match="a request cannot cost"):
        Costs(per_request=wrong)
    with pytest.raises(ValueError, match="a byte cannot cost"):
        Costs(per_byte=wrong)


def test_by_default_a_request_is_worth_as_many_bytes_as_the_limits_of_a_page_blob_say():
    assert int(Costs().per_request / Costs().per_byte) == 125_829
