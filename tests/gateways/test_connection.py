"""Putting the gateways together: who signs in where, and over what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

from clock import ManualClock, SharedClock, SystemClock
from domain.errors import Absent, InvalidInput, Refused
from domain.policy import Location
from gateways import connection
from gateways.connection import Cloud, cloud, connect, use
from settings import Development, Identity, Settings
from simulator.transport import transport
from simulator.wire import Headers, Response
from tests.conftest import Accounts
from tests.gateways.scripted import COMPUTE, Script

EXAMPLE = Path(__file__).parents[2] / "policies.yaml"
START = datetime(2026, 11, 22, tzinfo=UTC)
CLIENT_IDS = {identity: f"client id of {identity}" for identity in Identity}
VM = f"{COMPUTE}/virtualMachines/web"


def settings(
    catalogue: str = "https://catalogue.table.core.windows.net",
    *,
    policies: Path = EXAMPLE,
    development: Development | None = None,
    endpoint: str = "https://management.azure.com",
) -> Settings:
    identities = {} if development else CLIENT_IDS
    return Settings(catalogue, policies, endpoint, False, development, identities)


@pytest.fixture
def _afterwards_nothing_is_connected() -> Iterator[None]:
    yield
    use(None)


def test_the_development_token_is_all_that_travels_to_a_plain_endpoint():
    script = Script(Response(404))
    development = Development("let me in", {})
    there = connect(
        settings(endpoint="http://127.0.0.1:1", development=development), transport=transport(script)
    )
    assert there.disks.find(f"{COMPUTE}/disks/none") is None
    assert script.requests[0].headers["authorization"] == "Bearer development:restore"


def test_an_emulated_account_is_entered_with_its_key(accounts: Accounts) -> None:
    account = accounts.fresh()
    there = connect(
        settings(account.table_endpoint, development=Development("", {account.name: account.key}))
    )
    assert there.catalogue.vms.page() == []
    assert "daily" in there.policies.policies


class ManagedIdentity:
    """Stands for Azure's credential: a token that tells the client id and what it was asked for."""

    def __init__(self, *, client_id: str, retry_total: int) -> None:
        assert retry_total == 0, "waiting is the orchestrators' work"
        self._client_id = client_id

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        return AccessToken(f"{self._client_id} for {scopes[0]}", 4102444800)

    def get_token_info(self, *scopes: str, **_: object) -> AccessTokenInfo:
        return AccessTokenInfo(self.get_token(*scopes).token, 4102444800)


CALLS: list[tuple[Identity, Callable[[Cloud, Location], object]]] = [
    (Identity.RUNTIME, lambda there, _: there.catalogue.vms.page()),
    (Identity.RUNTIME, lambda there, west: there.manifests.read("web", "point", west)),
    (Identity.BACKUP, lambda there, _: there.virtual_machines.describe(VM)),
    (Identity.BACKUP, lambda there, _: there.snapshots.find(f"{COMPUTE}/snapshots/none")),
    (Identity.RETENTION, lambda there, _: there.deletions.delete_snapshot(f"{COMPUTE}/snapshots/none", "")),
    (Identity.RETENTION, lambda there, west: there.deletions.delete_manifest("web", "point", west)),
    (Identity.RESTORE, lambda there, _: there.disks.find(f"{COMPUTE}/disks/none")),
]


@pytest.mark.parametrize(("identity", "call"), CALLS)
def test_in_azure_each_gateway_signs_in_as_its_own_managed_identity(
    monkeypatch: pytest.MonkeyPatch, identity: Identity, call: Callable[[Cloud, Location], object]
) -> None:
    monkeypatch.setattr("azure.identity.ManagedIdentityCredential", ManagedIdentity)
    script = Script(Response(404))
    there = connect(settings(), transport=transport(script), storage_transport=transport(script))
    with suppress(Absent):
        call(there, there.policies.locations["west"])
    scope = (
        "management.azure.com" if script.requests[0].host.startswith("management") else "storage.azure.com"
    )
    told = f"Bearer {CLIENT_IDS[identity]} for https://{scope}/.default"
    assert script.requests[0].headers["authorization"] == told


def test_an_account_that_refuses_an_identity_is_told_by_the_identitys_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("azure.identity.ManagedIdentityCredential", ManagedIdentity)
    mismatch = Response(403, Headers({"x-ms-error-code": "AuthorizationPermissionMismatch"}))
    for identity, call in CALLS[:2] + CALLS[5:6]:
        script = Script(mismatch)
        there = connect(settings(), transport=transport(script), storage_transport=transport(script))
        with pytest.raises(
            Refused, match=rf"'{identity}' \({identity.setting}\) may not [A-Z]+ https://"
        ) as told:
            call(there, there.policies.locations["west"])
        assert told.value.code == "AuthorizationPermissionMismatch"


def test_the_clock_is_the_one_that_the_settings_name(tmp_path: Path) -> None:
    SharedClock.create(tmp_path / "clock", START, factor=0.0)
    shared = Development("", {}, clock=tmp_path / "clock")
    assert connect(settings(development=shared)).now() == START
    assert isinstance(connect(settings(development=Development("", {}))).clock, SystemClock)
    given = ManualClock(START)
    assert connect(settings(development=Development("", {})), clock=given).clock is given


def test_a_policy_file_with_faults_connects_nothing(tmp_path: Path) -> None:
    policies = tmp_path / "mine.yaml"
    policies.write_text("policies: {}")
    with pytest.raises(InvalidInput, match=r"^mine\.yaml: "):
        connect(settings(policies=policies, development=Development("", {})))


@pytest.mark.parametrize(
    ("known", "other", "told"),
    [
        (
            "https://tidemarkwest",
            "http://tidemarkwest",
            "locations.west.manifests: .* must begin with https:",
        ),
        ("pages: https://", "pages: http://", "locations.vault.pages: .* must begin with https:"),
        ("storageAccounts/tidemarkreplicas", "storageAccounts/another", "is not in that account"),
    ],
)
def test_a_location_that_is_not_safe_connects_nothing(
    tmp_path: Path, known: str, other: str, told: str
) -> None:
    policies = tmp_path / "policies.yaml"
    policies.write_text(EXAMPLE.read_text().replace(known, other))
    with pytest.raises(InvalidInput, match=told):
        connect(settings(policies=policies))


def test_a_step_without_an_answer_ends_in_seconds():
    network = connection._network()
    assert (network.connection_config.timeout, network.connection_config.read_timeout) == (10, 60)


@pytest.mark.usefixtures("_afterwards_nothing_is_connected")
def test_a_process_is_connected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use(None)
    monkeypatch.setenv("TIDEMARK_CATALOGUE", "http://127.0.0.1:1/catalogue")
    monkeypatch.setenv("TIDEMARK_DEVELOPMENT_STORAGE_KEYS", '{"catalogue": "a2V5"}')
    for name in ("WEBSITE_SITE_NAME", "TIDEMARK_CLOCK", "TIDEMARK_POLICIES", "TIDEMARK_MANAGEMENT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert cloud() is cloud()
    another = connect(settings(development=Development("", {})))
    use(another)
    assert cloud() is another
