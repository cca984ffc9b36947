"""What every test may use: the storage emulator, and accounts of it that no other test has touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient
from hypothesis import settings

from simulator.azurite import Azurite, random_keys
from tests.reach import Reach

MOST_ACCOUNTS = 2600  # all of them travel in one environment variable, which holds 128 KiB

# A machine that is busy with something else is slow; that is no finding.
settings.register_profile("tidemark", deadline=None)
settings.load_profile("tidemark")


@dataclass(frozen=True)
class Account:
    """One storage account of the emulator, empty until the test that got it writes to it."""

    name: str
    key: str
    table_endpoint: str
    blob_endpoint: str

    def make_container(self, name: str) -> None:
        """Make a blob container in it."""
        credential = AzureNamedKeyCredential(self.name, self.key)
        with (
            closing(Reach()) as reach,
            ContainerClient(
                self.blob_endpoint, name, credential=credential, api_version="2021-12-02",
                transport=reach.transport(),
            ) as container,
        ):  # fmt: skip
            container.create_container()


@dataclass
class Accounts:
    """Hands out each account of the emulator once in a test run, so that no two tests share state."""

    azurite: Azurite
    _left: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._left = sorted(self.azurite.keys, reverse=True)

    def fresh(self) -> Account:
        """Return an account that nobody has used."""
        if not self._left:
            pytest.fail(
                f"all {len(self.azurite.keys)} storage accounts of this test run are used up; "
                "raise MOST_ACCOUNTS in tests/conftest.py"
            )
        name = self._left.pop()
        return Account(
            name=name,
            key=self.azurite.keys[name],
            table_endpoint=self.azurite.table_endpoint(name),
            blob_endpoint=self.azurite.blob_endpoint(name),
        )


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for the whole test run, in memory."""
    names = (f"account{number:04d}" for number in range(MOST_ACCOUNTS))
    with Azurite(random_keys(names, key_bytes=24)) as running:  # keys as long as Azure's would leave no room
        yield running


@pytest.fixture(scope="session")
def _accounts_of_this_run(azurite: Azurite) -> Accounts:
    return Accounts(azurite)


@pytest.fixture
def accounts(_accounts_of_this_run: Accounts) -> Accounts:
    """Storage accounts that no other test has touched: accounts.fresh()."""
    return _accounts_of_this_run
