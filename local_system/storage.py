"""The storage accounts of a local system: an Azurite for each region, so that one can be lost with it."""

from __future__ import annotations

import threading
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

    def __init__(self, manifests: str, *others: str) -> None:
        """`manifests` is the account that holds the manifests of the region."""
        self.azurite = Azurite(random_keys([manifests, *others]))
        self._manifests = manifests
        self._manifests_url = ""
        self._lock = threading.Lock()

    @property
    def keys(self) -> dict[str, str]:
        """The key of every account."""
        return dict(self.azurite.keys)

    @property
    def container_url(self) -> str:
        """Where the manifests lie, once it is up."""
        return f"{self._manifests_url}/{CONTAINER}"

    def start(self) -> None:
        """Start Azurite and make the container. Raises AzuriteFailed."""
        self.azurite.start()
        self._manifests_url = self.azurite.blob_endpoint(self._manifests)
        with self._container() as container:
            container.create_container()

    def stop(self) -> None:
        """End Azurite, from any thread; the accounts are gone with all that was in them."""
        with self._lock:
            self.azurite.stop()

    def ask(self) -> str:
        """Ask for the container of the manifests; say in a few words what came of it."""
        with self._container() as container:
            try:
                container.get_container_properties()
            except AzureError:
                return "no answer"
        return "200 OK"

    def _container(self) -> ContainerClient:
        # Not at the top: these imports are slow, and here they happen while Azurite comes up.
        from azure.core.pipeline.transport import RequestsTransport
        from azure.storage.blob import ContainerClient

        return ContainerClient(
            self._manifests_url,
            CONTAINER,
            credential=AzureNamedKeyCredential(self._manifests, self.keys[self._manifests]),
            api_version=_API_VERSION,
            retry_total=0,
            # A proxy that the environment names is for the world outside, not for this machine.
            transport=RequestsTransport(use_env_settings=False),
        )
