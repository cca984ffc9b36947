"""Who asks, and what they may do.

In Azure the platform's built-in authentication checks the caller's token of Microsoft Entra ID and tells
the app in the header X-MS-CLIENT-PRINCIPAL who it was: Base64 of JSON with claims ("Work with user identities
in Azure App Service authentication"). The platform keeps callers from setting that header, so it is believed
only where the platform says that its authentication is on; elsewhere anybody could write it. Where no Azure
is, one development token stands for signing in.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hmac import compare_digest
from typing import Any

from domain.errors import NotAllowed, NotSignedIn
from settings import Settings

PRINCIPAL_HEADER = "X-MS-CLIENT-PRINCIPAL"
_ENTRA = "aad"
_OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_NAMES = ("preferred_username", "name", "appid", "azp")
_ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_BEARER = "bearer "


class Role(IntEnum):
    """What a caller may do; each may do what those before it may. The names are Entra's app role values."""

    READER = 1  # look
    OPERATOR = 2  # take backups
    RESTORER = 3  # bring data back: whoever may do that can read what is in the backups
    ADMIN = 4  # all

    @property
    def title(self) -> str:
        """The role as Entra and the API write it."""
        return self.name.title()


@dataclass(frozen=True)
class Caller:
    """Who asks. `id` stays the same when the name changes; `role` is the highest they hold, None for none."""

    id: str
    name: str
    role: Role | None

    @property
    def who(self) -> str:
        """How an operation records them."""
        return self.name if self.name == self.id else f"{self.name} ({self.id})"

    def must_be(self, needed: Role) -> None:
        """Raise NotAllowed if the caller may not do what this role may."""
        if self.role is None or self.role < needed:
            held = f"has the role {self.role.title}" if self.role else "has no role in Tidemark"
            raise NotAllowed(
                f"{self.who} {held}; this needs {needed.title} or a higher one, which an administrator "
                "assigns in Microsoft Entra ID, under the app's enterprise application"
            )


_DEVELOPER = Caller("development", "development", Role.ADMIN)


def identify(headers: Mapping[str, str], settings: Settings) -> Caller:
    """Return who asks; raises NotSignedIn if nobody vouches for them."""
    principal = headers.get(PRINCIPAL_HEADER)
    if principal and settings.is_sign_in_enforced:
        return _signed_in(principal)
    if settings.development and _is_token(headers.get("Authorization", ""), settings.development.token):
        return _DEVELOPER
    raise NotSignedIn(f"{_found(headers)}; {_way_in(settings)}")


def _found(headers: Mapping[str, str]) -> str:
    """Say what a request brought that says not who asks; never the token itself."""
    authorization = headers.get("Authorization", "")
    if not authorization:
        return "the request has no header Authorization"
    if not authorization.lower().startswith(_BEARER):
        return "the header Authorization is not of the form Bearer <token>"
    return "the token in the header Authorization is not one that this app accepts"


def _way_in(settings: Settings) -> str:
    """Say how to sign in here, which depends on where the app runs."""
    if settings.development and settings.development.token:
        return (
            "this app runs in development mode: send its development token, the value of the setting "
            "TIDEMARK_DEVELOPMENT_TOKEN, as Authorization: Bearer <token>"
        )
    if settings.development:
        return "this app runs in development mode: set TIDEMARK_DEVELOPMENT_TOKEN and start it again"
    if settings.is_sign_in_enforced:
        return (
            "sign in with Microsoft Entra ID and send the token as Authorization: Bearer <token>; "
            "az account get-access-token --resource <the app's id> prints one"
        )
    return (
        "nobody can sign in while the function app's built-in authentication is off; turn it on, with "
        "Microsoft Entra ID as the provider"
    )


def _is_token(authorization: str, token: str) -> bool:
    """Compare in constant time; a token that was never set matches nothing."""
    if not token or not authorization.lower().startswith(_BEARER):
        return False
    return compare_digest(authorization[len(_BEARER) :].strip().encode(), token.encode())


def _signed_in(header: str) -> Caller:
    try:
        principal = json.loads(b64decode(header, validate=True))
        provider, claims = principal["auth_typ"], _claims(principal)
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise NotSignedIn(
            f"the platform's header {PRINCIPAL_HEADER} cannot be read ({type(wrong).__name__}); see whether "
            "the function app's built-in authentication is on, and sign in again"
        ) from wrong
    ids = [value for kind in _OBJECT_ID for value in claims.get(kind, [])]
    if provider != _ENTRA or not ids:
        found = f"the provider is {provider!r}" if provider != _ENTRA else "the token has no object id"
        raise NotSignedIn(f"{found}; sign in with Microsoft Entra ID, no other provider counts here")
    names = [value for kind in (principal.get("name_typ"), *_NAMES) for value in claims.get(kind, [])]
    held = [value for kind in {principal.get("role_typ"), *_ROLES} for value in claims.get(kind, [])]
    roles = [role for role in Role if role.title in held]
    return Caller(ids[0], (names or ids)[0], max(roles, default=None))


def _claims(principal: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values by type of claim; one type may come several times."""
    claims: dict[str, list[str]] = {}
    for claim in principal["claims"]:
        claims.setdefault(str(claim["typ"]), []).append(str(claim["val"]))
    return claims
