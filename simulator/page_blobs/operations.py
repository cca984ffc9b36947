"""Which operation a request asks for, and which rights each of them needs.

Source: the section "Authorization" of each operation in the Azure Storage REST documentation: data actions
for tokens, letters for SAS. Making, deleting and looking at a container needs a SAS of the whole account.
What Azure has and the simulator has not is refused as not simulated. Own choice: to take a snapshot, a token
needs the right to write, not just to add.
"""

from __future__ import annotations

from simulator.data_plane.errors import StorageError, not_simulated
from simulator.page_blobs import blob_routes, container_routes, copies, listing, page_routes
from simulator.page_blobs.calls import Operation
from simulator.wire import Request

_SERVICES = "Microsoft.Storage/storageAccounts/blobServices"
_CONTAINERS = f"{_SERVICES}/containers"
READ = f"{_CONTAINERS}/blobs/read"
WRITE = f"{_CONTAINERS}/blobs/write"
DELETE = f"{_CONTAINERS}/blobs/delete"
ADD = f"{_CONTAINERS}/blobs/add/action"

_CREATES = frozenset({ADD, "c"})
_OPERATIONS: dict[tuple[str, str, str], Operation] = {
    ("service", "POST", "userdelegationkey"): Operation(
        container_routes.get_delegation_key, (f"{_SERVICES}/generateUserDelegationKey/action",), ""
    ),
    ("service", "GET", "list"): Operation(
        container_routes.list_containers, (f"{_CONTAINERS}/read",), "l", only_account_sas=True
    ),
    ("container", "PUT", "metadata"): Operation(
        container_routes.set_container_metadata, (f"{_CONTAINERS}/write",), "w", only_account_sas=True
    ),
    ("container", "GET", "metadata"): Operation(
        container_routes.get_container_metadata, (f"{_CONTAINERS}/read",), "r", only_account_sas=True
    ),
    ("container", "PUT", ""): Operation(
        container_routes.create_container, (f"{_CONTAINERS}/write",), "wc", only_account_sas=True
    ),
    ("container", "GET", ""): Operation(
        container_routes.get_container, (f"{_CONTAINERS}/read",), "r", only_account_sas=True
    ),
    ("container", "DELETE", ""): Operation(
        container_routes.delete_container, (f"{_CONTAINERS}/delete",), "d", only_account_sas=True
    ),
    ("container", "GET", "list"): Operation(listing.list_blobs, (READ,), "l"),
    ("blob", "PUT", ""): Operation(blob_routes.put_blob, (WRITE, ADD), "wc", _CREATES),
    ("blob", "GET", ""): Operation(blob_routes.get_blob, (READ,), "r"),
    ("blob", "DELETE", ""): Operation(blob_routes.delete_blob, (DELETE,), "d"),
    ("blob", "PUT", "properties"): Operation(blob_routes.set_properties, (WRITE,), "w"),
    ("blob", "PUT", "metadata"): Operation(blob_routes.set_metadata, (WRITE,), "w"),
    ("blob", "GET", "metadata"): Operation(blob_routes.get_metadata, (READ,), "r"),
    ("blob", "PUT", "snapshot"): Operation(blob_routes.snapshot_blob, (WRITE,), "wc"),
    ("blob", "PUT", "copy"): Operation(copies.abort_copy, (WRITE,), "w"),
    ("blob", "PUT", "page"): Operation(page_routes.put_page, (WRITE,), "w"),
    ("blob", "GET", "pagelist"): Operation(page_routes.get_page_ranges, (READ,), "r"),
}
GET_BLOB = _OPERATIONS["blob", "GET", ""]

_GET_ACCOUNT = Operation(
    container_routes.get_account, (f"{_SERVICES}/getInfo/action",), "racwdxyltfmeopi", only_account_sas=True
)
_METHODS = {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "MERGE"}
_NOT_SIMULATED = {
    "acl", "appendblock", "batch", "block", "blocklist", "blobs", "expiry", "immutabilitypolicies",
    "incrementalcopy", "lease", "legalhold", "policystatus", "properties", "query", "rename", "seal", "stats",
    "tags", "tier", "undelete",
}  # fmt: skip


def operation_of(level: str, request: Request) -> Operation:
    """Return the operation that a request asks for; raises StorageError."""
    method = "GET" if request.method == "HEAD" else request.method
    component, kind = request.query.get("comp", "").lower(), request.query.get("restype", "").lower()
    if method not in _METHODS:
        raise StorageError("InvalidHttpVerb")
    if (method, kind, component) == ("GET", "account", "properties"):
        return _GET_ACCOUNT
    if level == "container" and kind != "container":
        raise StorageError("InvalidQueryParameterValue", name="restype", value=kind)
    found = _OPERATIONS.get((level, method, component))
    if found is not None:
        return found
    if any(key[0] == level and key[2] == component for key in _OPERATIONS):
        raise StorageError("UnsupportedHttpVerb")
    if component in _NOT_SIMULATED:
        raise not_simulated(f"comp={component}")
    raise StorageError("InvalidQueryParameterValue", name="comp", value=component)
