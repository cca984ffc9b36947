"""Who may do what in the simulated cloud.

Every request carries a bearer token; a token `development:<identity>` names an identity, any other token is
the identity `anonymous-token`. Without roles everything is allowed. Once any role is granted, an identity may
do only what its roles say, and the refusal is Azure's `AuthorizationFailed`.

    cloud.roles.grant("backup", ["Microsoft.Compute/snapshots/*"], scope="/subscriptions/...")
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase

from simulator.arm.errors import ArmError
from simulator.wire import Request

_BEARER = re.compile(r"Bearer\s+(\S+)\s*$", re.IGNORECASE)
_PREFIX = "development:"


class Roles:
    """Actions granted to identities, each within a scope."""

    def __init__(self) -> None:
        self._granted: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)

    def grant(self, identity: str, actions: Iterable[str], scope: str = "/") -> None:
        """Let `identity` do `actions` (`*` stands for anything) on `scope` and everything below it."""
        self._granted[identity].extend((action.lower(), scope.lower().rstrip("/")) for action in actions)

    def allow(self, identity: str, action: str, scope: str) -> bool:
        """Tell whether `identity` may do `action` on `scope`."""
        if not self._granted:
            return True
        where = scope.lower()
        return any(
            fnmatchcase(action.lower(), pattern) and (where == within or where.startswith(f"{within}/"))
            for pattern, within in self._granted.get(identity, ())
        )


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


def linked_forbidden(identity: str, action: str, scope: str, linked: str) -> ArmError:
    """Return the refusal of an action that a request needs on another resource than its own."""
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{identity}' with object id '{identity}' has permission to perform the requested action "
        f"on scope '{scope}'; however, it does not have permission to perform action(s) '{action}' on the "
        f"linked scope(s) '{linked}' or the linked scope(s) are invalid.",
    )
