"""Carrying pages when something breaks: what was heard of is there, and the rest can be done again."""

from __future__ import annotations

import pytest

from domain.errors import Refused, Transient
from domain.page_writes import Write
from gateways.page_transfers import Done, PageTransfer
from tests.gateways.pages_world import DISK_BYTES, HOUR, MIB, PIECE, never, pages


@pytest.fixture
def world():
    with pages() as world:
        yield world


def test_one_connection_that_dies_after_half_a_body_is_made_good_at_once(world):
    world.write(0, 9 * MIB)
    opened, writes = world.whole(world.take("first"))
    blob = world.fresh()
    world.cloud.faults.cut("GET", "md-", after_bytes=PIECE // 2)
    world.cloud.faults.drop("PUT", "comp=page", times=2)
    assert PageTransfer(opened, blob, 1, is_served=False).run(writes, never).is_complete
    assert world.stored()[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


@pytest.mark.parametrize(
    ("status", "code"), [(503, "ServerBusy"), (500, "InternalError"), (403, "AuthenticationFailed")]
)
def test_the_first_failure_ends_it_and_what_was_heard_of_need_not_be_done_again(world, status, code):
    world.write(0, 21 * MIB)
    opened, writes = world.whole(world.take("first"))
    blob = world.fresh()
    world.cloud.faults.fail("PUT", "comp=page", status=status, code=code, skip=3)
    heard: list[Done] = []
    with pytest.raises((Transient, Refused)) as failure:
        PageTransfer(opened, blob, 3, is_served=False).run(writes, never, None, heard.append)
    assert failure.value.code == code
    assert len(heard) < len(writes)
    reached = heard[-1].end if heard else 0
    assert world.stored()[:reached] == world.disk.image.read(0, reached)
    rest = [write for write in writes if write.end > reached]
    assert PageTransfer(opened, blob, 3, is_served=False).run(rest, never).is_complete
    assert world.stored()[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


@pytest.mark.parametrize("way", ["served", "streamed"])
def test_a_source_that_is_closed_in_the_middle_is_told_and_nothing_wrong_is_written(world, way):
    world.write(0, 21 * MIB)
    snapshot = world.take("first")
    opened, writes = world.whole(snapshot)
    blob = world.fresh()

    def closing():
        for number, write in enumerate(writes):
            if number == 4:
                world.disk_data.close(snapshot)
            yield write

    with pytest.raises(Refused) as refused:
        PageTransfer(opened, blob, 2, is_served=way == "served").run(closing(), never)
    assert "sig=" not in str(refused.value)
    kept, wanted = world.stored(), world.disk.image.read(0, DISK_BYTES)
    assert all(
        kept[at : at + PIECE] in (wanted[at : at + PIECE], bytes(PIECE)) for at in range(0, DISK_BYTES, PIECE)
    )


def test_a_fault_of_the_list_itself_ends_the_transfer(world):
    opened = world.disk_data.open(world.take("first"), HOUR)

    def broken():
        yield Write(0, 512)
        raise Refused("PageListDisordered", "the list goes back")

    with pytest.raises(Refused, match="goes back"):
        PageTransfer(opened, world.fresh(), 4).run(broken(), never)
