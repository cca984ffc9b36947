"""The storage accounts of a local system: an Azurite for each region, so that one can be lost with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import AzureError

from simulator.azurite import Azurite, random_keys

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

CONTAINER = "manifests"
_API_VERSION = "2021-12-02"


class StorageOfRegion:
    """The storage accounts in one region: an Azurite of their own, which keeps everything in memory."""

    def __init__(self, manifests: Sequence[str], *others: str) -> None:
        """`manifests` are the accounts that hold the manifests of a location, first that of the region."""
        self.azurite = Azurite(random_keys([*manifests, *others]))
        self._manifests = manifests
        self._urls: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def keys(self) -> dict[str, str]:
        """The key of every account."""
        return dict(self.azurite.keys)

    def container_url(self, account: str) -> str:
        """Where the manifests of an account lie, once it is up."""
        return f"{self._urls[account]}/{CONTAINER}"

    def start(self) -> None:
        """Start Azurite and make the containers. Raises AzuriteFailed."""
        self.azurite.start()
        self._urls = {account: self.azurite.blob_endpoint(account) for account in self._manifests}
        for account in self._manifests:
            with self._container(account) as container:
                container.create_container()

    def stop(self) -> None:
        """End Azurite, from any thread; the accounts are gone with all that was in them."""
        with self._lock:
            self.azurite.stop()

    def ask(self) -> str:
        """Ask for the container of the region's manifests; say in a few words what came of it."""
        with self._container(self._manifests[0]) as container:
            try:
                container.get_container_properties()
            except AzureError:
                return "no answer"
        return "200 OK"

    def _container(self, account: str) -> ContainerClient:
        # Not at the top: these imports are slow, and here they happen while Azurite comes up.
        from azure.core.pipeline.transport import RequestsTransport
        from azure.storage.blob import ContainerClient

        return ContainerClient(
            self._urls[account],
            CONTAINER,
            credential=AzureNamedKeyCredential(account, self.keys[account]),
            api_version=_API_VERSION,
            retry_total=0,
            # A proxy that the environment names is for the world outside, not for this machine.
            transport=RequestsTransport(use_env_settings=False),
        )
