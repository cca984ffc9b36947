"""The forms of the policy file: which fields there are, what each looks like, and which must be there.

A field that is missing, or does not look as it must, has its default: whoever looks for further faults takes
an empty one for not known. Every pattern has words, because a person must read them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from domain.policy import Backlog, Method, SnapshotAccess, Unsupported

_FORM = ConfigDict(extra="forbid")
_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GROUP = r"[\w().-]{0,89}[\w()-]"
_RESOURCE = rf"(?i)/subscriptions/{_GUID}/resourceGroups/{_GROUP}/providers"


def _looks(pattern: str, words: str) -> AfterValidator:
    """Return what checks a text against a pattern, and says in words what it should look like."""

    def check(text: str) -> str:
        # Python's own patterns: pydantic's are compiled at every cold start, which is felt.
        if re.fullmatch(pattern, text):
            return text
        raise PydanticCustomError("looks", "{words} (found {found})", {"words": words, "found": _told(text)})

    return AfterValidator(check)


def _told(text: str) -> str:
    """Return a text as it may be told: what comes behind the question mark of a URL may be a signature."""
    before, mark, _ = text.partition("?")
    return repr(f"{before}?…" if mark else text)


def _written_as_number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[
    str,
    _looks(
        r"[a-z][a-z0-9-]{0,29}",
        "a name has 1 to 30 small letters, digits and hyphens, and begins with a letter, like west-1",
    ),
]
Region = Annotated[str, _looks(r"[a-z0-9]{3,40}", "a region looks like westeurope")]
Subscription = Annotated[
    str, _looks(_GUID, "a subscription is named by its id, like 11111111-2222-3333-4444-555555555555")
]
ResourceGroup = Annotated[
    str,
    _looks(
        _GROUP,
        "a resource group is named without its path, like tidemark-west: up to 90 letters, digits and -_.(), "
        "the last no full stop",
    ),
]
Container = Annotated[
    str,
    _looks(
        r"https?://[^/?#]+(/[^/?#]+)?/[a-z0-9][a-z0-9-]{2,62}",
        "a container is named by its URL, like https://account.blob.core.windows.net/container, and nothing "
        "more: a signature stands in a setting TIDEMARK_SAS_<identity>_<account>",
    ),
]
EncryptionSet = Annotated[
    str,
    _looks(
        rf"{_RESOURCE}/Microsoft\.Compute/diskEncryptionSets/[\w-]{{1,80}}",
        "a disk encryption set is named by its ARM id, like /subscriptions/…/resourceGroups/…/providers"
        "/Microsoft.Compute/diskEncryptionSets/…",
    ),
]
Subnet = Annotated[
    str,
    _looks(
        rf"{_RESOURCE}/Microsoft\.Network/virtualNetworks/[\w.-]{{1,80}}/subnets/[\w.-]{{1,80}}",
        "a subnet is named by its ARM id, like /subscriptions/…/resourceGroups/…/providers"
        "/Microsoft.Network/virtualNetworks/…/subnets/…",
    ),
]
Account = Annotated[
    str,
    _looks(
        rf"{_RESOURCE}/Microsoft\.Storage/storageAccounts/[a-z0-9]{{3,24}}",
        "a storage account is named by its ARM id, like /subscriptions/…/resourceGroups/…/providers"
        "/Microsoft.Storage/storageAccounts/…",
    ),
]
Size = Annotated[str, _looks(r"[A-Za-z]+_[\w-]{1,60}", "a VM size looks like Standard_D4s_v5")]
Zone = Annotated[str, BeforeValidator(_written_as_number), _looks(r"[1-9]", "a zone is one digit, like 1")]
TagName = Annotated[str, _looks(r"[^<>%&\\?/]{1,512}", r"a tag's name has none of < > % & \ ? /")]
Count = Annotated[int, Field(ge=1, le=450, strict=True)]  # Azure keeps 500 snapshots of a disk; leave room
Skew = Annotated[int, Field(ge=1, le=3600, strict=True)]
Percent = Annotated[int, Field(ge=1, le=100, strict=True)]


@dataclass(frozen=True)
class SubscriptionForm:
    """One entry of `subscriptions`; without resource groups it is the whole subscription."""

    id: Subscription = ""
    resource_groups: Annotated[tuple[ResourceGroup, ...], Field(min_length=1)] = ()
    required: ClassVar = ("id",)
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class LocationForm:
    """One entry of `locations`."""

    region: Region = ""
    subscription: Subscription = ""
    resource_group: ResourceGroup = ""
    manifests: Container = ""
    restore_resource_group: ResourceGroup = ""
    encryption_set: EncryptionSet = ""
    subnet: Subnet = ""
    sizes: Mapping[Size, Size] = field(default_factory=dict)
    zones: Mapping[Zone, Zone] = field(default_factory=dict)
    method: Method = Method.SNAPSHOT
    pages: Container = ""
    account: Account = ""
    snapshot_access: SnapshotAccess = SnapshotAccess.DENIED
    required: ClassVar = ("region", "subscription", "resource_group", "manifests", "restore_resource_group")
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class ScheduleForm:
    """The field `schedule` of a policy."""

    cron: str = ""
    time_zone: str = "UTC"
    required: ClassVar = ("cron",)
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class SelectorForm:
    """The field `selector` of a policy."""

    subscriptions: tuple[Subscription, ...] = ()
    resource_groups: tuple[ResourceGroup, ...] = ()
    tags: Mapping[TagName, str] = field(default_factory=dict)
    required: ClassVar[tuple[str, ...]] = ()
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class PolicyForm:
    """One entry of `policies`."""

    schedule: ScheduleForm = ScheduleForm()
    home: Name = ""
    keep_last: Mapping[Name, Count] = field(default_factory=dict)
    recovery: tuple[Name, ...] = ()
    max_skew_seconds: Skew = 60
    backlog: Backlog = Backlog.EVERY
    unsupported_disks: Unsupported = Unsupported.REFUSE
    selector: SelectorForm | None = None
    most_pruned_percent: Percent = 50
    required: ClassVar = ("schedule", "home", "keep_last")
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class FileForm:
    """The whole file."""

    subscriptions: Annotated[tuple[SubscriptionForm, ...], Field(min_length=1)] = ()
    locations: Annotated[Mapping[Name, LocationForm], Field(min_length=1)] = field(default_factory=dict)
    policies: Annotated[Mapping[Name, PolicyForm], Field(min_length=1)] = field(default_factory=dict)
    required: ClassVar = ("subscriptions", "locations", "policies")
    __pydantic_config__ = _FORM
