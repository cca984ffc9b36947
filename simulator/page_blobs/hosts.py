"""The hosts of storage accounts: page blobs, as the REST API of Azure Storage has them.

    PUT    /container?restype=container                make a container; GET, HEAD, DELETE; comp=metadata
    GET    /container?restype=container&comp=list      list blobs and snapshots
    PUT    /container/blob                             make a page blob, or copy one; GET, HEAD, DELETE
    PUT    /container/blob?comp=copy                   abort a copy
    PUT    /container/blob?comp=page                   write or clear pages; bytes sent along or from a URL
    GET    /container/blob?comp=pagelist               which pages hold bytes, or differ from a snapshot
    PUT    /container/blob?comp=snapshot               take a snapshot; comp=metadata, comp=properties
    GET    /?comp=list                                 list containers
    GET    /?restype=account&comp=properties           what kind of account it is
    POST   /?restype=service&comp=userdelegationkey    a key to sign SAS with

The order is: does the account resolve, version (400), who asks and may they (401, 403), the blob's own pace
(503, page_blobs/pace.py), then the operation. Known differences and own choices:
- An account that is not there, or lies in a lost region, ends the connection without an answer.
- Every version of the service is taken, whatever the operation; data_plane/versions.py has their list.
- Everything else of Azure Storage is not there: block blobs, tables, leases, tiers, versions, soft delete,
  immutability, public access, firewalls, private endpoints, secondary endpoints.
"""

from __future__ import annotations

import itertools

from simulator.arm.estate import Estate
from simulator.data_plane.errors import StorageError, not_simulated
from simulator.data_plane.storage_hosts import common_headers, require_length
from simulator.data_plane.versions import asked_version, check_version
from simulator.page_blobs.accounts import StorageAccount
from simulator.page_blobs.addresses import Address, address_of
from simulator.page_blobs.authorization import authorize, is_anonymous
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.operations import GET_BLOB, operation_of
from simulator.page_blobs.sources import CopySources
from simulator.wire import ConnectionDropped, Request, Response

_NOT_SIMULATED_PARAMETERS = ("versionid", "deletetype", "showonly", "startfrom")
_NOT_SIMULATED = (
    "x-ms-access-tier",
    "x-ms-encryption-key",
    "x-ms-encryption-scope",
    "x-ms-if-tags",
    "x-ms-immutability-policy-mode",
    "x-ms-legal-hold",
    "x-ms-source-if-tags",
    "x-ms-structured-body",
    "x-ms-tags",
)


class PageBlobHosts:
    """Answers for all storage accounts of a cloud."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._accounts = estate.storage
        self._numbers = itertools.count(1)
        self.sources = CopySources(estate, estate.storage, self._admitted_reader)

    def is_addressed_by(self, request: Request) -> bool:
        """Tell whether a request goes to a storage account."""
        return address_of(request.host, request.path, self._accounts) is not None

    def handle(self, request: Request) -> Response:
        """Answer one request; raises ConnectionDropped for accounts that cannot be reached."""
        with self._estate.lock:
            self._estate.timeline.settle()
        call = self._call(request)
        try:
            return self._answer(call)
        except StorageError as error:
            return error.response(call.headers, call.now)

    def _answer(self, call: BlobCall) -> Response:
        if call.version or not is_anonymous(call.request):
            check_version(call.version, call.now)
        require_length(call.request)
        _refuse_unknown(call.request)
        operation = operation_of(call.address.level, call.request)
        authorize(call, operation)
        container = call.account.containers.get(call.address.container)
        blob = container.blobs.get(call.address.blob) if container else None
        if blob is not None:
            blob.pace.admit(call.now)
        response = operation.handler(call)
        if blob is not None:
            blob.pace.charge(call.bytes_moved)
        return response

    def _admitted_reader(self, request: Request) -> BlobCall:
        """Return a call that may read a blob as the source of a copy; raises as `handle` and StorageError."""
        call = self._call(request)
        authorize(call, GET_BLOB)
        return call

    def _call(self, request: Request) -> BlobCall:
        address, account = self._reached(request)
        version = asked_version(request)
        now = self._estate.clock.now()
        return BlobCall(
            estate=self._estate,
            account=account,
            address=address,
            request=request,
            version=version,
            headers=common_headers(request, next(self._numbers), version, now),
            now=now,
            sources=self.sources,
        )

    def _reached(self, request: Request) -> tuple[Address, StorageAccount]:
        address = address_of(request.host, request.path, self._accounts)
        account = self._accounts.find(address.account) if address else None
        if address is None or account is None or self._estate.regions.is_lost(account.location):
            raise ConnectionDropped
        return address, account


def _refuse_unknown(request: Request) -> None:
    """Refuse headers and parameters that would be ignored, where Azure would do what they say."""
    for name in request.headers:
        if name in _NOT_SIMULATED:
            raise not_simulated(f"the header {name}")
    for name in request.query:
        if name.lower() in _NOT_SIMULATED_PARAMETERS:
            raise not_simulated(f"the parameter {name}")
