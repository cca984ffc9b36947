"""Putting the gateways together: who signs in where, and over what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError

from clock import ManualClock, SharedClock, SystemClock
from domain.errors import InvalidInput
from gateways import connection
from gateways.connection import cloud, connect, use
from settings import Development, Settings
from simulator.transport import transport
from simulator.wire import Response
from tests.conftest import Accounts
from tests.gateways.scripted import COMPUTE, Script

EXAMPLE = Path(__file__).parents[2] / "policies.yaml"
START = datetime(2026, 11, 22, tzinfo=UTC)


def settings(
    catalogue: str = "https://catalogue.table.core.windows.net",
    *,
    policies: Path = EXAMPLE,
    development: Development | None = None,
    endpoint: str = "https://management.azure.com",
) -> Settings:
    return Settings(catalogue, policies, endpoint, False, development)


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
    assert script.requests[0].headers["authorization"] == "Bearer development:tidemark"


def test_an_emulated_account_is_entered_with_its_key(accounts: Accounts) -> None:
    account = accounts.fresh()
    there = connect(
        settings(account.table_endpoint, development=Development("", {account.name: account.key}))
    )
    assert there.catalogue.vms.page() == []
    assert list(there.policies.policies) == ["daily"]


def test_in_azure_the_apps_identity_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Identity:
        def get_token(self, *scopes: str, **_: object) -> None:
            asked.append(scopes)
            raise HttpResponseError("no identity here")

    monkeypatch.setattr("azure.identity.DefaultAzureCredential", Identity)
    there = connect(settings(), transport=transport(Script()))
    with pytest.raises(Exception, match="no identity here"):
        there.disks.find(f"{COMPUTE}/disks/none")
    assert asked == [("https://management.azure.com/.default",)]


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
