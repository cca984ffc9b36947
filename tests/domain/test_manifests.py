"""Manifests: all that a restore needs, whole or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.copies import CopyState, copies_of
from domain.manifests import NO_BYTES_PASSED, home_manifest, recovery_manifest
from tests.domain.samples import NORTH, WEST, available_point, begun_point


def complete(point):
    return [replace(copy, state=CopyState.AVAILABLE, attempt=2) for copy in copies_of(point)]


def test_the_home_manifest_names_the_snapshots_of_the_point():
    point = available_point()
    manifest = home_manifest(point, WEST)
    assert (manifest.point, manifest.location, manifest.region) == (point.id, "west", "westeurope")
    assert [part.snapshot_id for part in manifest.disks] == [part.snapshot_id for part in point.disks]
    assert [part.disk for part in manifest.disks] == list(point.vm.disks)
    assert manifest.skew == point.skew
    assert manifest.name == f"{point.vm.key}/{point.id}.json"


def test_a_recovery_manifest_names_the_snapshots_that_the_copies_made():
    point = available_point()
    copies = complete(point)
    manifest = recovery_manifest(point, NORTH, list(reversed(copies)))
    assert (manifest.location, manifest.region) == ("north", "northeurope")
    assert [part.snapshot_id for part in manifest.disks] == [
        NORTH.snapshot_id(copy.target_name) for copy in copies
    ]
    # The moments are those of the disks, not of the copies.
    assert [part.taken for part in manifest.disks] == [
        part.taken for part in home_manifest(point, WEST).disks
    ]


def test_no_manifest_claims_hashes_of_bytes_that_nobody_saw():
    assert home_manifest(available_point(), WEST).hashes == NO_BYTES_PASSED


def test_what_changes_later_is_not_in_a_manifest():
    point = available_point()
    later = replace(point, failure="something later", operation="another", replicas={})
    assert home_manifest(later, WEST) == home_manifest(point, WEST)


def test_a_replica_that_is_not_whole_gets_no_manifest():
    point = available_point()
    copies = complete(point)
    with pytest.raises(ValueError, match=r"is not whole in north: \['data'\]"):
        recovery_manifest(point, NORTH, copies[:1])
    with pytest.raises(ValueError, match=r"is not whole in north: \['os'\]"):
        recovery_manifest(point, NORTH, [replace(copies[0], state=CopyState.COPYING), copies[1]])
    with pytest.raises(ValueError, match="is not whole in west: no moments"):
        home_manifest(begun_point(), WEST)
