"""What random schedules with page blobs have found, told as short as it can be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.restore_points import ReplicaState
from domain.tags import POINT_METADATA
from tests.paged_world import PAGED, VAULT
from tests.world import MIB


def seals(world):
    """Return the seals in the vault with the points that they are of, by the blobs that they are in."""
    return {
        name: {seal: state.metadata[POINT_METADATA] for seal, state in blob.page_blob.snapshots.items()}
        for name, blob in world.replicas().items()
    }


def test_a_seal_whose_answer_is_lost_is_not_taken_twice(paged):
    """On a connection that had been used before, the request was sent again: nobody knew the other seal."""
    web = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.cloud.faults.drop("PUT", "/replicas/.*comp=snapshot", after_executing=True)

    paged.back_up("web", within=timedelta(minutes=30))

    paged.cloud.faults.verify_all_met()
    [point] = paged.points_of(web)
    assert point.replicas[VAULT] is ReplicaState.AVAILABLE
    [held] = seals(paged).values()
    assert list(held.values()) == [point.id]
    paged.assert_kept(point)


def test_what_the_last_attempt_of_a_copy_has_written_is_deleted_when_it_has_failed(paged):
    web = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.cloud.faults.fail("PUT", "/replicas/.*comp=page", status=403, times=3)

    paged.back_up("web", within=timedelta(hours=1))

    paged.cloud.faults.verify_all_met()
    [point] = paged.points_of(web)
    assert point.replicas[VAULT] is ReplicaState.FAILED
    assert paged.replicas()
    paged.pass_hours(3)
    assert not paged.replicas()


@pytest.mark.parametrize("is_seal_alone", [True, False])
def test_a_copy_whose_base_somebody_has_deleted_in_the_vault_is_whole(paged, is_seal_alone):
    """Every copy failed three times, until the next verification had found out."""
    web = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.back_up("web", within=timedelta(minutes=30))
    [(name, blob)] = paged.replicas().items()
    if is_seal_alone:
        blob.page_blob.snapshots.clear()
    else:
        del paged.account.resource.containers["replicas"].blobs[name]

    paged.write("web", "os", b"more", offset=MIB)
    paged.back_up("web", within=timedelta(minutes=30))

    newest = paged.points_of(web)[0]
    assert newest.replicas[VAULT] is ReplicaState.AVAILABLE, paged.copies_of(newest)
    assert "is gone" in paged.copies_of(newest)["web-os"].pages.why_whole
    paged.assert_kept(newest)


def test_a_snapshot_that_azure_does_not_close_holds_up_no_copy_and_is_closed_to_others(paged, caplog):
    """Seed 439: the copy was made again, its worker failed again and again, the snapshot could be opened."""
    web = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.cloud.faults.fail("POST", "/endGetAccess", status=403, times=9)

    paged.back_up("web", within=timedelta(minutes=30))

    [point] = paged.points_of(web)
    copy = paged.copies_of(point)["web-os"]
    assert (copy.state, copy.attempt, copy.is_settled) == ("available", 1, True)
    assert point.replicas[VAULT] is ReplicaState.AVAILABLE
    assert "stays open" in caplog.text
    paged.assert_kept(point)
    paged.assert_closed()
