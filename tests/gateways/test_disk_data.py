"""Opening snapshots, listing their pages and reading them, on the simulated cloud."""

from __future__ import annotations

import logging

import pytest

from clock import ManualClock
from domain.errors import Absent, Refused, Transient
from domain.page_ranges import PageRange
from gateways.page_lists import NO_DIFFERENCE
from tests.gateways.pages_world import DISK_BYTES, HOUR, MIB, pages
from tests.gateways.simulated import START

FOOTER = PageRange(DISK_BYTES, DISK_BYTES + 512)


@pytest.fixture(params=[False, True], ids=["in process", "over HTTP"])
def world(request):
    with pages(over_http=request.param) as world:
        yield world


@pytest.fixture
def here():
    with pages() as world:
        yield world


def properties(world, snapshot_id):
    return world.snapshots._derived.find(snapshot_id)["properties"]


def test_an_opened_snapshot_is_listed_and_read_and_closed_again(world):
    world.write(MIB, 8192)
    first = world.take("first")
    world.write(2 * MIB, 4096)
    world.disk.image.write(MIB, bytes(4096))
    second = world.take("second")
    previous, opened = (world.disk_data.open(each, HOUR) for each in (first, second))
    end = world.disk_data.length(opened)
    assert end == FOOTER.end
    listed = list(world.disk_data.page_ranges(opened, None, 0, end))
    assert [each for each in listed if each.start >= 2 * MIB] == [
        PageRange(2 * MIB, 2 * MIB + 4096),
        FOOTER,
    ]
    changed = list(world.disk_data.page_ranges(opened, previous, 0, end))
    assert changed[-1] == PageRange(2 * MIB, 2 * MIB + 4096)
    assert (changed[0].start, changed[0].end) == (MIB, MIB + 4096)
    buffer = bytearray(4096)
    world.disk_data.read_into(opened, 2 * MIB, memoryview(buffer))
    assert bytes(buffer) == world.disk.image.read(2 * MIB, 4096)
    for each in (first, second):
        world.disk_data.close(each)
        world.disk_data.close(each)
        found = properties(world, each)
        assert (found["networkAccessPolicy"], found["publicNetworkAccess"]) == ("DenyAll", "Disabled")
        assert found["diskState"] == "Unattached"
    with pytest.raises(Refused) as refused:
        world.disk_data.read_into(opened, 0, memoryview(buffer))
    assert refused.value.code == "AuthenticationFailed"


def test_what_a_step_that_died_has_left_open_is_closed_before_it_is_opened_again(here):
    snapshot = here.take("one")
    left, fresh = (here.disk_data.open(snapshot, HOUR) for _ in range(2))
    assert here.disk_data.length(fresh) == FOOTER.end
    with pytest.raises(Refused) as refused:
        here.disk_data.length(left)
    assert refused.value.code == "AuthenticationFailed"


def test_closing_the_absent_succeeds(here):
    snapshot = here.take("one")
    here.disk_data.close(snapshot + "-gone")
    with pytest.raises(Absent):
        here.disk_data.open(snapshot + "-gone", HOUR)


def test_a_sixth_snapshot_of_one_disk_is_refused(here):
    taken = [here.take(f"number-{number}") for number in range(6)]
    for each in taken[:5]:
        here.disk_data.open(each, HOUR)
    with pytest.raises(Refused, match="number-5"):
        here.disk_data.open(taken[5], HOUR)
    here.disk_data.close(taken[0])
    here.disk_data.open(taken[5], HOUR)


def test_opening_that_does_not_end_is_told_and_nobody_waits_for_it(here):
    snapshot = here.take("one")
    standing = ManualClock(START)  # it says that nobody can tell when the next moment comes
    here.clock.seconds_until = standing.seconds_until
    with pytest.raises(Transient) as failure:
        here.disk_data.open(snapshot, HOUR)
    assert failure.value.code == "StillOpening"


def test_an_address_is_in_no_representation_message_or_log(here, caplog):
    caplog.set_level(logging.DEBUG)
    first, second = here.take("first"), here.take("second")
    opened, previous = (here.disk_data.open(each, HOUR) for each in (first, second))
    secret = opened.access.query().partition("sig=")[2]
    told = [repr(opened), repr(here.disk_data), repr(here.blob())]
    here.disk_data.close(first)
    here.cloud.faults.fail("GET", "md-", status=503)
    here.cloud.faults.drop("GET", "md-")
    for _ in range(4):
        with pytest.raises((Refused, Transient)) as failure:
            list(here.disk_data.page_ranges(opened, previous, 0, MIB))
        told.append(str(failure.value))
    with pytest.raises(Refused) as failure:
        here.blob("new").put_from_url(0, 512, opened)
    told += [str(failure.value), caplog.text]
    assert secret
    assert [text for text in told if "sig=" in text or secret in text] == []


@pytest.mark.parametrize(
    ("make_previous", "code"),
    [
        ("closed", "PreviousSnapshotNotFound"),
        ("newer", "PreviousSnapshotCannotBeNewer"),
    ],
)
def test_a_difference_that_azure_cannot_give_is_refused_with_its_reason(here, make_previous, code):
    first, second = here.take("first"), here.take("second")
    older, newer = here.disk_data.open(first, HOUR), here.disk_data.open(second, HOUR)
    if make_previous == "closed":
        here.disk_data.close(first)
        opened, previous = newer, older
    else:
        opened, previous = older, newer
    with pytest.raises(Refused, match="read all of it instead") as refused:
        list(here.disk_data.page_ranges(opened, previous, 0, MIB))
    assert refused.value.code == code
    assert code in NO_DIFFERENCE
    assert type(refused.value) is Refused  # nothing passes that would be worth waiting for
