"""Pruning of page blobs: seals that no rule keeps go, and a blob goes with the last seal in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import CopyState
from gateways.connection import cloud, use
from tests.paged_world import PAGED, VAULT
from tests.world import MIB

DAY = timedelta(days=1)


def keep(**keep_last: int) -> None:
    """Change what the policy keeps."""
    connected = cloud()
    policies = dict(connected.policies.policies)
    policies["paged"] = replace(policies["paged"], keep_last=keep_last, most_pruned=1.0)
    use(replace(connected, policies=replace(connected.policies, policies=policies)))


def take(world, content):
    world.write("web", "os", content, offset=MIB)
    world.back_up("web", within=timedelta(minutes=20))


def prune(world):
    """Let the hourly pruning run, and again when the grace is over."""
    for pause in (timedelta(hours=1), DAY):
        world.jump(world.clock.now().replace(minute=36) + pause)
        world.pass_time(timedelta(minutes=20))


def blobs(world):
    """Return the seals of each page blob in the vault, and how many blobs there are."""
    return {name: sorted(blob.snapshots) for name, blob in world.replicas().items()}


@pytest.fixture
def web(paged):
    keep(west=1, vault=2)
    return paged.add_vm("web", {"os": b"system"}, tags={**PAGED, "tidemark-exclude": "false"})


def test_seals_that_no_rule_keeps_go_and_the_others_stay_whole(paged, web):
    for number in range(4):
        take(paged, f"state {number}".encode())
    prune(paged)

    offered = [point for point in paged.points_of(web) if point.replicas.get(VAULT) == "available"]
    assert len(offered) == 2
    for point in offered:
        assert paged.kept(point, "web-os")[MIB : MIB + 7] in (b"state 2", b"state 3", b"state 4")
    [seals] = blobs(paged).values()
    assert len(seals) == len(
        [p for p in paged.points_of(web) if p.replicas.get(VAULT) in ("available", "expiring")]
    )


def test_a_blob_goes_with_its_last_seal_when_a_whole_copy_has_begun_another(paged, web):
    take(paged, b"in the first blob")
    first = paged.points_of(web)[0]
    old = paged.copies_of(first)["web-os"]
    cloud().catalogue.copies.alter(old, lambda known: replace(known, is_damaged=True))
    take(paged, b"in another one")
    take(paged, b"and once more")
    assert len(blobs(paged)) == 2
    prune(paged)
    prune(paged)

    names = {paged.copies_of(point)["web-os"].pages.blob for point in paged.points_of(web)[:2]}
    assert set(blobs(paged)) == names
    assert old.pages.blob not in names


def test_what_failed_attempts_have_begun_goes(paged, web):
    paged.cloud.faults.fail("PUT", r"/replicas/.*comp=page", status=403, times=2)
    take(paged, b"system")
    paged.pass_time(timedelta(hours=2))
    [copy] = paged.copies_of(paged.points_of(web)[0]).values()
    assert (copy.state, copy.attempt) == (CopyState.AVAILABLE, 3)
    paged.assert_kept(paged.points_of(web)[0])
    prune(paged)

    paged.cloud.faults.verify_all_met()
    assert set(blobs(paged)) == {copy.pages.blob}
    paged.assert_kept(paged.points_of(web)[0])


def test_a_seal_that_nobody_heard_of_goes_though_the_next_attempt_has_begun_another_blob(paged, web):
    take(paged, b"in the first blob")
    old = paged.copies_of(paged.points_of(web)[0])["web-os"]
    # Sealed, and the answer is lost; and then nobody may look whether it was.
    paged.cloud.faults.drop("PUT", "/replicas/.*comp=snapshot", after_executing=True)
    paged.cloud.faults.fail("GET", "/replicas.*comp=list", status=403, skip=1)
    paged.write("web", "os", b"in another one", offset=MIB)
    paged.back_up("web", within=timedelta(minutes=3))
    paged.cloud.faults.verify_all_met()
    cloud().catalogue.copies.alter(old, lambda known: replace(known, is_damaged=True))
    paged.pass_time(timedelta(hours=1))
    whole = paged.copies_of(paged.points_of(web)[0])["web-os"]
    assert (whole.state, whole.attempt, whole.earlier_blobs) == (CopyState.AVAILABLE, 2, (old.pages.blob,))
    take(paged, b"and once more")
    prune(paged)
    prune(paged)

    assert set(blobs(paged)) == {whole.pages.blob}
    paged.assert_kept(paged.points_of(web)[0])
