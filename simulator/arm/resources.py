"""What all resources have in common, and the shelf that they stand on.

The shelf keeps the keys of each kind sorted. All resources of a subscription or of a group have keys with the
same beginning, so a page of a list is found by bisection, however much there is; and a page begins after the
last key of the page before, so that resources that come or go between two pages never shift the others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from simulator.arm import errors
from simulator.arm.identifiers import ResourceId


def timestamp(moment: datetime) -> str:
    """Return a moment as Compute writes it: seven digits of a second, which many parsers stumble over."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0+00:00"


@dataclass(eq=False, kw_only=True)
class Resource:
    """One resource of any kind; `properties` holds what the client set and Azure only keeps."""

    id: ResourceId
    location: str
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    zones: list[str] = field(default_factory=list)
    provisioning_state: str = "Succeeded"
    is_changing: bool = False
    version: int = 1

    def document(self) -> dict[str, Any]:
        """Return the resource as a GET answers it."""
        raise NotImplementedError

    def heading(self) -> dict[str, Any]:
        """Return what the document of any resource begins with."""
        shared: dict[str, Any] = {
            "name": self.id.name,
            "id": self.id.text,
            "type": self.id.kind,
            "location": self.location,
            "tags": dict(self.tags),
        }
        return shared | ({"zones": list(self.zones)} if self.zones else {})

    def require_idle(self) -> None:
        """Refuse (409 Conflict) while another operation changes this resource."""
        if self.is_changing:
            raise errors.conflict()


Kind = TypeVar("Kind", bound=Resource)


class Shelf:
    """Every resource of the cloud, by key and by kind."""

    def __init__(self) -> None:
        self._by_key: dict[str, Resource] = {}
        self._keys: defaultdict[str, list[str]] = defaultdict(list)

    def put(self, resource: Resource) -> None:
        """Put a resource on the shelf, in the place of one with the same id."""
        if resource.id.key not in self._by_key:
            insort(self._keys[resource.id.kind], resource.id.key)
        self._by_key[resource.id.key] = resource

    def remove(self, resource: Resource) -> None:
        """Take a resource away, unless another has taken its place."""
        if self._by_key.get(resource.id.key) is resource:
            del self._by_key[resource.id.key]
            keys = self._keys[resource.id.kind]
            del keys[bisect_left(keys, resource.id.key)]

    def find(self, kind: type[Kind], resource_id: ResourceId | str) -> Kind | None:
        """Return the resource with that id if it exists and is of that kind."""
        key = resource_id.lower() if isinstance(resource_id, str) else resource_id.key
        found = self._by_key.get(key)
        return found if isinstance(found, kind) else None

    def get(self, kind: type[Kind], resource_id: ResourceId) -> Kind:
        """Return the resource with that id; raises ArmError 404 ResourceNotFound."""
        found = self.find(kind, resource_id)
        if found is None:
            name = "/".join(resource_id.names)
            raise errors.resource_not_found(resource_id.kind, name, resource_id.group)
        return found

    def page(
        self, kind: str, prefix: str, after: str, size: int, shown: Callable[[Resource], bool]
    ) -> tuple[list[Resource], str | None]:
        """Return up to `size` resources of a kind whose keys begin with `prefix`, from the key after `after`
        on, and the key to go on after (None at the end)."""
        keys = self._keys[kind]
        at = bisect_right(keys, after) if after else bisect_left(keys, prefix)
        found: list[Resource] = []
        while at < len(keys) and keys[at].startswith(prefix):
            if len(found) == size:
                return found, found[-1].id.key
            if shown(self._by_key[keys[at]]):
                found.append(self._by_key[keys[at]])
            at += 1
        return found, None

    def under(self, prefix: str) -> Iterator[Resource]:
        """Yield every resource of any kind whose key begins with `prefix`."""
        for keys in list(self._keys.values()):
            for key in keys[bisect_left(keys, prefix) :]:
                if not key.startswith(prefix):
                    break
                yield self._by_key[key]
