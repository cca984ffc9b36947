"""What people do by hand in Azure and in the tables, at once, whatever Tidemark is doing at that moment.

None of it is a call to Azure: it takes no time, meets no planted fault and needs no host, so that it can
happen between two requests of the app. The bytes of a disk that is gone stay: a snapshot may be taken of it
just now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from domain.names import point_parts, point_row_key, vm_key
from domain.restore_points import ReplicaState, RestorePoint
from gateways.connection import cloud
from simulator.arm import machines
from simulator.arm.machine_model import AttachedDisk
from tests.schedules.ledger import Hold, Ledger
from tests.world import HOME, MIB, World

WHOLE = (ReplicaState.AVAILABLE, ReplicaState.EXPIRING)
ATTACHED = {"createOption": "Attach", "caching": "None", "deleteOption": "Detach"}
SIZE = 64 * MIB
GROWTH = 16 * MIB


class Hands:
    """Somebody who may do everything; what is done is noted in the ledger."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger

    def delete_vm(self, vm: str) -> None:
        """Delete a VM with its disks."""
        if vm in self._ledger.gone:
            return
        machine = self._world.machines[vm].machine
        with self._azure():
            machines.remove(self._world.cloud.estate, machine)
            for each in machine.attached:
                self._world.cloud.estate.shelf.remove(each.disk)
        self._ledger.gone[vm] = self._world.clock.now()

    def add_disk(self, vm: str, disk: str) -> None:
        """Attach a new data disk to a VM."""
        handle = self._world.machines[vm]
        if vm in self._ledger.gone or disk in handle.disks:
            return
        with self._azure():
            made = self._world.cloud.add_disk(f"{vm}-{disk}", HOME, "production", SIZE).resource
            used = {each.lun for each in handle.machine.data}
            lun = next(number for number in range(len(used) + 1) if number not in used)
            handle.machine.data.append(AttachedDisk(made, ATTACHED, lun))
            made.machine = handle.machine
        self._world.machines[vm] = replace(handle, disks={**handle.disks, disk: made})
        self._ledger.note_disks(vm)

    def grow_disk(self, vm: str, disk: str) -> None:
        """Let a disk grow."""
        handle = self._world.machines[vm]
        if vm not in self._ledger.gone and disk in handle.disks:
            with self._azure():
                image = handle.disk(disk).image
                image.resize(image.size_bytes + GROWTH)

    def remove_disk(self, vm: str, disk: str) -> None:
        """Take a data disk off a VM and delete it; the OS disk stays."""
        handle = self._world.machines[vm]
        left = handle.disks.get(disk)
        if vm in self._ledger.gone or left is None or left is handle.machine.os.disk:
            return
        with self._azure():
            handle.machine.data = [each for each in handle.machine.data if each.disk is not left]
            left.machine = None
            self._world.cloud.estate.shelf.remove(left)
        kept = {name: each for name, each in handle.disks.items() if name != disk}
        self._world.machines[vm] = replace(handle, disks=kept)
        self._ledger.note_disks(vm)

    def replace_disk(self, vm: str, disk: str) -> None:
        """Put another data disk in the place of one, under its name."""
        before = self._world.machines[vm].disks.get(disk)
        self.remove_disk(vm, disk)
        if before is not None and disk not in self._world.machines[vm].disks:
            self.add_disk(vm, disk)

    def hold(self, vm: str, number: int, text: str) -> None:
        """Write a hold into the row of one of a VM's points."""
        point = self._chosen(vm, number)
        if point is None:
            return
        safe = self._write(point.id, lambda row: {**row, "hold": text})
        if safe is not None:
            self._ledger.holds[point.id] = Hold(text, safe)

    def release(self, number: int) -> None:
        """Take a hold out of its point's row."""
        held = sorted(self._ledger.holds)
        if held:
            point = held[number % len(held)]
            del self._ledger.holds[point]
            self._write(point, lambda row: {name: row[name] for name in row if name != "hold"})

    def _chosen(self, vm: str, number: int) -> RestorePoint | None:
        points = cloud().catalogue.restore_points.query(vm_key(self._world.machines[vm].id))
        return points[number % len(points)] if points else None

    def _write(self, point: str, changed: Callable[[Any], Any]) -> frozenset[str] | None:
        """Change a row as it stands; return where the point was whole then, None if the row is gone."""
        vm, slot, attempt = point_parts(point)
        table = cloud().catalogue.service.get_table_client("restorepoints")
        while True:
            try:
                row = table.get_entity(vm, point_row_key(slot, attempt))
                known = cloud().catalogue.restore_points.find(point)
                table.update_entity(
                    changed(row), mode=UpdateMode.REPLACE, etag=row.metadata["etag"],
                    match_condition=MatchConditions.IfNotModified,
                )  # fmt: skip
            except ResourceModifiedError:
                continue
            except ResourceNotFoundError:
                return None
            if known is None:
                return None
            return frozenset(
                location
                for location, state in known.replicas.items()
                if state in WHOLE and location not in known.deletions
            )

    @contextmanager
    def _azure(self) -> Iterator[None]:
        """Azure as it is at this moment: what is due has happened."""
        with self._world.cloud.estate.lock:
            self._world.cloud.estate.timeline.settle()
            yield
