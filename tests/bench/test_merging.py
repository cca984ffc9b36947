"""The optimum that plans are held against is one: no writes of any kind cost less."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import merging
from domain.page_writes import Costs
from tests.domain.page_samples import drawn, pages_of

costs = st.builds(Costs, st.sampled_from([0, 1, 3]), st.sampled_from([0, 0.1 / 512, 1 / 512, 2 / 512]))


@given(st.text("wc.", min_size=1, max_size=12), costs, st.integers(1, 8))
def test_the_optimum_is_the_cheapest_of_all_ways(drawing, costs, most_pages):
    ranges = drawn(drawing)
    kinds = pages_of(ranges)

    @cache
    def least(page: int) -> float:
        if page == len(drawing):
            return 0
        ways = [] if page in kinds else [least(page + 1)]
        for end in range(page + 1, len(drawing) + 1):
            if end - page <= most_pages:
                ways.append(costs.per_request + (end - page) * 512 * costs.per_byte + least(end))
            if all(kinds.get(each) for each in range(page, end)):
                ways.append(costs.per_request + least(end))
        return min(ways)

    assert merging.optimum(ranges, costs, most_pages * 512, 512) == pytest.approx(least(0))


def test_what_is_measured_meets_its_aim_and_every_row_has_a_name(monkeypatch):
    monkeypatch.setattr(merging, "MOST_CHANGES", 300)
    monkeypatch.setattr(merging, "PLANNED", 300)
    rows = merging.measure()
    assert len({row["name"] for row in rows}) == len(rows) == 6 * 2 + 1
    aimed = [row["value"] for row in rows if row["aim"]]
    assert len(aimed) == 6
    assert all(1 <= value <= merging.AIM for value in aimed)
