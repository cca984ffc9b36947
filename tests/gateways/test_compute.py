"""The compute client: it asks once, registers nothing, and keeps tokens off plain HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from domain.errors import CloudError, Refused, Transient
from gateways.compute import Compute, ResourceId
from gateways.failures import translated
from settings import Identity
from simulator.transport import transport
from simulator.wire import ConnectionDropped, Response
from tests.gateways.scripted import SUBSCRIPTION, Script, Token, error

HTTPS = "https://management.azure.com"
DISK = Response.of_json(200, {"id": "disk", "name": "disk", "location": "westeurope", "properties": {}})


def get_disk(compute: Compute) -> None:
    with translated("disk data"):
        compute.client(SUBSCRIPTION).disks.get("backups", "data")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Response.of_json(429, {}, {"Retry-After": "1200"}), id="throttled"),
        pytest.param(Response.of_json(503, {}, {"Retry-After": "5"}), id="unavailable"),
        pytest.param(Response(500), id="broken"),
        pytest.param(ConnectionDropped(), id="dropped"),
        pytest.param(requests.ConnectTimeout("slow"), id="no connection"),
        pytest.param(requests.ReadTimeout("slow"), id="no answer"),
    ],
)
def test_a_failed_request_is_sent_once(answer: Response | Exception) -> None:
    script = Script(answer)
    with pytest.raises(Transient):
        get_disk(Compute(Token(), HTTPS, transport(script), identity=Identity.BACKUP))
    assert len(script.requests) == 1


def test_a_write_that_fails_is_sent_once_as_well() -> None:
    script = Script(Response.of_json(429, {}, {"Retry-After": "1200"}))
    client = Compute(Token(), HTTPS, transport(script), identity=Identity.BACKUP).client(SUBSCRIPTION)
    body: Any = {"location": "westeurope"}
    with pytest.raises(Transient), translated("snapshot web"):
        client.snapshots.begin_create_or_update("backups", "web", body, polling=False)
    assert [request.method for request in script.requests] == ["PUT"]


def test_a_missing_provider_is_not_registered_in_silence() -> None:
    missing = error(409, "MissingSubscriptionRegistration", "The subscription is not registered.")
    script = Script(missing)
    with pytest.raises(Refused, match="MissingSubscriptionRegistration"):
        get_disk(Compute(Token(), HTTPS, transport(script), identity=Identity.BACKUP))
    assert len(script.requests) == 1  # no POST to …/register, no polling of it


def test_a_redirect_is_not_followed_with_the_token() -> None:
    script = Script(Response.of_json(307, {}, {"Location": "https://elsewhere.example/"}))
    with pytest.raises(CloudError):
        get_disk(Compute(Token(), HTTPS, transport(script), identity=Identity.BACKUP))
    assert len(script.requests) == 1


def test_over_tls_the_token_is_asked_for_the_management_scope() -> None:
    token, script = Token(), Script(DISK)
    get_disk(Compute(token, HTTPS, transport(script), identity=Identity.BACKUP))
    assert token.scopes == [("https://management.azure.com/.default",)]
    assert script.requests[0].headers["authorization"] == "Bearer secret"


def test_over_plain_http_the_development_token_is_sent() -> None:
    script = Script(DISK)
    get_disk(
        Compute(
            Token("development:backup"), "http://127.0.0.1:1", transport(script), identity=Identity.BACKUP
        )
    )
    assert script.requests[0].headers["authorization"] == "Bearer development:backup"


def test_requests_say_who_asks() -> None:
    script = Script(DISK)
    get_disk(Compute(Token(), HTTPS, transport(script), identity=Identity.BACKUP))
    assert script.requests[0].headers["user-agent"].startswith("tidemark")


def test_a_subscription_has_one_client() -> None:
    compute = Compute(Token(), HTTPS, transport(Script()), identity=Identity.BACKUP)
    other = "22222222-2222-2222-2222-222222222222"
    assert compute.client(SUBSCRIPTION) is compute.client(SUBSCRIPTION)
    assert compute.client(SUBSCRIPTION) is not compute.client(other)


def test_an_id_is_taken_apart_whatever_its_case() -> None:
    group = f"/SUBSCRIPTIONS/{SUBSCRIPTION}/resourcegroups/Backups"
    assert ResourceId.parse(group) == ResourceId(SUBSCRIPTION, "Backups", "")
    disk = f"{group}/providers/microsoft.compute/DISKS/data"
    assert ResourceId.parse(disk) == ResourceId(SUBSCRIPTION, "Backups", "data")


@pytest.mark.parametrize(
    "wrong", ["", "data", f"/subscriptions/{SUBSCRIPTION}", "/subscriptions//resourceGroups/g"]
)
def test_what_is_no_id_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not the ARM id"):
        ResourceId.parse(wrong)
