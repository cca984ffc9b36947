"""The world that scenarios play in: a cloud, the real function app on the local host, and time that is told.

world.add_vm("web", disks={"os": b"v1"})
operation = world.back_up("web")
world.lose_region("westeurope")
assert world.restore("web", "north").disk("os") == b"v1"
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clock import ManualClock
from domain.names import vm_key
from domain.restore_points import RestorePoint
from gateways.actions import OptIn
from gateways.connection import cloud, connect, use
from infra.deployed_roles import Roles, deployed
from local_host.determinism import check_history
from local_host.host import LocalHost
from settings import Settings
from simulator.arm.snapshot_model import Snapshot
from simulator.cloud import Cloud
from simulator.tempo import Tempo
from simulator.transport import transport
from tests.books import recorded_snapshots
from tests.conftest import Account, Accounts
from tests.loaded_app import tidemark
from tests.reach import Reach as Reach
from tests.settings_files import HOME as HOME
from tests.settings_files import RECOVERY as RECOVERY
from tests.settings_files import TOKEN as TOKEN
from tests.settings_files import location_entry, policy_entry, settings_in

START = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
MIB = 1 << 20
HOUR = timedelta(hours=1)
BUSY = timedelta(minutes=20)  # that long a backup with its copies, or a restore, takes at most
LOCATIONS = {"west": HOME, "north": RECOVERY, "south": "francecentral"}


@dataclass(frozen=True)
class Answer:
    """What the app's HTTP API answered."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Restored:
    """The disks that a restore made, by the names of the disks that they were made of."""

    operation: Mapping[str, Any]
    contents: Mapping[str, bytes]

    def disk(self, name: str) -> bytes:
        """Return the bytes of a restored disk, without the zeros at its end."""
        return self.contents[name].rstrip(b"\0")


