"""Who may do what in the simulated cloud.

Every request carries a bearer token; a token `development:<identity>` names an identity, any other token is
the identity `anonymous-token`. Once any role is assigned, an identity may do only what its roles say, and the
refusal is Azure's `AuthorizationFailed`, or `LinkedAuthorizationFailed` where a request needs a right on
another resource than its own. Which request needs which action is said where the routes are (`ROUTES` of each
kind of resource) and where bodies name other resources (`Call.require_linked`).

    cloud.roles.grant("backup", ["Microsoft.Compute/snapshots/*"], scope="/subscriptions/...")

As in Azure's role definitions, `*` stands for any text, actions are compared without regard to case, what a
role leaves out (`not_actions`) another role may still give, and a role reaches its scope and all below it.

What lies in storage accounts is reached by data actions, which Azure keeps apart: `*` does not give them,
only what names blobs does (`Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*`).

Own choices: without any role everybody may do everything, for the sake of clients that know no roles; roles
bind at once, where Azure takes minutes; a list of a whole subscription needs its right on the whole
subscription, and is not cut down to what the identity may see. There are no deny assignments and no
conditions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from simulator.arm.errors import ArmError
from simulator.wire import Request

_BEARER = re.compile(r"Bearer\s+(\S+)\s*$", re.IGNORECASE)
_PREFIX = "development:"
_DATA_ACTIONS = "microsoft.storage/storageaccounts/blobservices/containers/blobs/"


@dataclass(frozen=True)
class Assignment:
    """One role of one identity within one scope; everything in lower case."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    scope: str

    def allows(self, action: str, scope: str) -> bool:
        """Tell whether this role gives the right to `action` on `scope`."""
        reaches = scope == self.scope or scope.startswith(f"{self.scope}/")
        return reaches and _matches(action, self.actions) and not _matches(action, self.not_actions)


class Roles:
    """The roles that are assigned to identities."""

    def __init__(self) -> None:
        self._assigned: defaultdict[str, list[Assignment]] = defaultdict(list)

    def grant(
        self, identity: str, actions: Iterable[str], scope: str = "/", not_actions: Iterable[str] = ()
    ) -> None:
        """Let `identity` do `actions`, but not `not_actions`, on `scope` and everything below it."""
        self._assigned[identity].append(
            Assignment(
                tuple(action.lower() for action in actions),
                tuple(action.lower() for action in not_actions),
                scope.lower().rstrip("/"),
            )
        )

    def allow(self, identity: str, action: str, scope: str) -> bool:
        """Tell whether `identity` may do `action` on `scope`."""
        if not self._assigned:
            return True
        assigned = self._assigned.get(identity, ())
        return any(role.allows(action.lower(), scope.lower().rstrip("/")) for role in assigned)


def _matches(action: str, patterns: Iterable[str]) -> bool:
    if action.startswith(_DATA_ACTIONS):
        patterns = (pattern for pattern in patterns if pattern.startswith(_DATA_ACTIONS))
    return any(fnmatchcase(action, pattern) for pattern in patterns)


def identity_of(request: Request) -> str:
    """Return who sends a request; raises ArmError 401 where there is no bearer token."""
    found = _BEARER.match(request.headers.get("authorization", ""))
    if not found:
        raise ArmError(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing or is not a bearer token.",
            headers={"www-authenticate": 'Bearer authorization_uri="https://login.windows.net/"'},
        )
    token = found.group(1)
    return token[len(_PREFIX) :] if token.startswith(_PREFIX) else "anonymous-token"


def forbidden(identity: str, action: str, scope: str) -> ArmError:
    """Return the refusal of an action that no role allows."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{identity}' with object id '{identity}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
    )


def linked_forbidden(identity: str, own: tuple[str, str], linked: tuple[str, str]) -> ArmError:
    """Return the refusal of an action that a request needs on another resource than its own; both are given
    as action and scope. The words are those of Azure/azure-cli issue 28742."""
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{identity}' with object id '{identity}' has permission to perform action '{own[0]}' on "
        f"scope '{own[1]}'; however, it does not have permission to perform action(s) '{linked[0]}' on the "
        f"linked scope(s) '{linked[1]}' (respectively) or the linked scope(s) are invalid.",
    )
