"""A restore that dies is found, however long ago that was, and its point is kept until it is over."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from activities.restore_preflight import check_restore
from activities.restores import RestoreRecord, record_restore
from activities.sweeping import Sweep, find_unattended
from activities.vm_books import books_of
from domain.errors import Transient
from domain.operations import Operation, OperationState
from domain.requests import RestoreRequest
from domain.restore_outcomes import RestoreOutcome
from durable import to_wire
from gateways.catalogue import Operations, RestorePoints
from gateways.connection import cloud
from tests.activities.taken import take_a_point
from tests.world import START, World


@pytest.fixture
def request_at_work(world):
    """What a restore at home was asked for with that has looked at everything and made nothing yet."""
    point = take_a_point(world)
    request = RestoreRequest("20261122-11111111111111111111", point.id, cloud().policies.locations["west"])
    cloud().catalogue.operations.accept(
        Operation(
            id=request.operation, kind="restore", who="a test", asked=START, subject=point.id,
            orchestrator="restore", instance=request.instance, request=to_wire(request),
        )
    )  # fmt: skip
    assert check_restore(request).plan
    return request


class NobodyAtWork:
    """A durable client of a host that runs nothing."""

    async def get_status(self, instance_id):
        return None


def found_at(world: World, moment: datetime) -> list[str]:
    """Return what a look at a moment wants to be started, of the operations of that day and of older ones."""
    world.clock.move_to(moment)

    async def find():
        return await find_unattended(Sweep((f"{moment:%Y%m%d}",)), NobodyAtWork())

    return [start.instance for start in asyncio.run(find()).starts]


def test_what_an_app_has_left_that_was_away_for_days_is_found_with_the_first_look_of_a_day(
    world, request_at_work
):
    assert found_at(world, datetime(2026, 12, 2, 0, 5, tzinfo=START.tzinfo)) == []
    assert found_at(world, datetime(2026, 12, 3, 0, 4, tzinfo=START.tzinfo)) == [request_at_work.instance]


def test_one_that_dies_while_it_is_recorded_keeps_its_point_until_it_is_over(request_at_work, monkeypatch):
    def dies(*_):
        raise Transient("Died", "the host has died")

    operations, points = cloud().catalogue.operations, cloud().catalogue.restore_points
    record = RestoreRecord(request_at_work, RestoreOutcome())
    with monkeypatch.context() as dying:
        dying.setattr(Operations, "alter", dies)
        with pytest.raises(Transient):
            record_restore(record)
    assert points.find(request_at_work.point).uses.keys() == {request_at_work.operation}

    with monkeypatch.context() as dying:
        dying.setattr(RestorePoints, "alter", dies)
        with pytest.raises(Transient):
            record_restore(record)
    assert operations.find(request_at_work.operation).state is OperationState.SUCCEEDED
    [point] = books_of(points.find(request_at_work.point).vm.key).points  # as pruning reads them
    assert point.uses == {}
