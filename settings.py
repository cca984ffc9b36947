"""The settings of the app, read once from the environment, each missing or unusable one named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from domain.errors import Fault, InvalidInput
from domain.page_writes import Costs

MANAGEMENT_ENDPOINT = "https://management.azure.com"
_STORAGE_KEYS = "TIDEMARK_DEVELOPMENT_STORAGE_KEYS"
_ROOT = Path(__file__).parent
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NO_CATALOGUE = (
    "this setting is missing; set it to the table endpoint of the catalogue's account, "
    "such as https://tidemarkcatalogue.table.core.windows.net"
)


class Identity(StrEnum):
    """Whom the app signs in to Azure as. No gateway has more than one of them, so none can do it all."""

    RUNTIME = "runtime"
    BACKUP = "backup"
    RETENTION = "retention"
    RESTORE = "restore"

    @property
    def setting(self) -> str:
        """The name of the setting that holds its client id."""
        return f"TIDEMARK_IDENTITY_{self.name}"


_WORK = {
    Identity.RUNTIME: "keeps the books: reads and writes tables and manifests",
    Identity.BACKUP: "reads VMs and disks and writes snapshots",
    Identity.RETENTION: "deletes snapshots and manifests",
    Identity.RESTORE: "makes disks, network interfaces and VMs",
}


@dataclass(frozen=True)
class Development:
    """What stands in for Azure where no Azure is. None of it is accepted inside Azure."""

    token: str = field(repr=False)  # what a caller sends instead of signing in
    storage_keys: Mapping[str, str] = field(repr=False)  # account name → key, for the storage emulator
    clock: Path | None = None  # the file of a virtual clock


@dataclass(frozen=True)
class Settings:
    """What the app must know before it can do anything."""

    catalogue: str  # URL of the tables of the catalogue's own storage account
    policies: Path
    management_endpoint: str
    is_sign_in_enforced: bool  # whether the platform's built-in authentication is on
    development: Development | None
    # The client id of each managed identity; empty where development settings stand in for signing in.
    identities: Mapping[Identity, str] = field(default_factory=dict)
    # What an identity has instead of its own rights, for accounts that know it not: by identity and account.
    signatures: Mapping[tuple[Identity, str], str] = field(default_factory=dict, repr=False)
    costs: Costs = field(default_factory=Costs)  # of writing pages: which neighbours are written in one go

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raises InvalidInput that lists every fault."""
        faults: list[Fault] = []
        catalogue = environ.get("TIDEMARK_CATALOGUE", "").rstrip("/")
        if not catalogue:
            faults.append(Fault("TIDEMARK_CATALOGUE", _NO_CATALOGUE))
        policies = _ROOT / environ.get("TIDEMARK_POLICIES", "policies.yaml")
        if not policies.is_file():
            faults.append(Fault("TIDEMARK_POLICIES", _no_file(policies)))
        development = _development(environ, faults)
        endpoint = environ.get("TIDEMARK_MANAGEMENT_ENDPOINT", MANAGEMENT_ENDPOINT).rstrip("/")
        endpoints = {"TIDEMARK_MANAGEMENT_ENDPOINT": endpoint, "TIDEMARK_CATALOGUE": catalogue}
        faults += [
            Fault(name, f"{url!r} is not a URL of this form: https://host")
            for name, url in endpoints.items()
            if url and not _is_url(url, may_be_plain=development is not None)
        ]
        if development and not any(fault.field == _STORAGE_KEYS for fault in faults):
            faults += _keyless(catalogue, development)
        identities = _identities(environ)
        faults += _misused(identities) if development else _unusable(identities)
        signatures = _signatures(environ, faults)
        costs = _costs(environ, faults)
        if faults:
            raise InvalidInput("The settings of the function app", faults)
        return cls(
            catalogue=catalogue,
            policies=policies,
            management_endpoint=endpoint,
            is_sign_in_enforced=environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
            development=development,
            identities=identities,
            signatures=signatures,
            costs=costs,
        )


def _no_file(policies: Path) -> str:
    if policies == _ROOT:
        return "this setting is empty; name the policy file, or remove the setting for policies.yaml"
    return f"{policies} is a folder; name a file" if policies.is_dir() else f"there is no file {policies}"


def _identities(environ: Mapping[str, str]) -> dict[Identity, str]:
    found = {identity: environ.get(identity.setting, "").strip().lower() for identity in Identity}
    return {identity: client_id for identity, client_id in found.items() if client_id}


