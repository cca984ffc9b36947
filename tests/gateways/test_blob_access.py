"""The right by which page blobs are reached: a signature or a token, told to nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.credentials import AzureSasCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import generate_container_sas

from domain.errors import Refused, Transient
from gateways.page_blobs import PageBlobs
from tests.gateways.pages_world import MIB, pages
from tests.gateways.scripted import Token

OWNER = {"tidemark_point": "web-0123456789ab~20261122T1600Z~1"}
DATA = b"page" * 128


@pytest.fixture
def here():
    with pages() as world:
        yield world


def test_a_signature_from_a_setting_works_and_is_told_nowhere(here):
    signature = generate_container_sas(
        here.account.name, "replicas", account_key=here.account.key, permission="rcwl",
        expiry=here.clock.now() + timedelta(hours=1),
    )  # fmt: skip
    world = here.on(here.container, AzureSasCredential(signature))
    blob = world.blob()
    blob.create(MIB, OWNER)
    assert blob.sealed(OWNER) is None
    here.clock.advance(timedelta(hours=2))
    with pytest.raises(Refused) as refused:
        blob.put(0, DATA)
    told = [str(refused.value), repr(blob), repr(world.blobs), repr(blob.opened())]
    assert [text for text in told if "sig=" in text or signature[-20:] in text] == []


def test_an_identity_that_may_not_is_told_by_name_and_what_to_do(here):
    here.cloud.roles.grant("backup", ["Microsoft.Storage/none"], here.account.id)
    blob = here.on(here.container, Token("development:backup")).blob()
    with pytest.raises(Refused, match=r"identity 'backup' \(TIDEMARK_IDENTITY_BACKUP\) may not PUT https://"):
        blob.create(MIB, OWNER)


def test_a_token_is_asked_for_once_and_again_before_it_ends(here):
    token = Token("development:backup")
    blob = here.on(here.container, token).blob()
    blob.create(MIB, OWNER)
    blob.put(0, DATA)
    assert token.scopes == [("https://storage.azure.com/.default",)]


def test_an_identity_that_gets_no_token_now_may_get_one_later():
    class NoToken:
        def get_token(self, *scopes, **_):
            raise ClientAuthenticationError("the endpoint that gives tokens does not answer")

    with pages() as world, pytest.raises(Transient, match="got no token") as silence:
        PageBlobs(world.blobs.wire, lambda endpoint: NoToken()).at(world.container, "web.vhd").length()
    assert silence.value.code == "IdentityUnavailable"
