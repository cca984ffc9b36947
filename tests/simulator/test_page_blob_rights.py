"""Who may do what in a storage account: tokens with roles, SAS of all kinds, the account's key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
)

from simulator.wire import Request
from tests.simulator.conftest import Token
from tests.simulator.storage_accounts import API_VERSION, CONTAINER, refusal, simulated

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
MISMATCH = "403 AuthorizationPermissionMismatch"
OVERWRITE = "403 UnauthorizedBlobOverwrite"
PAGE = 512


@pytest.fixture(params=["transport", "server"])
def storage(request):
    """An account with a page blob of one page, over HTTP too: a signature holds the path."""
    with simulated(over_http=request.param == "server") as storage:
        storage.blob().create_page_blob(PAGE)
        yield storage


def told(ask):
    with pytest.raises(HttpResponseError) as raised:
        ask()
    return refusal(raised.value)


DEEDS = {
    "read": lambda blob: blob.download_blob().readall(),
    "ranges": lambda blob: list(blob.list_page_ranges()),
    "write": lambda blob: blob.upload_page(bytes(PAGE), 0, PAGE),
    "over": lambda blob: blob.create_page_blob(PAGE),
    "snapshot": lambda blob: blob.create_snapshot(),
    "delete": lambda blob: blob.delete_blob(delete_snapshots="include"),
}


@pytest.fixture
def in_memory():
    with simulated() as storage:
        storage.blob().create_page_blob(PAGE)
        yield storage


def allowed(blob):
    """Return which of the deeds a blob's client may do; the refusals are all alike."""
    found, refusals = set(), set()
    for name, deed in DEEDS.items():
        try:
            deed(blob)
        except HttpResponseError as error:
            refusals.add(refusal(error))
        else:
            found.add(name)
    assert refusals <= {MISMATCH, OVERWRITE}
    return found


@pytest.mark.parametrize(
    ("why", "actions", "expected"),
    [
        ("no role but another one's", [], set()),
        ("reading", [f"{BLOBS}/read"], {"read", "ranges"}),
        ("writing", [f"{BLOBS}/write"], {"write", "over", "snapshot"}),
        ("adding does not write over", [f"{BLOBS}/add/action"], set()),
        ("deleting", [f"{BLOBS}/delete"], {"delete"}),
        ("all of blobs", [f"{BLOBS}/*"], set(DEEDS)),
        ("control actions reach no data", ["*"], set()),
        ("not those of the account either", ["Microsoft.Storage/*"], set()),
    ],
)
def test_a_token_may_what_its_roles_say(in_memory, why, actions, expected):
    in_memory.cloud.roles.grant("somebody", ["*"])
    scope = f"{in_memory.handle.id}/blobServices/default/containers/{CONTAINER}"
    in_memory.cloud.roles.grant("app", actions, scope)
    assert allowed(in_memory.as_identity("app")) == expected


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ("r", {"read", "ranges"}),
        ("w", {"write", "over", "snapshot"}),
        ("c", {"snapshot"}),
        ("d", {"delete"}),
        ("l", set()),
        ("rcwdl", set(DEEDS)),
    ],
)
def test_a_sas_may_what_its_letters_say(in_memory, permissions, expected):
    assert allowed(in_memory.blob_by(in_memory.sas(permissions))) == expected


def test_who_may_only_create_makes_what_is_not_there(in_memory):
    in_memory.blob_by(in_memory.sas("c"), "new.vhd").create_page_blob(PAGE)
    assert told(lambda: in_memory.blob_by(in_memory.sas("c"), "new.vhd").create_page_blob(PAGE)) == OVERWRITE


@pytest.mark.parametrize("header", ["Bearer", "Bearer  ", "Basic eDp5", "SharedKey vault"])
def test_an_authorization_that_is_none_is_refused(in_memory, header):
    request = Request.of("GET", in_memory.blob().url, {"authorization": header, "x-ms-version": API_VERSION})
    assert in_memory.cloud.handle(request).status in (400, 401)


def test_a_token_of_another_container_s_role_reaches_nothing(in_memory):
    scope = f"{in_memory.handle.id}/blobServices/default/containers/other"
    in_memory.cloud.roles.grant("app", [f"{BLOBS}/*"], scope)
    assert allowed(in_memory.as_identity("app")) == set()
    assert in_memory.cloud.meter.rights[("app", f"{BLOBS}/read")] > 0


