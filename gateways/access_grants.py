"""Letting the bytes of disks and snapshots be read or written by an address, for a while.

Whoever has the address can use it, so it stays in this process: never in history, tables, logs or messages.
Source: azure-semantics.md §4.1, §4.5. What Azure does where something is opened that is open already is
documented for disk restore points only: the same address for longer. So nothing rests on that: what is open
for reading is closed first, as it is the rest of a step that died, and whoever opens it has the turn at its
disk. What is open for writing must not be closed, as that ends the upload: if Azure refuses, its time is
waited for. Nor is it documented whether the network access of a snapshot can be changed while Azure copies
it: if not, the copy is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import GrantAccessData
from azure.mgmt.core.polling.arm_polling import ARMPolling

from clock import Clock
from domain.errors import Absent, Conflicting, Transient
from domain.policy import SnapshotAccess
from gateways.compute import Compute, ResourceId
from gateways.failures import translated

LONGEST = timedelta(days=60)  # of one grant, since 2025-02-15; learn.microsoft.com, disks-sas-change
NETWORK_ACCESS: Mapping[SnapshotAccess, Mapping[str, str]] = {
    SnapshotAccess.DENIED: {"networkAccessPolicy": "DenyAll", "publicNetworkAccess": "Disabled"},
    SnapshotAccess.ALLOWED: {"networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"},
}

_READ, _WRITTEN = "ActiveSAS", "ActiveUpload"  # states of what is open; azure-semantics.md §2.3
_LOOKS = 20  # at an operation that recorded traffic shows to take about a second
_BETWEEN_LOOKS = timedelta(seconds=2)


@dataclass(frozen=True)
class AccessGrants:
    """Those of one kind of thing; `operations` are the client's for it.

    `clock` says how long a moment's waiting lasts.
    """

    compute: Compute
    clock: Clock
    kind: str
    operations: Callable[[ComputeManagementClient], Any]

    def open(self, resource_id: str, access: str, lasts: timedelta) -> str:
        """Return the address by which it can be read or written until it is closed, or `lasts` has passed.

        An earlier address for reading it ends. Raises Refused if Azure does, as for a sixth snapshot of one
        disk, and Transient("StillOpening") if Azure takes longer than a minute to do it. What was begun must
        be closed then, too.
        """
        address, operations, what = self._at(resource_id, "opening")
        try:
            state = self._let_in(operations, address, resource_id, SnapshotAccess.ALLOWED)
        except Conflicting as conflict:
            raise Transient("InUse", f"{conflict}; it can be opened when that is over") from conflict
        if state == _READ:
            self._revoke(operations, address, what)
        seconds = int(min(lasts, LONGEST).total_seconds())
        grant = GrantAccessData(access=access, duration_in_seconds=seconds)
        try:
            with translated(what):
                granted = operations.begin_grant_access(
                    address.group, address.name, grant, polling=self._looking(what)
                ).result()
        except Conflicting as conflict:
            if state != _WRITTEN:
                raise
            raise Transient(
                "StillOpen", f"{conflict}; it is open until {lasts} have passed", lasts
            ) from conflict
        if not granted or not granted.access_sas:
            raise Transient("StillOpening", f"{what}: Azure told no address")
        return str(granted.access_sas)

    def close(self, resource_id: str, left: SnapshotAccess = SnapshotAccess.DENIED) -> None:
        """Let nobody read or write it any more, whoever opened it; what is gone is closed.

        `left` says who may ask for an address of it from now on.
        """
        address, operations, what = self._at(resource_id, "closing")
        try:
            try:
                self._revoke(operations, address, what)
            finally:  # an address that cannot be taken back ends by itself; nobody must get another one
                self._let_in(operations, address, resource_id, left)
        except Absent:
            return

    def _at(self, resource_id: str, doing: str) -> tuple[ResourceId, Any, str]:
        address = ResourceId.parse(resource_id)
        operations = self.operations(self.compute.client(address.subscription))
        return address, operations, f"{doing} {self.kind} {resource_id}"

    def _revoke(self, operations: Any, address: ResourceId, what: str) -> None:
        with translated(what):
            operations.begin_revoke_access(address.group, address.name, polling=self._looking(what)).result()

    def _let_in(self, operations: Any, address: ResourceId, resource_id: str, access: SnapshotAccess) -> str:
        """Say who may ask for an address; return the state it was in."""
        wanted = NETWORK_ACCESS[access]
        what = f"network access of {self.kind} {resource_id}"
        with translated(what):
            found = operations.get(address.group, address.name).as_dict().get("properties", {})
            if any(found.get(name) != value for name, value in wanted.items()):
                operations.begin_update(
                    address.group, address.name, {"properties": dict(wanted)}, polling=self._looking(what)
                ).result()
        return str(found.get("diskState"))

    def _looking(self, what: str) -> ARMPolling:
        return _FewLooks(what, self._let_pass)

    def _let_pass(self) -> None:
        seconds = self.clock.seconds_until(self.clock.now() + _BETWEEN_LOOKS)
        if seconds:  # None where the clock stands still: then waiting helps nobody
            time.sleep(seconds)


class _FewLooks(ARMPolling):
    """The SDK's way to follow an operation, but with short pauses only, and not for ever."""

    def __init__(self, what: str, pause: Callable[[], None]) -> None:
        super().__init__(timeout=1)
        self._what = what
        self._pause = pause
        self._looks = 0

    def _sleep(self, delay: float) -> None:
        self._looks += 1
        if self._looks > _LOOKS:
            raise Transient(
                "StillOpening", f"{self._what}: Azure is still at it after {_LOOKS} looks; ask again"
            )
        self._pause()
