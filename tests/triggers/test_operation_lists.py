"""GET operations: a day's operations newest first, page by page, and only those that are wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.triggers.harness import START, Api
from tests.triggers.test_operations import back_up


def ids(api: Api, path: str) -> list[str]:
    """Return the ids of a list, page after page."""
    found = []
    while path:
        page = api.ask("GET", path).body
        found += [item["id"] for item in page["items"]]
        path = page["next"]
    return found


def back_up_each_minute(api: Api, count: int) -> list[str]:
    """Ask for a backup of another VM every minute; return the operations' ids, newest first."""
    asked: list[str] = []
    for number in range(count):
        api.clock.advance(timedelta(minutes=1))
        asked.insert(0, back_up(api, f"vm{number}")[0])
    return asked


def test_operations_of_a_day_are_listed_newest_first(api):
    asked = back_up_each_minute(api, 5)
    assert asked != sorted(asked, reverse=True)  # ids are hashes, and say nothing of the order
    assert ids(api, "operations?day=2026-11-22") == asked


def test_without_a_day_it_is_today_and_the_list_says_which_day_that_is(api):
    yesterday = back_up(api, "early")[0]
    api.clock.advance(timedelta(days=1))
    page = api.ask("GET", "operations").body
    assert (page["day"], page["items"], page["next"]) == ("2026-11-23", [], None)
    assert ids(api, page["links"]["previousDay"]) == [yesterday]
    today = back_up(api, "late")[0]
    assert ids(api, "operations") == [today]


def test_the_first_day_that_can_be_asked_for_has_no_day_before(api):
    page = api.ask("GET", "operations?day=2000-01-01").body
    assert (page["day"], page["items"], page["links"]) == ("2000-01-01", [], {})


def test_pages_stay_whole_while_operations_are_added_and_end(api):
    asked = back_up_each_minute(api, 5)
    first = api.ask("GET", "operations?limit=2").body
    assert [item["id"] for item in first["items"]] == asked[:2]
    now = api.clock.now()
    api.connected.catalogue.operations.alter(asked[1], lambda known: known.succeeded({}, now))
    api.clock.advance(timedelta(minutes=1))
    back_up(api, "late")
    assert ids(api, first["next"]) == asked[2:]


def test_operations_of_one_moment_are_all_listed_once(api):
    asked = {back_up(api, f"vm{number}")[0] for number in range(5)}
    found = ids(api, "operations?limit=2")
    assert (len(found), set(found)) == (5, asked)


def test_a_list_goes_on_after_an_operation_that_the_filter_no_longer_lets_through(api):
    asked = back_up_each_minute(api, 4)
    first = api.ask("GET", "operations?state=accepted&limit=2").body
    for known in asked[1:3]:
        api.connected.catalogue.operations.alter(known, lambda operation: operation.running())
    assert ids(api, first["next"]) == asked[3:]


def test_operations_are_chosen_by_kind_and_state_and_vm(api):
    first, web = back_up(api, "web")
    second, _ = back_up(api, "db")
    point = api.add_point(web, START.replace(hour=2, minute=0, second=0))
    restore = api.ask("POST", "restores", {"restorePoint": point.id, "location": "west"}).body["id"]
    now = api.clock.now()
    api.connected.catalogue.operations.alter(second, lambda known: known.failed("no quota is left", now))
    assert ids(api, "operations?kind=restore") == [restore]
    assert set(ids(api, "operations?kind=backup")) == {first, second}
    assert ids(api, "operations?state=failed") == [second]
    assert set(ids(api, f"operations?vm={point.vm.key}")) == {first, restore}
    assert set(ids(api, f"operations?vm={web}&limit=1")) == {first, restore}
    assert ids(api, f"operations?vm={point.vm.key}&kind=backup&state=accepted") == [first]
    assert ids(api, f"operations?vm={point.vm.key}&state=failed") == []


def test_the_link_to_the_day_before_asks_the_same_question(api):
    back_up(api, "db")
    wanted = back_up(api, "web")[0]
    key = api.ask("GET", f"operations/{wanted}").body["links"]["vm"].rsplit("/", 1)[-1]
    api.clock.advance(timedelta(days=1))
    page = api.ask("GET", f"operations?vm={key}&kind=backup&limit=7").body
    assert ids(api, page["links"]["previousDay"]) == [wanted]
    assert "limit=7" in page["links"]["previousDay"]


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("after=20261122-0123456789abcdef0123", "after", "is not one of 2026-11-22; leave it out"),
        ("state=done", "state", "'succeeded' or 'failed'; found 'done'"),
        ("kind=drill", "kind", "there is no kind of operation 'drill'; known are backup, restore"),
        ("vm=web", "vm", "is not the key of a VM"),
        ("day=1999-12-31", "day", "1999-12-31 is outside 2000-01-01 to 2200-01-01"),
        ("day=9999-12-31", "day", "9999-12-31 is outside"),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_fault(api, query, field, reason):
    answer = api.ask("GET", f"operations?{query}")
    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    (fault,) = answer.body["errors"]
    assert fault["field"] == field
    assert reason in fault["message"]


def test_a_page_that_is_full_and_the_last_has_no_next(api):
    back_up(api)
    assert api.ask("GET", "operations?limit=1").body["next"] is None
