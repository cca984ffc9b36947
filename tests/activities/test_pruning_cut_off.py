"""Every step of pruning is cut off at each of its requests, to Azure, the tables and the manifests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from activities.leftovers import PointName, delete_leftovers
from activities.retention import (
    PruneRequest,
    delete_replica,
    forget_points,
    mark_replicas,
)
from domain.errors import Transient
from domain.leftovers import FAILURES_TOLD, QUIET
from domain.retention import GRACE
from gateways.connection import cloud, use
from tests.reach import Reach

MOST_REQUESTS = 80


class Scissors:
    """Cuts the connection at one request, before it arrives or after it was carried out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left: int | None = None
        self._is_after = False
        self.cuts = 0
        for network in (requests.Session, Reach):  # to Azure, and to the storage accounts
            monkeypatch.setattr(network, "send", self._cutting(network.send))

    def cut(self, place: int, *, after: bool) -> None:
        """Cut at the request that comes after so many others."""
        self._left, self._is_after = place, after

    def mend(self) -> None:
        """Cut no more."""
        self._left = None

    def _cutting(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def sent(network: Any, request: Any, **options: Any) -> Any:
            is_here, self._left = self._left == 0, None if self._left is None else self._left - 1
            if not is_here:
                return send(network, request, **options)
            self.cuts += 1
            if self._is_after:
                send(network, request, **options)
            raise requests.ConnectionError("cut off", request=request)

        return sent


@pytest.fixture
def scissors(monkeypatch: pytest.MonkeyPatch) -> Scissors:
    return Scissors(monkeypatch)


def cut_at_each_request(scissors: Scissors, step: Callable[[Any], Any], request: Any, after: bool) -> Any:
    """Repeat a step, each time cut off one request later, until it ends before it comes to the cut."""
    for place in range(MOST_REQUESTS):
        scissors.cut(place, after=after)
        try:
            result = step(request)
        except Transient:
            continue
        finally:
            scissors.mend()
        return result
    raise AssertionError(f"{step.__name__} has no end")


@pytest.mark.parametrize("after", [False, True])
def test_a_prune_that_is_cut_off_everywhere_ends_as_one_that_was_not(world, scissors, after):
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "daily"})
    for number in range(3):
        if number == 1:
            world.cloud.faults.fail_operation("PUT", "/snapshots-west/")
        world.back_up("web", within=timedelta(minutes=30))
        world.clock.advance(timedelta(days=1))
    daily = replace(cloud().policies.policies["daily"], keep_last={"west": 1, "north": 1}, most_pruned=1.0)
    use(replace(cloud(), policies=replace(cloud().policies, policies={"daily": daily})))
    newest, failed, oldest = world.points_of(world.machines["web"].id)
    vm = PruneRequest(newest.vm.key)

    cut_at_each_request(scissors, mark_replicas, vm, after)
    world.clock.advance(max(GRACE, QUIET))
    plan = cut_at_each_request(scissors, mark_replicas, vm, after)
    assert {name.point for name in plan.delete} == {oldest.id}
    assert plan.clean == (failed.id,)

    steps: list[tuple[Callable[[Any], Any], Any]] = [(delete_replica, name) for name in plan.delete]
    steps.append((delete_leftovers, PointName(failed.id)))
    for step, name in steps:
        while not cut_at_each_request(scissors, step, name, after).is_over:
            world.clock.advance(timedelta(minutes=1))
    world.clock.advance(FAILURES_TOLD)
    cut_at_each_request(scissors, forget_points, vm, after)

    assert world.points_of(world.machines["web"].id) == [newest]
    assert scissors.cuts > 40
    world.assert_books_and_cloud_agree()
    assert len(list(cloud().catalogue.copies.find(oldest, "north"))) == 0
    restored = world.restore(newest.id, "north")
    assert restored.disk("web-data") == b"first"
