"""Turns at disks and places for batches: held by few at a time, and given back whatever happens."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from activities.opening import LASTS, turn
from domain.errors import Transient
from gateways.connection import cloud
from gateways.permits import Permits


def held(world, *pools):
    """Who holds places in these pools now."""
    permits = cloud().catalogue.permits
    found = [permits.read(row) for pool in pools for row in permits.table.query(pool)]
    return sorted(permit.holder for permit in found if permit.expires > world.clock.now())


def test_a_disk_has_one_turn_and_whoever_has_none_holds_nothing(world):
    with turn("first", "os") as ours:
        assert ours
        with turn("second", "os", {"verifications": 1}) as theirs:
            assert not theirs
            assert held(world, "verifications") == ["second"]
        assert held(world, "verifications", "batches", "turn~os") == ["first", "first"]
        with turn("second", "data") as theirs:
            assert theirs
    assert held(world, "batches", "turn~os", "turn~data") == []


def test_few_batches_run_at_a_time(world):
    with ExitStack() as many:
        for number in range(3):
            assert many.enter_context(turn(f"copy {number}", f"disk {number}"))
        with turn("one more", "another disk") as ours:
            assert not ours
        world.clock.advance(LASTS)  # whoever held them has died
        with turn("one more", "another disk") as ours:
            assert ours


@pytest.mark.parametrize("pool", ["batches", "turn~os"])
def test_what_was_taken_goes_back_where_the_rest_cannot_be_asked_for(world, monkeypatch, pool):
    def take(permits, asked, *others, usual=Permits.take, **more):
        if asked == pool:
            raise Transient("TooManyRequests", "the table is busy")
        return usual(permits, asked, *others, **more)

    monkeypatch.setattr(Permits, "take", take)
    with pytest.raises(Transient, match="busy"), turn("first", "os", {"verifications": 1}):
        pytest.fail("nobody has the turn")
    assert held(world, "verifications", "batches", "turn~os") == []
