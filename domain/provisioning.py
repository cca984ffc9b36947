"""How far something is that Azure makes: begun, then ready or failed."""

from __future__ import annotations


class Made:
    """What all that is made in Azure has in common; `problem` is what Azure says where it has failed."""

    id: str
    provisioning_state: str
    problem: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it can be used."""
        return self.provisioning_state == "Succeeded"

    @property
    def has_failed(self) -> bool:
        """Whether it never will be."""
        return self.provisioning_state in ("Failed", "Canceled")

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.is_ready or self.has_failed

    @property
    def found(self) -> str:
        """Say in which state it was left, and which it is: what is left of it is to be removed by hand."""
        said = f" ({self.problem})" if self.problem else ""
        return f"Azure reports {self.id} as {self.provisioning_state}{said}"
