"""Shared access signatures: of an account, of one of its containers or blobs, or by user delegation.

Sources: "Create an account SAS", "Create a service SAS" and "Create a user delegation SAS" (Azure Storage
REST). Known differences and own choices:
- Service versions from 2015-04-05 on, each with what it signs; an older one is refused.
- Stored access policies (`si`), addresses (`sip`) and headers bound into the signature are not simulated; a
  SAS that has them is refused. The protocol (`spr`) is not looked at, because the simulator has no TLS.
- A user delegation SAS may do what it says and what its owner may, by roles, when it is used.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.data_plane.errors import StorageError, not_simulated
from simulator.page_blobs.accounts import StorageAccount
from simulator.page_blobs.addresses import Address
from simulator.page_blobs.shared_key import signature
from simulator.page_blobs.telling import date

_FIRST_VERSION = "2015-04-05"
_WITH_RESOURCE = "2018-11-09"  # what is signed for, and user delegation
_WITH_OTHER_USERS = "2020-02-10"
_WITH_ENCRYPTION_SCOPE = "2020-12-06"
_WITH_DELEGATED_USER = "2025-07-05"
_WITH_BOUND_HEADERS = "2026-04-06"
_KEY_FIELDS = ("skoid", "sktid", "skt", "ske", "sks", "skv")
_OTHER_USERS = ("saoid", "suoid", "scid")
_OVERRIDES = ("rscc", "rscd", "rsce", "rscl", "rsct")
_PERMISSIONS = "racwdxyltfmeopi"  # in this order
_LEVELS = {"service": "s", "container": "c", "blob": "o"}


@dataclass(frozen=True)
class SharedAccess:
    """What a SAS that was found good says: its letters, whether it is of the whole account, and the owner of
    the user delegation key that signed it (None if the account's key did)."""

    permissions: str
    is_of_account: bool
    delegated_by: str | None = None


def checked_sas(
    account: StorageAccount, address: Address, query: Mapping[str, str], now: datetime
) -> SharedAccess:
    """Check the SAS of a request; raises StorageError 403."""
    _refuse_unknown(query)
    is_of_account = "ss" in query
    if is_of_account:
        key, text = account.key, _account_text(account.id.name, query)
    elif "skoid" in query:
        key = account.delegation_key(delegation_text(query))
        text = _resource_text(account.id.name, address, query, _delegation_lines(query))
    else:
        key, text = account.key, _resource_text(account.id.name, address, query, [""])
    if not hmac.compare_digest(query["sig"], signature(key, text)):
        raise StorageError(
            "AuthenticationFailed", detail=f"Signature did not match. String to sign used was {text}"
        )
    if not is_of_account:
        _check_permissions(query.get("sp", ""))
    _check_time(query.get("st"), query.get("se"), now)
    _check_time(query.get("skt"), query.get("ske"), now)
    if is_of_account and "b" not in query["ss"]:
        raise StorageError("AuthorizationServiceMismatch")
    if is_of_account and _LEVELS[address.level] not in query.get("srt", ""):
        raise StorageError("AuthorizationResourceTypeMismatch")
    if not is_of_account and address.level == "service":
        raise StorageError("AuthorizationResourceTypeMismatch")
    return SharedAccess(query.get("sp", ""), is_of_account, query.get("skoid"))


def delegation_text(fields: Mapping[str, str]) -> str:
    """Return what a user delegation key says of itself, as it is bound to its value."""
    return "\n".join(fields.get(name, "") for name in _KEY_FIELDS)


def _refuse_unknown(query: Mapping[str, str]) -> None:
    for name in ("si", "sip", "srh", "srq", "saoid", "suoid", "scid", "sduoid"):
        if name in query:
            raise not_simulated(f"a SAS with '{name}'")
    if query.get("sv", "") < _FIRST_VERSION or not query.get("se"):
        raise StorageError("AuthenticationFailed", detail="sv or se is missing, or sv is too old.")


def _account_text(account: str, query: Mapping[str, str]) -> str:
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    names += ["ses"] if query["sv"] >= _WITH_ENCRYPTION_SCOPE else []
    return "\n".join([account, *(query.get(name, "") for name in names), ""])


def _delegation_lines(query: Mapping[str, str]) -> list[str]:
    if query["sv"] < _WITH_RESOURCE:
        raise StorageError("AuthenticationFailed", detail="User delegation needs sv=2018-11-09 at least.")
    lines = [query.get(name, "") for name in _KEY_FIELDS]
    lines += [query.get(name, "") for name in _OTHER_USERS] if query["sv"] >= _WITH_OTHER_USERS else []
    return lines + (["", ""] if query["sv"] >= _WITH_DELEGATED_USER else [])


def _resource_text(account: str, address: Address, query: Mapping[str, str], signers: list[str]) -> str:
    resource = f"/blob/{account}/{address.container}"
    if query.get("sr") != "c":
        resource += f"/{address.blob}"
    snapshot = query.get("snapshot", "") if query.get("sr") == "bs" else ""
    if query.get("sr") not in ("c", "b", "bs"):
        raise StorageError("AuthenticationFailed", detail=f"sr is {query.get('sr')!r}.")
    lines = [query.get("sp", ""), query.get("st", ""), query["se"], resource, *signers]
    lines += [query.get("sip", ""), query.get("spr", ""), query["sv"]]
    lines += [query["sr"], snapshot] if query["sv"] >= _WITH_RESOURCE else []
    lines += [query.get("ses", "")] if query["sv"] >= _WITH_ENCRYPTION_SCOPE else []
    if "skoid" in query and query["sv"] >= _WITH_BOUND_HEADERS:
        lines += ["", ""]
    return "\n".join(lines + [query.get(name, "") for name in _OVERRIDES])


def _check_permissions(letters: str) -> None:
    """Refuse letters of a container's or a blob's SAS that do not stand in their order."""
    if "".join(each for each in _PERMISSIONS if each in letters) != letters:
        raise StorageError("AuthenticationFailed", detail="SAS field 'sp' is not well formed.")


def _check_time(start: str | None, expiry: str | None, now: datetime) -> None:
    begins, ends = _moment(start) if start else None, _moment(expiry) if expiry else None
    if (begins is None or now >= begins) and (ends is None or now < ends):
        return
    told = [date(each) if each else "" for each in (begins, ends, now)]
    if begins is None:
        detail = f"Signed expiry time [{told[1]}] must be after signed start time [{told[2]}]"
    else:
        detail = (
            f"Signature not valid in the specified time frame: Start [{told[0]}] - Expiry [{told[1]}] - "
            f"Current [{told[2]}]"
        )
    raise StorageError("AuthenticationFailed", detail=detail)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StorageError("AuthenticationFailed", detail=f"{text[:40]!r} is no moment.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