def _signatures(environ: Mapping[str, str], faults: list[Fault]) -> dict[tuple[Identity, str], str]:
    """Find shared access signatures: TIDEMARK_SAS_<identity>_<account>. None is ever told."""
    found = {}
    for name, value in environ.items():
        match = re.fullmatch("TIDEMARK_SAS_([A-Z]+)_([A-Za-z0-9]{3,24})", name)
        if match is None or match[1] not in Identity.__members__:
            if name.startswith("TIDEMARK_SAS_"):
                wanted = "TIDEMARK_SAS_BACKUP_<account>, or RETENTION or RESTORE instead of BACKUP"
                faults.append(Fault(name, f"this setting is none of Tidemark's; its name must be {wanted}"))
        elif value.startswith("@Microsoft.KeyVault"):
            faults.append(
                Fault(
                    name,
                    "the platform has not resolved this reference to a key vault; give the identity RUNTIME "
                    "the role Key Vault Secrets User there, and see that the secret exists",
                )
            )
        elif "sig=" not in value or value.startswith(("http:", "https:")):
            faults.append(
                Fault(
                    name,
                    "this is not a shared access signature: what comes behind the question mark of a URL",
                )
            )
        else:
            found[Identity(match[1].lower()), match[2].lower()] = value.strip().lstrip("?")
    return found


def _costs(environ: Mapping[str, str], faults: list[Fault]) -> Costs:
    """Read what a request and a byte cost, in one unit of the reader's choice; by default seconds."""
    usual, found = Costs(), {}
    for name, default in (("REQUEST", usual.per_request), ("BYTE", usual.per_byte)):
        setting = f"TIDEMARK_COST_PER_{name}"
        text = environ.get(setting, "").strip()
        try:
            found[name] = Costs(per_request=float(text or default)).per_request
        except ValueError:
            faults.append(Fault(setting, f"{text!r} is no cost: a number, 0 or more, such as {default}"))
            found[name] = default
    return Costs(found["REQUEST"], found["BYTE"])


def _unusable(identities: Mapping[Identity, str]) -> Iterator[Fault]:
    """Find what is wrong with the identities of an app in Azure: it needs all four, each another one."""
    owners: dict[str, Identity] = {}
    for identity in Identity:
        client_id = identities.get(identity)
        if client_id is None:
            yield Fault(
                identity.setting,
                f"this setting is missing; set it to the client id of the managed identity that "
                f"{_WORK[identity]}",
            )
        elif not _GUID.fullmatch(client_id):
            yield Fault(
                identity.setting,
                f"{client_id!r} is not the client id of a managed identity, which looks like "
                "11111111-2222-3333-4444-555555555555",
            )
        elif owners.setdefault(client_id, identity) is not identity:
            yield Fault(
                identity.setting,
                f"this is the client id of {owners[client_id].setting} too; each needs an identity of its "
                "own, or the one could do what only the other may",
            )


def _misused(identities: Mapping[Identity, str]) -> Iterator[Fault]:
    """Find identities that would never sign in, because development settings stand in for that."""
    for identity in identities:
        yield Fault(
            identity.setting, "development settings stand in for signing in; remove either this or them"
        )


def _is_url(text: str, *, may_be_plain: bool) -> bool:
    """Tokens and keys travel to these URLs, so plain HTTP is for the simulator and the emulator alone."""
    scheme, separator, rest = text.partition("://")
    is_host_named = bool(separator) and rest[:1] not in ("", "/", "?", "#")
    return is_host_named and scheme in (("https", "http") if may_be_plain else ("https",))


def _development(environ: Mapping[str, str], faults: list[Fault]) -> Development | None:
    named = [name for name in environ if name.startswith("TIDEMARK_DEVELOPMENT_") or name == "TIDEMARK_CLOCK"]
    if not named:
        return None
    if "WEBSITE_SITE_NAME" in environ:
        faults += [
            Fault(name, "this setting is for development and is not accepted in Azure") for name in named
        ]
        return None
    clock = environ.get("TIDEMARK_CLOCK")
    if clock and not Path(clock).is_file():
        faults.append(Fault("TIDEMARK_CLOCK", f"there is no file {clock}"))
    return Development(
        token=environ.get("TIDEMARK_DEVELOPMENT_TOKEN", ""),
        storage_keys=_storage_keys(environ.get(_STORAGE_KEYS, "{}"), faults),
        clock=Path(clock) if clock else None,
    )


def _keyless(catalogue: str, development: Development) -> Iterator[Fault]:
    """Find a catalogue that nothing can sign in to: Azure's client sends no token over plain HTTP."""
    account = storage_account(catalogue)
    is_plain = catalogue.startswith("http://") and _is_url(catalogue, may_be_plain=True)
    if is_plain and account not in development.storage_keys:
        yield Fault(
            _STORAGE_KEYS,
            f"there is no key for the account {account!r} of TIDEMARK_CATALOGUE, and over plain HTTP nothing "
            f'else signs in; add "{account}": "its key", or use https in TIDEMARK_CATALOGUE',
        )


def storage_account(endpoint: str) -> str:
    """Return the account of a storage endpoint: the emulator has it in the path, Azure in the host's name."""
    parts = urlsplit(endpoint)
    return parts.path.strip("/") or parts.netloc.split(".")[0]


def _storage_keys(text: str, faults: list[Fault]) -> dict[str, str]:
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if isinstance(keys, dict) and all(isinstance(key, str) for key in keys.values()):
        return keys
    faults.append(Fault(_STORAGE_KEYS, 'this is not JSON of the form {"account": "key"}'))
    return {}
