"""ARM resource ids, and where new unique ids come from.

ARM compares ids without regard to case and does not keep their case from one response to the next, so
everything is looked up by `ResourceId.key`, which is lower case (azure-semantics §9).
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from functools import cached_property

KINDS = {
    kind.lower(): kind
    for kind in (
        "Microsoft.Compute/diskEncryptionSets",
        "Microsoft.Compute/disks",
        "Microsoft.Compute/snapshots",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/virtualNetworks",
        "Microsoft.Network/virtualNetworks/subnets",
        "Microsoft.Storage/storageAccounts",
    )
}


@dataclass(frozen=True)
class ResourceId:
    """The id of one resource, taken apart; `kind` is the namespace and the types, `names` one name for
    each type."""

    subscription: str
    group: str
    kind: str
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> ResourceId | None:
        """Take an id apart; None if the text is not the id of a resource in a resource group."""
        parts = text.strip("/").split("/")
        if len(parts) < 8 or len(parts) % 2 or any(not part for part in parts):
            return None
        if [parts[0].lower(), parts[2].lower(), parts[4].lower()] != [
            "subscriptions",
            "resourcegroups",
            "providers",
        ]:
            return None
        kind = "/".join([parts[5], *parts[6::2]])
        return cls(parts[1], parts[3], KINDS.get(kind.lower(), kind), tuple(parts[7::2]))

    @cached_property
    def text(self) -> str:
        namespace, *types = self.kind.split("/")
        tail = "".join(f"/{kind}/{name}" for kind, name in zip(types, self.names, strict=True))
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{namespace}{tail}"

    @cached_property
    def key(self) -> str:
        """What the resource is looked up by."""
        return self.text.lower()

    @property
    def name(self) -> str:
        return self.names[-1]

    def shouted(self) -> str:
        """Return the id with its resource group in capitals, as Compute often returns it."""
        group = f"/resourceGroups/{self.group}/"
        return self.text.replace(group, group.replace(self.group, self.group.upper()), 1)

    def __str__(self) -> str:
        return self.text


class UniqueIds:
    """New unique ids: random to look at, the same again from the same seed and for the same purpose."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = random.Random(f"{purpose}:{seed}")

    def new(self) -> str:
        """Return a UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
