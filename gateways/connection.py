"""Puts the gateways together, once per process, from the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from azure.core.credentials import AccessToken, AzureNamedKeyCredential, AzureSasCredential
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableServiceClient

from clock import Clock, SharedClock, SystemClock
from domain.errors import Fault, InvalidInput
from domain.policy import Policies
from domain.policy_file import parse_policies
from gateways.catalogue import Catalogue
from gateways.compute import Compute
from gateways.deletions import Deletions, PageBlobDeletions
from gateways.disk_data import DiskData
from gateways.disk_uploads import DiskUploads
from gateways.disks import Disks
from gateways.machine_sizes import MachineSizes
from gateways.manifests import Manifests
from gateways.networks import Networks
from gateways.page_blobs import PageBlobs
from gateways.refusals import refusals
from gateways.restore_blobs import RestoreBlobs, is_in_account
from gateways.restored_machines import RestoredMachines
from gateways.snapshots import Snapshots
from gateways.virtual_machines import VirtualMachines
from gateways.wire import Network, Wire
from settings import Development, Identity, Settings, storage_account

_NEVER = 4102444800  # 2100: development tokens do not expire


@dataclass(frozen=True)
class Cloud:
    """Everything outside the app: what it may read, write and start, and what time it is."""

    settings: Settings
    policies: Policies
    clock: Clock
    virtual_machines: VirtualMachines
    snapshots: Snapshots
    disks: Disks
    networks: Networks
    machine_sizes: MachineSizes
    restored_machines: RestoredMachines
    catalogue: Catalogue
    manifests: Manifests
    deletions: Deletions
    disk_data: DiskData
    page_blobs: PageBlobs
    page_blob_deletions: PageBlobDeletions
    restore_blobs: RestoreBlobs
    disk_uploads: DiskUploads

    def now(self) -> datetime:
        """What time it is, UTC."""
        return self.clock.now()


def connect(
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: Any = None,
    storage_transport: Any = None,
    wire: Wire | None = None,
) -> Cloud:
    """Connect the gateways, each for the identity that gateways/actions.py has its calls under.

    `transport` stands in for the network between the compute clients and Azure, `storage_transport` for the
    one between the storage clients and their accounts, `wire` for the one that bulk bytes go through.
    Raises InvalidInput if the policy file has faults.
    """
    credentials = _credentials(settings)
    storage = storage_transport or _network()  # one pool of connections for tables and blobs
    compute = partial(_compute, settings.management_endpoint, credentials, transport or _network())
    backup, restore = compute(Identity.BACKUP), compute(Identity.RESTORE)
    clock = clock or _clock(settings.development)
    wire = wire or Network()
    return Cloud(
        settings=settings,
        policies=_policies(settings),
        clock=clock,
        virtual_machines=VirtualMachines(backup),
        snapshots=Snapshots(backup),
        disks=Disks(restore),
        networks=Networks(restore),
        machine_sizes=MachineSizes(restore),
        restored_machines=RestoredMachines(restore),
        catalogue=Catalogue(_tables(settings, credentials, storage)),
        manifests=Manifests(partial(credentials, Identity.RUNTIME), storage),
        deletions=Deletions(compute(Identity.RETENTION), partial(credentials, Identity.RETENTION), storage),
        disk_data=DiskData(backup, wire, clock),
        page_blobs=_page_blobs(wire, credentials, Identity.BACKUP),
        page_blob_deletions=PageBlobDeletions(_page_blobs(wire, credentials, Identity.RETENTION)),
        restore_blobs=RestoreBlobs(_page_blobs(wire, credentials, Identity.RESTORE)),
        disk_uploads=DiskUploads(restore, wire, clock),
    )


def _policies(settings: Settings) -> Policies:
    """Read the policy file; raises InvalidInput that lists its faults.

    A token is sent in the clear to nobody but an emulator, and an account must be that of its page blobs.
    """
    policies = parse_policies(settings.policies.read_bytes(), settings.policies.name)
    faults = []
    for name, location in policies.locations.items():
        for field, url in (("manifests", location.manifests), ("pages", location.pages)):
            if url.startswith("http:") and settings.development is None:
                faults.append(Fault(f"locations.{name}.{field}", f"{url} must begin with https:"))
        if location.pages and location.account_id and not is_in_account(location.pages, location.account_id):
            other = f"{location.pages} is not in that account; name the right one, or none"
            faults.append(Fault(f"locations.{name}.account", other))
    if faults:
        raise InvalidInput(settings.policies.name, faults)
    return policies


def _compute(
    endpoint: str, credentials: Callable[[Identity, str], Any], transport: Any, identity: Identity
) -> Compute:
    return Compute(credentials(identity, endpoint), endpoint, transport, identity=identity)


def _page_blobs(wire: Wire, credentials: Callable[[Identity, str], Any], identity: Identity) -> PageBlobs:
    return PageBlobs(wire, partial(credentials, identity), identity)


def _tables(
    settings: Settings, credentials: Callable[[Identity, str], Any], transport: Any
) -> TableServiceClient:
    return TableServiceClient(
        settings.catalogue,
        credential=credentials(Identity.RUNTIME, settings.catalogue),
        transport=transport,
        retry_total=0,
        raw_response_hook=refusals(Identity.RUNTIME),
    )


_lock = Lock()
_connected: Cloud | None = None


def cloud() -> Cloud:
    """Return the cloud that this process is connected to, connecting it by the environment's settings."""
    global _connected
    with _lock:
        if _connected is None:
            _connected = connect(Settings.from_environ(os.environ))
        return _connected


def use(connected: Cloud | None) -> None:
    """Put another cloud in place, for tests; None connects anew at the next use."""
    global _connected
    _connected = connected


def _network() -> RequestsTransport:
    # The SDK's own timeouts are five minutes each; a step must end in seconds, also when a region is lost.
    # Reading the environment's proxies costs as much as a request does; Azure has none to name.
    return RequestsTransport(connection_timeout=10, read_timeout=60, use_env_settings=False)


@dataclass(frozen=True)
class _DevelopmentCredential:
    """A token that the simulator takes: it names an identity and proves nothing."""

    identity: Identity

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(f"development:{self.identity}", _NEVER)


def _clock(development: Development | None) -> Clock:
    return SharedClock(development.clock) if development and development.clock else SystemClock()


def _credentials(settings: Settings) -> Callable[[Identity, str], Any]:
    """Return what gives an identity's credential for an endpoint: a managed identity's, or a stand-in's."""
    if settings.development is None:
        usual = _managed_identities(settings)
    else:
        usual = partial(_stand_in, settings.development.storage_keys)

    def credential(identity: Identity, endpoint: str) -> Any:
        signature = settings.signatures.get((identity, storage_account(endpoint)))
        return AzureSasCredential(signature) if signature else usual(identity, endpoint)

    return credential


def _stand_in(keys: Mapping[str, str], identity: Identity, endpoint: str) -> Any:
    account = storage_account(endpoint)
    if account in keys:  # the emulator's accounts have keys, and know no identities
        return AzureNamedKeyCredential(account, keys[account])
    return _DevelopmentCredential(identity)


def _managed_identities(settings: Settings) -> Callable[[Identity, str], Any]:
    from azure.identity import ManagedIdentityCredential  # only where it is used: its import is slow

    managed = {
        identity: ManagedIdentityCredential(client_id=client_id, retry_total=0)
        for identity, client_id in settings.identities.items()
    }
    return lambda identity, endpoint: managed[identity]
