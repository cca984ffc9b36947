"""A world in which days pass, policies change and things are pruned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import UpdateMode
from azure.mgmt.compute import ComputeManagementClient
from azure.storage.blob import ContainerClient

from domain.names import point_parts, point_row_key
from domain.restore_points import ReplicaState
from gateways.connection import cloud, use
from tests.operator import Operator
from tests.world import World

DAY = timedelta(days=1)


class PrunedWorld(World):
    """A world whose policy is changed by hand now and then, and whose VMs are backed up day by day."""

    def keep(self, *, most_pruned: float = 1.0, **keep_last: int) -> None:
        """Change what the policy keeps in its locations."""
        connected = cloud()
        daily = connected.policies.policies["daily"]
        changed = replace(daily, keep_last={**daily.keep_last, **keep_last}, most_pruned=most_pruned)
        policies = replace(connected.policies, policies={**connected.policies.policies, "daily": changed})
        use(replace(connected, policies=policies))

    def days(self, count: int) -> None:
        """Let days pass; what the data disk holds when it is backed up is the day of the month."""
        for _ in range(count):
            day = self.clock.now().replace(hour=2, minute=0) + DAY
            self.write("web", "data", day.strftime("day %d").encode())
            self.jump(day)
            self.pass_time(timedelta(minutes=40))

    def prune(self) -> None:
        """Let the next hourly pruning run, and everything that follows from it."""
        self.jump(self.clock.now().replace(minute=37, second=0) + timedelta(hours=1))
        self.pass_time(timedelta(minutes=20))

    def offered(self, location: str, vm: str = "web") -> list[str]:
        """The days of the points that can be restored from a location, newest first."""
        return [
            point.slot.strftime("%d")
            for point in self.points_of(self.machines[vm].id)
            if point.replicas.get(location) is ReplicaState.AVAILABLE
        ]

    def snapshots(self, location: str) -> list[str]:
        """The snapshots that are in a location's group, by name."""
        found = self.azure.snapshots.list_by_resource_group(f"snapshots-{location}")
        return sorted(snapshot.name for snapshot in found)

    @cached_property
    def azure(self) -> ComputeManagementClient:
        """Azure as somebody sees it who may do everything."""
        return Operator(self).azure

    def assert_books_and_cloud_agree_but(self, names: Iterable[str]) -> None:
        """The books and the cloud agree, but for what somebody else has made: all of that is there."""
        snapshots = self.azure.snapshots
        for name in names:
            snapshots.get("snapshots-west", name)
            snapshots.begin_delete("snapshots-west", name, polling=False)
        self.pass_time(timedelta(minutes=1))
        self.assert_books_and_cloud_agree()

    def blobs(self, location: str) -> list[str]:
        """The manifests of a location, by name."""
        account = self.manifests[location]
        container = ContainerClient(
            account.blob_endpoint, "manifests",
            credential=AzureNamedKeyCredential(account.name, account.key), api_version="2021-12-02",
        )  # fmt: skip
        with container:
            return sorted(container.list_blob_names())

    def write_hold(self, point: str, text: str) -> None:
        """Write a hold into a point's row, as an operator does by hand."""
        vm, slot, attempt = point_parts(point)
        table = cloud().catalogue.service.get_table_client("restorepoints")
        entity = table.get_entity(vm, point_row_key(slot, attempt))
        table.update_entity({**entity, "hold": text}, mode=UpdateMode.REPLACE)
