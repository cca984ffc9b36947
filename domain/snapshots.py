"""One managed snapshot, as Azure describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

_COMPLETE = 100.0


@dataclass(frozen=True)
class Snapshot:
    """What Azure says of one snapshot.

    `percent` is None where Azure gives none: an in-region snapshot of a standard or premium disk is whole as
    soon as its operation has succeeded. `copy_error` is set when a cross-region copy has failed for good.
    """

    id: str
    name: str
    provisioning_state: str
    source_id: str
    source_unique_id: str | None = None
    unique_id: str | None = None
    family_id: str | None = None
    size_bytes: int | None = None
    created: datetime | None = None
    percent: float | None = None
    copy_error: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_taken(self) -> bool:
        """Whether its operation has succeeded, so that its moment is fixed and it has an identity."""
        return self.provisioning_state == "Succeeded" and self.created is not None and bool(self.unique_id)

    @property
    def is_usable(self) -> bool:
        """Whether it can be read, copied and restored from."""
        return self.is_taken and not self.copy_error and (self.percent is None or self.percent >= _COMPLETE)

    def is_known_as(self, unique_id: str) -> bool:
        """Whether it is the one of this unique id; under its name another one may have been made since."""
        return (self.unique_id or "").lower() == unique_id.lower()

    @property
    def failure(self) -> str | None:
        """Why it will never be usable, or None."""
        if self.copy_error:
            return self.copy_error
        if self.provisioning_state in ("Failed", "Canceled"):
            return f"Azure reports the snapshot '{self.name}' as {self.provisioning_state}"
        return None
