"""The roles of `roles.json` as the Bicep assigns them: what each identity may do, and where.

The simulated cloud gives its identities these rights and no others, so every scenario and the demo run with
the roles that are deployed. That the Bicep assigns roles in each place of `roles.json` is checked
(`infra.checks`); that these places are the same scopes in Azure, only a deployment can show.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from domain.policy import Policies
from gateways.actions import Assignment, OptIn, Where, scopes
from settings import Identity

Roles = Mapping[str, Mapping[str, Any]]
FILE = Path(__file__).parent / "roles.json"


@cache
def roles() -> Roles:
    """Return the roles by their keys, in the form of the file."""
    found: Roles = json.loads(FILE.read_text())
    return found


def deployed(
    policies: Policies, opted_in: Collection[OptIn] = tuple(OptIn), granted: Roles | None = None
) -> list[Assignment]:
    """Return what each identity gets in Resource Manager for these policies, and what is allowed.

    `granted` are other roles than those of the file. Storage is left out, as in `gateways.actions`; see
    `deployed_on_replicas`.
    """
    return sorted(
        {
            Assignment(Identity(role["identity"]), action, scope)
            for role in (roles() if granted is None else granted).values()
            if role["optIn"] is None or role["optIn"] in opted_in
            for action in role["actions"]
            for scope in scopes(Where[role["where"].upper()], policies)
        }
    )


def deployed_on_replicas(container: str) -> list[Assignment]:
    """Return what each identity gets on a container that holds page blobs; `container` is its ARM id."""
    return sorted(
        Assignment(Identity(role["identity"]), action, container)
        for role in roles().values()
        if Where[role["where"].upper()] is Where.REPLICAS
        for action in role["dataActions"]
    )
