"""What Azure refuses an identity, told in our words: which identity, which action, where, and what to do.

Azure names an identity by ids that nobody knows by heart. The client that sends its token knows its name, so
this hangs in the client's pipeline: as `raw_response_hook`, which all of Azure's clients take.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from domain.errors import Refused
from gateways.actions import opt_in_of
from settings import Identity

# Resource Manager's own words, and those of its check of linked resources (Azure/azure-cli issue 28742).
_MISSING = re.compile(
    r"perform action(?:\(s\))? '(?P<action>[^']+)' (?:over scope|on the linked scope\(s\)) '(?P<scope>[^']+)'"
)
_ADVICE = (
    "gateways/actions.py lists what each identity needs, and where; a new role counts after some minutes"
)


def refusals(identity: Identity) -> Callable[[Any], None]:
    """Return a hook that raises Refused for what an identity has no right to, and lets all else pass."""

    def hook(response: Any) -> None:
        answer = response.http_response
        if answer.status_code == 403:
            _refuse(identity, answer)

    return hook


def _refuse(identity: Identity, answer: Any) -> None:
    who = f"identity '{identity}' ({identity.setting})"
    if answer.headers.get("x-ms-error-code") == "AuthorizationPermissionMismatch":  # of a storage account
        raise storage_refusal(identity, answer.request.method, answer.request.url)
    answer.read()  # the SDK reads it only after the pipeline
    told = answer.text()
    for code in ("LinkedAuthorizationFailed", "AuthorizationFailed"):
        found = _MISSING.search(told) if f'"{code}"' in told else None
        if found:
            absent = " (or make it: it may not exist)" if code.startswith("Linked") else ""
            raise Refused(
                code,
                f"{_not_opted_in(identity, found['action'])}{who} may not do {found['action']} on "
                f"{found['scope']}: give it a role with this action there{absent}; {_ADVICE}",
            )


def storage_refusal(identity: Identity, method: str, url: str) -> Refused:
    """Return in our words what a storage account refuses by `AuthorizationPermissionMismatch`."""
    return Refused(
        "AuthorizationPermissionMismatch",
        f"identity '{identity}' ({identity.setting}) may not {method} {url.partition('?')[0]}: give it a "
        f"role with the data action that this needs on the account or the container; {_ADVICE}",
    )


def _not_opted_in(identity: Identity, action: str) -> str:
    """Say first what a deployment must allow, where an action is needed for nothing else."""
    opt_in = opt_in_of(identity, action)
    if opt_in is None:
        return ""
    return f"{opt_in.words} is not allowed in this deployment, its parameter {opt_in.parameter} allows it: "
