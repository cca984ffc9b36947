"""Everything of a local system, started in order and ended in reverse, whatever comes in between."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from clock import Clock, SharedClock, SystemClock
from domain.policy_file import parse_policies
from infra.deployed_roles import deployed, deployed_on_replicas
from local_system.api import Api
from local_system.failures import LocalSystemFailed
from local_system.function_host import FunctionHost, core_tools, local_host
from local_system.policies import HOME, HOME_LOCATION, RECOVERY_LOCATION, VAULT_LOCATION, policy_file
from local_system.simulated_azure import VAULT_CONTAINER, SimulatedAzure
from local_system.starting import Component, Starting
from local_system.storage import StorageOfRegion
from local_system.working_directory import PARENT, WorkingDirectory
from simulator.azurite import AzuriteFailed
from simulator.cloud import Cloud

APP = Path(__file__).parent.parent
CATALOGUE, HOST_STORAGE = "tidemarkcatalogue", "tidemarkhost"
HOME_MANIFESTS, RECOVERY_MANIFESTS = "tidemarkwest", "tidemarknorth"
VAULT_MANIFESTS = "tidemarkfrance"


class LocalSystem:
    """The simulated cloud, its storage accounts, and the function app on its host, with one clock for all.

    Nothing exists before `start` and nothing is left after `stop`, which may come at any moment, more than
    once, and whether or not `start` had succeeded. A system starts only once.
    """

    def __init__(
        self,
        *,
        begins: datetime | None = None,
        factor: float = 1.0,
        copy_bytes_per_second: int | None = None,
        with_core_tools: bool = False,
        app: Path = APP,
        parent: Path = PARENT,
    ) -> None:
        """The clock begins at a moment (None: now), and runs at `factor` seconds in one of the computer's.

        With Core Tools it is the computer's clock and nothing else. `copy_bytes_per_second` says how fast
        copies to another region are made (None: as the simulator has it). `parent` is where the system keeps
        its own directory.
        """
        self.token = secrets.token_urlsafe(12)
        self.directory = WorkingDirectory(parent)
        self.is_home_lost = False
        self._begins = begins or SystemClock().now()
        self.factor = factor
        self._copy_bytes_per_second = copy_bytes_per_second
        self._with_core_tools = with_core_tools
        self._app = app
        # The catalogue and the host's storage lie in the recovery region, as they do by default in Azure.
        # The manifests of the vault are in the same emulator, as nobody here loses one without the other.
        self._recovery = StorageOfRegion((RECOVERY_MANIFESTS, VAULT_MANIFESTS), CATALOGUE, HOST_STORAGE)
        self._home = StorageOfRegion((HOME_MANIFESTS,))
        self._ending = ExitStack()

    def start(self) -> None:
        """Start everything and return once the app answers; raises LocalSystemFailed."""
        self._ending.callback(self.directory.remove)
        self.directory.make()
        storage = [self._begun(each) for each in (self._recovery, self._home)]
        self.clock = self._made_clock()
        self.azure = SimulatedAzure(self.clock, self.directory.path, self._copy_bytes_per_second)
        self._ending.callback(self.azure.stop)
        self.azure.start()
        try:
            for each in storage:
                each.await_up()
        except AzuriteFailed as failure:
            raise LocalSystemFailed("Starting the storage emulator Azurite", str(failure)) from failure
        self.host = self._made_host()
        self._begun(self.host).await_up()

    def stop(self) -> None:
        """End everything: no process, no thread and no file is left, but for a log that is to be kept."""
        self._ending.close()

    close = stop

    @property
    def cloud(self) -> Cloud:
        """The simulated cloud, to build in and to look into as nobody can in Azure."""
        return self.azure.cloud

    @property
    def catalogue_connection(self) -> str:
        """The connection string of the catalogue's account, to look into behind the app's back."""
        return self._recovery.azurite.connection_string(CATALOGUE)

    @property
    def log(self) -> Path | None:
        """The log that tells most: the simulator's, which holds only its own failures, else the host's."""
        logs = [self.directory.path / name for name in ("simulator.log", "function-host.log")]
        return next((log for log in logs if log.exists() and log.stat().st_size), None)

    @property
    def api(self) -> Api:
        """Tidemark's HTTP API."""
        return self.host.api

    def lose_home(self) -> None:
        """Lose the home region: its resources, the hosts of its disks' bytes, and its storage account."""
        self.is_home_lost = True
        self.cloud.lose_region(HOME)
        self._home.stop()

    def ask_home_storage(self) -> str:
        """Ask the home region's storage account for its manifests; say in a few words what came of it."""
        return self._home.ask()

    def move_clock(self, to: datetime) -> None:
        """Move every part of the system forward to a moment; raises LocalSystemFailed with Core Tools."""
        self._virtual_clock().move_to(to)

    def pass_time(self, span: timedelta) -> None:
        """Move every part of the system forward by a span; raises LocalSystemFailed with Core Tools."""
        self.move_clock(self.clock.now() + span)

    def set_speed(self, factor: float) -> None:
        """Change how fast time passes; raises LocalSystemFailed with Core Tools."""
        self._virtual_clock().set_factor(factor)

    def _virtual_clock(self) -> SharedClock:
        if isinstance(self.clock, SharedClock):
            return self.clock
        raise LocalSystemFailed("Changing the time", "Core Tools know no clock but the computer's")

    def _begun(self, component: Component) -> Starting:
        starting = Starting(component)
        self._ending.callback(starting.end)
        starting.begin()
        return starting

    def _made_clock(self) -> Clock:
        if self._with_core_tools:
            return SystemClock()
        return SharedClock.create(self._clock_file, self._begins, self.factor)

    @property
    def _clock_file(self) -> Path:
        return self.directory.path / "clock.json"

    def _made_host(self) -> FunctionHost:
        policies = self.directory.path / "policies.yaml"
        policies.write_text(self._policy_text())
        self._grant(policies.read_text())
        settings = {
            "TIDEMARK_CATALOGUE": self._recovery.azurite.table_endpoint(CATALOGUE),
            "TIDEMARK_POLICIES": str(policies),
            "TIDEMARK_MANAGEMENT_ENDPOINT": self.azure.url,
            "TIDEMARK_DEVELOPMENT_TOKEN": self.token,
            "TIDEMARK_DEVELOPMENT_STORAGE_KEYS": json.dumps(self._home.keys | self._recovery.keys),
        }
        if self._with_core_tools:
            storage = self._recovery.azurite.connection_string(HOST_STORAGE)
            return core_tools(self._app, self.directory.path, storage, self.token, settings)
        settings["TIDEMARK_CLOCK"] = str(self._clock_file)
        return local_host(self._app, self.directory.path, self._clock_file, self.token, settings)

    def _policy_text(self) -> str:
        manifests = {
            HOME_LOCATION: self._home.container_url(HOME_MANIFESTS),
            RECOVERY_LOCATION: self._recovery.container_url(RECOVERY_MANIFESTS),
            VAULT_LOCATION: self._recovery.container_url(VAULT_MANIFESTS),
        }
        vault = self.azure.vault
        return policy_file(
            self.cloud.subscription, manifests, f"{vault.endpoint}/{VAULT_CONTAINER}", vault.id
        )

    def _grant(self, policies: str) -> None:
        """Give the identities what a deployment gives them; the emulator's accounts know no identities."""
        container = f"{self.azure.vault.id}/blobServices/default/containers/{VAULT_CONTAINER}"
        for each in (*deployed(parse_policies(policies)), *deployed_on_replicas(container)):
            self.cloud.roles.grant(each.identity, [each.action], each.scope)