def test_the_sas_of_a_blob_is_good_for_that_blob_alone(storage):
    expiry = storage.clock.now() + timedelta(minutes=10)
    sas = generate_blob_sas(
        storage.name, CONTAINER, "web.vhd", account_key=storage.key, permission="rw", expiry=expiry
    )
    assert storage.blob_by(sas).download_blob().readall() == bytes(PAGE)
    storage.blob("other.vhd").create_page_blob(PAGE)
    assert told(lambda: storage.blob_by(sas, "other.vhd").download_blob()) == "403 AuthenticationFailed"
    storage.pass_time(minutes=11)
    assert told(lambda: storage.blob_by(sas).download_blob()) == "403 AuthenticationFailed"


def test_the_sas_of_an_account_says_what_kinds_it_reaches(storage):
    def sas(**kinds):
        return generate_account_sas(
            storage.name,
            storage.key,
            resource_types=ResourceTypes(**kinds),
            permission="rwdlc",
            expiry=storage.clock.now() + timedelta(minutes=10),
        )

    def service(token):
        return BlobServiceClient(
            storage.endpoint, credential=token, api_version=API_VERSION, retry_total=0, **storage.options
        )

    both = service(sas(container=True, object=True))
    both.create_container("more").get_blob_client("x").create_page_blob(PAGE)
    assert [each.name for each in both.get_container_client("more").list_blobs()] == ["x"]
    objects = service(sas(object=True))
    assert objects.get_blob_client("more", "x").exists()
    refused = told(lambda: objects.create_container("another"))
    assert refused == "403 AuthorizationResourceTypeMismatch"


def test_the_sas_of_a_container_makes_no_containers(in_memory):
    service = BlobServiceClient(
        in_memory.endpoint,
        credential=in_memory.sas(),
        api_version=API_VERSION,
        retry_total=0,
        **in_memory.options,
    )
    assert told(lambda: service.get_container_client(CONTAINER).get_container_properties()) == MISMATCH


class TestUserDelegation:
    """A SAS that is signed with a key of a token's owner: it may what both of them may."""

    def sas(self, storage, identity="app", permissions="rw", lasting=timedelta(hours=1)):
        service = BlobServiceClient(
            storage.endpoint,
            credential=Token(identity),
            api_version=API_VERSION,
            retry_total=0,
            **storage.options,
        )
        now = storage.clock.now()
        key = service.get_user_delegation_key(now, now + lasting)
        return generate_blob_sas(
            storage.name,
            CONTAINER,
            "web.vhd",
            user_delegation_key=key,
            permission=permissions,
            expiry=now + timedelta(hours=2),
        )

    def test_it_may_what_its_letters_and_its_owner_s_roles_say(self, in_memory):
        delegate = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
        in_memory.cloud.roles.grant("app", [delegate, f"{BLOBS}/read"], in_memory.handle.id)
        assert allowed(in_memory.blob_by(self.sas(in_memory))) == {"read", "ranges"}
        in_memory.cloud.roles.grant("app", [f"{BLOBS}/*"], in_memory.handle.id)
        assert allowed(in_memory.blob_by(self.sas(in_memory))) == set(DEEDS) - {"delete"}

    def test_it_ends_with_its_key(self, in_memory):
        sas = self.sas(in_memory, lasting=timedelta(hours=1))
        in_memory.pass_time(minutes=61)
        assert told(lambda: in_memory.blob_by(sas).download_blob()) == "403 AuthenticationFailed"

    def test_the_account_s_key_asks_for_none(self, in_memory):
        asked = told(
            lambda: in_memory.service.get_user_delegation_key(in_memory.clock.now(), in_memory.clock.now())
        )
        assert asked == "403 AuthenticationFailed"

    def test_a_key_needs_its_right(self, in_memory):
        in_memory.cloud.roles.grant("app", [f"{BLOBS}/*"])
        assert told(lambda: self.sas(in_memory)) == MISMATCH


def test_a_wrong_key_and_no_credential_are_refused(storage):
    wrong = storage.__class__(
        storage.name,
        storage.key[:-4] + "AA==",
        storage.endpoint,
        storage.clock,
        storage.options,
    )
    assert told(lambda: wrong.blob().get_blob_properties()) == "403 AuthenticationFailed"
    assert told(lambda: storage.blob_by(None).get_blob_properties()) == "401 NoAuthenticationInformation"


def test_a_name_with_any_letters_is_signed_as_it_is_sent(storage):
    blob = storage.blob("west/web os (1) ü+%.vhd")
    blob.create_page_blob(PAGE)
    names = [each.name for each in storage.service.get_container_client(CONTAINER).list_blobs()]
    assert names == ["web.vhd", "west/web os (1) ü+%.vhd"]
    storage.blob("copy.vhd").start_copy_from_url(blob.url)
    storage.pass_time(minutes=1)
    assert storage.blob("copy.vhd").get_blob_properties().copy.source == blob.url
