"""Restores from page blobs: by import where the account allows it, by upload everywhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.tags import OPERATION_METADATA
from gateways.connection import cloud
from simulator.arm.machine_model import VirtualMachine
from tests.page_restore_world import (
    LATER,
    UploadWorld,
    assert_closed,
    backed_up,
    blobs,
    built,
    on_disks,
)
from tests.paged_world import VAULT, PagedWorld
from tests.restored_world import attached, found, restored
from tests.secrets_check import assert_no_secrets
from tests.world import HOME, MIB


@pytest.fixture(params=[PagedWorld, UploadWorld], ids=["import", "upload"])
def paged(request, tmp_path, accounts):
    yield from built(request.param, tmp_path, accounts)


@pytest.fixture
def importing(tmp_path, accounts):
    yield from built(PagedWorld, tmp_path, accounts)


def test_disks_of_a_lost_region_come_back_from_either_of_two_points_byte_for_byte(paged, caplog):
    first, contents = backed_up(paged)
    paged.write("web", "os", b"second", offset=10 * MIB)
    paged.write("web", "data", b"\0" * 512)
    paged.machines["web"].disk("os").image.clear(40 * MIB, 4096)  # only the first point still holds it
    second = paged.back_up("web")["restorePoint"]["id"]
    newest = on_disks(paged)
    paged.lose_region(HOME)

    for point, wanted in ((first, contents), (second, newest)):
        back = paged.restore(point, VAULT)
        assert back.operation["state"] == "succeeded", back.operation["failure"]
        assert back.contents == wanted
    assert_closed(paged)
    assert_no_secrets(paged, caplog.text)

    with pytest.raises(AssertionError, match="the log has 'sig='"):
        assert_no_secrets(paged, "PUT https://md-impexp-1.blob.core.windows.net/c/abcd?si=1&sig=2")
    told = dict(back.operation["outcome"]) | {"address": "https://md-1.blob.core.windows.net/c/abcd?sig=2"}
    cloud().catalogue.operations.alter(back.operation["id"], lambda known: replace(known, outcome=told))
    with pytest.raises(AssertionError, match="table operations has 'sig='"):
        assert_no_secrets(paged, caplog.text)


def test_a_whole_vm_runs_again_and_a_chosen_disk_comes_back(paged):
    point, contents = backed_up(paged)
    paged.lose_region(HOME)

    operation = restored(paged, restorePoint=point, location=VAULT, what="vm")
    assert operation["state"] == "succeeded", operation["failure"]
    [machine] = found(paged, VirtualMachine, f"restored-{VAULT}")
    assert [start[:5] for start, _ in attached(machine).values()] == [b"syste", b"first"]
    assert machine.power == "running"

    chosen = restored(paged, restorePoint=point, location=VAULT, disks=["web-data"])
    [disk] = chosen["outcome"]["disks"]
    assert paged.bytes_of(disk["id"]) == contents["web-data"]


def test_what_a_disk_was_imported_from_is_deleted_when_the_restore_is_over_and_no_replica_is(importing):
    point, contents = backed_up(importing)
    operation = restored(importing, restorePoint=point, location=VAULT)
    assert len(blobs(importing)) == len(contents)
    copies = [importing.account.blob("replicas", name).page_blob for name in blobs(importing)]
    assert [copy.base.metadata for copy in copies] == [{OPERATION_METADATA: operation["id"]}] * len(copies)

    copies[-1].snapshots["of somebody else"] = copies[-1].base
    importing.pass_time(LATER)

    assert blobs(importing) == [copies[-1].name]  # and is not forgotten
    copies[-1].snapshots.clear()
    importing.pass_time(LATER)

    assert blobs(importing) == []
    [kept] = importing.points_of(importing.machines["web"].id)
    assert kept.imports == {}
    assert len(importing.account.resource.containers["replicas"].blobs) == len(contents)
    assert importing.restore(point, VAULT).contents == contents  # and the replica serves again


def test_a_blob_of_somebody_else_under_such_a_name_is_not_deleted(importing):
    point, _ = backed_up(importing)
    restored(importing, restorePoint=point, location=VAULT)
    strange, *_ = blobs(importing)
    importing.account.blob("replicas", strange).page_blob.base.metadata.clear()

    importing.pass_time(LATER)

    assert blobs(importing) == [strange]
    [kept] = importing.points_of(importing.machines["web"].id)
    assert len(kept.imports) == 1  # it is told every hour
