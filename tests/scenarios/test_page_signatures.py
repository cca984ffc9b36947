"""Page blobs in an account that knows none of the app's identities: signatures from settings open it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from azure.storage.blob import generate_container_sas

from domain.stored import StoredSeal
from gateways.connection import cloud
from settings import Identity, Settings
from tests.paged_world import AT_ONCE, PAGED, VAULT, PagedWorld
from tests.secrets_check import assert_no_secrets
from tests.world import START

# What README says each identity's signature must allow: none both writes and deletes.
ALLOWED = {Identity.BACKUP: "rcwl", Identity.RETENTION: "rdl", Identity.RESTORE: "rl"}


class ForeignWorld(PagedWorld):
    """A world whose vault is an account of somebody else."""

    def _told(self):
        told = super()._told()
        del told["locations"][VAULT]["account"]  # so disks are uploaded from there
        return told

    def _settings(self) -> Settings:
        signatures = {
            (identity, self.account.name): generate_container_sas(
                self.account.name,
                "replicas",
                account_key=self.account.key,
                permission=allowed,
                expiry=START + timedelta(days=30),
            )
            for identity, allowed in ALLOWED.items()
        }
        return replace(super()._settings(), signatures=signatures)

    def assign_roles(self) -> None:
        super(PagedWorld, self).assign_roles()  # nothing on the account


@pytest.fixture
def foreign(tmp_path, accounts):
    world = ForeignWorld(tmp_path, accounts, tempo=AT_ONCE)
    yield world
    world.close()


def test_an_account_that_knows_no_identity_keeps_replicas_and_gives_them_back(foreign, caplog):
    vm_id = foreign.add_vm("web", {"os": b"system"}, tags=PAGED)
    foreign.back_up("web")
    foreign.write("web", "os", b"second")
    foreign.back_up("web")

    points = foreign.points_of(vm_id)
    for point in points:
        foreign.assert_kept(point)
    assert foreign.restore(points[0].id, VAULT).disk("web-os") == b"second"

    pages = foreign.copies_of(points[1])["web-os"].pages
    container = f"{foreign.account.endpoint}/replicas"
    assert cloud().page_blob_deletions.delete(StoredSeal(container, pages.blob, pages.sealed), points[1].id)
    assert pages.sealed not in foreign.replicas()[pages.blob].snapshots
    foreign.assert_kept(points[0])
    assert_no_secrets(foreign, caplog.text)
