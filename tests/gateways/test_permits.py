"""Permits on Azurite: who comes late, or twice, takes no place from the attempt that has it by then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableServiceClient

from domain.copy_queues import Permit
from gateways.catalogue import Catalogue
from gateways.permits import Permits
from tests.conftest import Accounts
from tests.domain.samples import NORTH, NOW

LATER = NOW + timedelta(hours=12)
POOL = NORTH.pool


@pytest.fixture
def permits(accounts: Accounts) -> Permits:
    account = accounts.fresh()
    credential = AzureNamedKeyCredential(account.name, account.key)
    return Catalogue(TableServiceClient(account.table_endpoint, credential=credential, retry_total=0)).permits


def holders(permits: Permits) -> dict[str, tuple[str, int]]:
    """Return who holds which place, and for which of its attempts."""
    held = {row.key: permits.read(row) for row in permits.table.query(POOL)}
    return {number: (permit.holder, permit.attempt) for number, permit in held.items()}


def test_a_place_that_was_renewed_since_is_not_given_back_by_who_had_it_before(permits):
    first = permits.take(POOL, Permit("a copy", LATER), NOW)
    second = permits.take(POOL, Permit("a copy", LATER), NOW)  # of the same moment, and in the same words
    assert first.key == second.key == "00"
    permits.give_back(first)
    assert holders(permits) == {"00": ("a copy", 1)}
    permits.give_back(second)
    assert holders(permits) == {}
    permits.give_back(second)


def test_an_attempt_that_is_over_leaves_the_place_to_a_later_one(permits):
    permits.take(POOL, Permit("a copy", LATER, attempt=1), NOW)
    permits.take(POOL, Permit("a copy", LATER, attempt=2), NOW)
    permits.take(POOL, Permit("a copy", LATER, attempt=1), NOW)  # by somebody who comes late
    permits.take(POOL, Permit("another", LATER, attempt=1), NOW)
    permits.give_back_after(POOL, "a copy", 1)
    assert holders(permits) == {"00": ("a copy", 2), "01": ("another", 1)}
    permits.give_back_after(POOL, "a copy", 2)
    assert holders(permits) == {"01": ("another", 1)}


@pytest.mark.parametrize("next_holder", [None, "another"])
def test_a_place_that_goes_while_it_is_renewed_is_not_taken_for_ones_own(permits, monkeypatch, next_holder):
    mine = permits.take(POOL, Permit("a copy", LATER), NOW)
    query = permits.table.query

    def overtaken(pool):
        seen = query(pool)
        monkeypatch.undo()
        permits.give_back(mine)
        if next_holder:
            permits.take(POOL, Permit(next_holder, LATER), NOW)
        return seen

    monkeypatch.setattr(permits.table, "query", overtaken)
    assert permits.take(POOL, Permit("a copy", LATER + timedelta(hours=1)), NOW) is None
    assert holders(permits) == ({"00": ("another", 1)} if next_holder else {})
    assert all(permits.read(row).expires == LATER for row in permits.table.query(POOL))


def test_a_place_whose_time_is_over_is_taken_by_another(permits):
    dead = permits.take(POOL, Permit("a copy", NOW), NOW)
    assert permits.take(POOL, Permit("another", LATER), NOW).key == dead.key
    permits.give_back(dead)
    assert holders(permits) == {"00": ("another", 1)}
