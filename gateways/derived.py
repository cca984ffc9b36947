"""Resources that Azure makes from another one: snapshots of disks, their copies, disks of snapshots or blobs.

All are begun alike: what is found under the name is taken up, if it was made from the same source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.mgmt.compute import ComputeManagementClient

from domain.blob_sources import uploaded
from domain.errors import Refused
from gateways.compute import Compute, ResourceId
from gateways.failures import found, translated


@dataclass(frozen=True)
class Derived:
    """One kind of them; `operations` are the client's for it. What is returned is as ARM describes it."""

    compute: Compute
    kind: str
    operations: Callable[[ComputeManagementClient], Any]

    def find(self, resource_id: str) -> Mapping[str, Any] | None:
        """Return a resource, or None if there is none; raises Absent if its group is missing."""
        address = ResourceId.parse(resource_id)
        operations = self.operations(self.compute.client(address.subscription))
        return found(
            f"{self.kind} {resource_id}", lambda: operations.get(address.group, address.name).as_dict()
        )

    def begin(self, resource_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin a resource, or take up the one begun before; raises Refused if that has another source."""
        there = self.find(resource_id)
        if there is None:
            return self._create(resource_id, body)
        source, wanted = source_of(there), source_of(body)
        if source.lower() != wanted.lower():
            raise Refused(
                "NameTaken",
                f"{self.kind} {resource_id} exists, but was made of {source or 'something else'} instead of "
                f"{wanted}; remove it, or ask again: another attempt takes another name",
            )
        return there

    def _create(self, resource_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        address = ResourceId.parse(resource_id)
        operations = self.operations(self.compute.client(address.subscription))
        with translated(f"{self.kind} {resource_id}"):
            begun = operations.begin_create_or_update(address.group, address.name, body, polling=False)
            # The answer repeats the request; what Azure itself adds appears only later.
            return {"id": resource_id, "name": address.name, **begun.result().as_dict()}


def source_of(model: Mapping[str, Any]) -> str:
    """Return what a resource says that it was made of: another one's id, a blob's URL, or an upload."""
    creation = model["properties"]["creationData"]
    if length := creation.get("uploadSizeBytes"):
        return uploaded(length)
    return str(creation.get("sourceResourceId") or creation.get("sourceUri") or "")
