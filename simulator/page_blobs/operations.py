"""Which operation a request asks for, and which rights each of them needs.

Source: the section "Authorization" of each operation in the Azure Storage REST documentation: data actions
for tokens, letters for SAS. Making, deleting and looking at a container needs a SAS of the whole account. Own
choice: to take a snapshot, a token needs the right to write, not just to add.
"""

from __future__ import annotations

from simulator.data_plane.errors import StorageError
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


def operation_of(level: str, request: Request) -> Operation:
    """Return the operation that a request asks for; raises StorageError."""
    method = "GET" if request.method == "HEAD" else request.method
    component = request.query.get("comp", "")
    if level == "container" and request.query.get("restype") != "container":
        raise StorageError(
            "InvalidQueryParameterValue", name="restype", value=request.query.get("restype", "")
        )
    found = _OPERATIONS.get((level, method, component))
    if found is not None:
        return found
    if any(key[0] == level and key[2] == component for key in _OPERATIONS):
        raise StorageError("UnsupportedHttpVerb")
    raise StorageError("InvalidQueryParameterValue", name="comp", value=component)