@dataclass
class World:
    """A cloud with one subscription and three locations, and Tidemark running beside it.

    Policy `daily` copies from the west to the north, `twice` to the north and the south; `hourly` sends every
    point to the north, `newest` only the newest of those that wait.
    """

    directory: Path
    accounts: Accounts
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    workers: int = 8
    has_timers: bool = True
    tempo: Tempo = field(default_factory=Tempo)
    more_subscriptions: tuple[str, ...] = ()
    opted_in: tuple[OptIn, ...] = tuple(OptIn)
    roles: Roles | None = None  # others than those that are deployed

    def __post_init__(self) -> None:
        self.cloud = Cloud(self.clock, tempo=self.tempo)
        self.subscription = self.cloud.subscription
        self.catalogue = self.accounts.fresh()
        self.manifests: dict[str, Account] = {}
        self.machines: dict[str, Any] = {}
        self._build()
        self.reach = self._reach()
        self._connect()
        self.assign_roles()
        self._start_host()

    def close(self) -> None:
        """End the host and give everything back."""
        self.host.stop()
        use(None)
        self.reach.close()
        self.cloud.close()

    def assign_roles(self) -> None:
        """Grant what a deployment of the policies, as they are now, grants."""
        for each in deployed(cloud().policies, self.opted_in, self.roles):
            self.cloud.roles.grant(each.identity, [each.action], each.scope)

    # What exists in the cloud

    def add_vm(
        self,
        name: str,
        disks: Mapping[str, bytes],
        *,
        tags: Mapping[str, str] | None = None,
        size: int = 64 * MIB,
    ) -> str:
        """Add a VM in the home region with these bytes on its disks; return its ARM id."""
        machine = self.cloud.add_virtual_machine(
            name, HOME, "production", disks=dict.fromkeys(disks, size), tags=dict(tags or {})
        )
        self.machines[name] = machine
        for disk, content in disks.items():
            self.write(name, disk, content)
        return machine.id

    def write(self, vm: str, disk: str, content: bytes, offset: int = 0) -> None:
        """Write on a VM's disk."""
        self.machines[vm].disk(disk).image.write(offset, content)

    def lose_region(self, region: str) -> None:
        """Lose a region: its resources, its SAS hosts, and the manifests that lie there."""
        self.cloud.lose_region(region)
        self.reach.lost |= {
            self.manifests[name].blob_endpoint for name, lost in LOCATIONS.items() if lost == region
        }

    def bring_back_region(self, region: str) -> None:
        """Bring a lost region back."""
        self.cloud.restore_region(region)
        self.reach.lost.clear()

    # What is asked of Tidemark

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the app's HTTP API."""
        request = urllib.request.Request(
            path if path.startswith("http") else f"{self.host.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                **({"Authorization": f"Bearer {token}"} if token else {}),
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, dict(response.headers), json.load(response))
        except urllib.error.HTTPError as error:
            text = error.read()
            return Answer(error.code, dict(error.headers), json.loads(text) if text else None)

    def back_up(self, vm: str, within: timedelta | None = None) -> Mapping[str, Any]:
        """Back a VM up, wait until that is over and the copies have arrived; return the operation."""
        answer = self.ask("POST", "backups", {"vm": self.machines[vm].id})
        assert answer.status == 202, answer.body
        self._pass(within)
        return self.operation(answer.body["id"])

    def operation(self, name: str) -> Mapping[str, Any]:
        """Return an operation as the API tells it."""
        return self.ask("GET", f"operations/{name}").body

    def restore(self, point: str, location: str, within: timedelta | None = None) -> Restored:
        """Restore a point's disks from a location, and read them."""
        answer = self.ask("POST", "restores", {"restorePoint": point, "location": location})
        assert answer.status == 202, answer.body
        self._pass(within)
        operation = self.operation(answer.body["id"])
        disks = (operation.get("outcome") or {}).get("disks", [])
        return Restored(operation, {disk["sourceDisk"]: self.bytes_of(disk["id"]) for disk in disks})

    def points_of(self, vm_id: str) -> list[RestorePoint]:
        """Return the restore points of a VM as the catalogue has them, newest first."""
        return cloud().catalogue.restore_points.newest(vm_key(vm_id), most=1000)

    def seen(self, name: str) -> Any:
        """Return what the overview tells of a VM."""
        [vm] = [vm for vm in self.ask("GET", "vms").body["items"] if vm["name"] == name]
        return vm

    def pass_time(self, span: timedelta) -> None:
        """Let time pass, with everything that happens in it."""
        self.host.run_until(self.clock.now() + span)

    def jump(self, moment: datetime) -> None:
        """Move straight to a moment: what should have happened on the way happens then."""
        self.clock.move_to(moment)
        self.host.settle()

    def _pass(self, span: timedelta | None) -> None:
        """Let a span pass, or an hour: busy at first, then nothing but looks, which are left out."""
        self.pass_time(span or BUSY)
        self.jump(self.clock.now() + (timedelta() if span else HOUR - BUSY))

    def pass_hours(self, hours: int) -> None:
        """Let hours pass in which hardly anything happens, with one look at what there is in each."""
        for _ in range(hours):
            self.jump(self.clock.now() + timedelta(minutes=59))
            self.pass_time(timedelta(minutes=1))

    def assert_books_and_cloud_agree(self) -> None:
        """Every snapshot in the cloud belongs to a replica in the catalogue, and each of those is there."""
        known = dict(recorded_snapshots(machine.id for machine in self.machines.values()))
        with self.cloud.estate.lock:
            there = list(self.cloud.estate.shelf.under("/subscriptions/"))
        found = {resource.id.key for resource in there if isinstance(resource, Snapshot)}
        assert found - set(known) == set(), "snapshots that nobody knows"
        must_be = {snapshot for snapshot, is_sure in known.items() if is_sure}
        assert must_be - found == set(), "snapshots that are not there"

    def assert_histories_replay(self) -> None:
        """Every orchestration asks for the same things again when its history is played to it again."""
        for status in self.host.statuses():
            history = self.host.history(status["instanceId"])
            assert check_history(self.host.app, history) == [], status["instanceId"]

    def bytes_of(self, disk_id: str) -> bytes:
        """Read a disk of the cloud whole."""
        image = self.cloud.disk(disk_id).image
        return image.read(0, image.size_bytes)

    # How it is put together

    def _build(self) -> None:
        """Make what is in the cloud before Tidemark runs."""
        self.cloud.add_resource_group("production", HOME)
        for location, region in LOCATIONS.items():
            self._add_location(location, region)

    def _add_location(self, name: str, region: str, subscription: str | None = None) -> None:
        for purpose in ("snapshots", "restored"):
            self.cloud.add_resource_group(f"{purpose}-{name}", region, subscription=subscription)
        self.cloud.add_network(f"network-{name}", region, f"restored-{name}", subscription=subscription)
        self.manifests[name] = self._account_with_container()

    def _settings(self) -> Settings:
        return settings_in(self.directory, self._told(), self.catalogue, *self.manifests.values())

    def _told(self) -> dict[str, Any]:
        """Return what the policy file says."""
        places = {
            name: location_entry(name, region, self.subscription, self.manifests[name].blob_endpoint)
            for name, region in LOCATIONS.items()
        }
        # In the north another size and other zones stand for those at home; the south maps none.
        places["north"] |= {"sizes": {"Standard_D4s_v5": "Standard_E8s_v5"}, "zones": {"1": "2", "2": "3"}}
        policies = {
            "daily": policy_entry("north"),
            "twice": policy_entry("north", "south"),
            "hourly": policy_entry("north", cron="0 * * * *"),
            "newest": policy_entry("north", cron="0 * * * *", backlog="newest"),
        }
        return {
            "subscriptions": [{"id": name} for name in (self.subscription, *self.more_subscriptions)],
            "locations": places,
            "policies": policies,
        }

    def _reach(self) -> Reach:
        return Reach()

    def _connect(self) -> None:
        use(connect(self._settings(), clock=self.clock, transport=transport(self.cloud),
                    storage_transport=self.reach.transport()))  # fmt: skip

    def _start_host(self) -> None:
        self.host = LocalHost(
            tidemark(), database=self.directory / "host.db", clock=self.clock, workers=self.workers,
            run_timers=self.has_timers,
        )  # fmt: skip
        self.host.start()

    def _account_with_container(self) -> Account:
        account = self.accounts.fresh()
        account.make_container("manifests")
        return account
