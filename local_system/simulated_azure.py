"""The simulated cloud of a local system, served over HTTP from this process."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from clock import Clock
from local_system.policies import NETWORKS, RESOURCE_GROUPS, VAULT, VAULT_GROUP, network_name
from simulator.cloud import Cloud
from simulator.server import Server
from simulator.tempo import Tempo
from simulator.wire import Request, Response

TIMEOUT_SECONDS = 30.0
# May read everything and nothing else: whoever looks at the cloud from outside of Tidemark.
ONLOOKER = "onlooker"
VAULT_CONTAINER = "replicas"
# Azure has no such path: what is asked for there is asked of the simulator, not of Azure.
CONTROLS = "/simulator/"

_logger = logging.getLogger("simulator")


class SimulatedAzure:
    """A cloud with one subscription, and the resource groups, networks and storage account that the policies
    name.

    `controls` answers requests for paths below /simulator/.
    """

    def __init__(self, clock: Clock, directory: Path, copy_bytes_per_second: int | None = None) -> None:
        """`directory` is where the bytes of disks lie, and `simulator.log`, which tells its own failures.

        Copies to another region are as fast as `copy_bytes_per_second`; None: as the simulator has it.
        """
        self.log = directory / "simulator.log"
        self.controls: Callable[[Request], Response] | None = None
        tempo = Tempo(copy_bytes_per_second=copy_bytes_per_second) if copy_bytes_per_second else None
        self.cloud = Cloud(clock, directory=directory, tempo=tempo)
        for group, region in RESOURCE_GROUPS.items():
            self.cloud.add_resource_group(group, region)
        for location, region in NETWORKS.items():
            self.cloud.add_network(network_name(location), region, f"restored-{location}")
        self.vault = self.cloud.add_storage_account("tidemarkvault", VAULT, VAULT_GROUP)
        self.vault.add_container(VAULT_CONTAINER)
        self.cloud.roles.grant(ONLOOKER, ["*/read"])
        self._handler = logging.FileHandler(self.log, delay=True)
        self._server = Server(self)
        self.cloud.base_url = self.url

    @property
    def url(self) -> str:
        """Where it is reached: what stands for https://management.azure.com."""
        return self._server.url

    def start(self) -> None:
        """Begin to answer."""
        _logger.addHandler(self._handler)
        _logger.propagate = False
        self._server.start()

    def stop(self) -> None:
        """Stop answering and give the bytes of all disks back."""
        self._server.stop()
        self.cloud.close()
        _logger.removeHandler(self._handler)
        self._handler.close()

    def handle(self, request: Request) -> Response:
        """Answer one request; see `simulator.wire.Answers`."""
        if self.controls and request.path.startswith(CONTROLS):
            return self.controls(request)
        return self.cloud.handle(request)

    def ask(self, resource_id: str, api_version: str = "2024-07-01") -> str:
        """Ask for a resource as any client of Azure would; say in a few words what came of it."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        path = f"{resource_id}?api-version={api_version}"
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer development:{ONLOOKER}"})
            answer = connection.getresponse()
            answer.read()
            return f"{answer.status} {answer.reason}"
        except (OSError, http.client.HTTPException):
            return "no answer, the connection was dropped"
        finally:
            connection.close()
