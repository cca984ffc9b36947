"""Following an operation by the URLs that its acceptance gave.

Own choice: that this needs the right to read operations. The actions exist and built-in roles hold them (VM
Restore Operator does); whether Resource Manager insists on them nobody has published.
"""

from __future__ import annotations

from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.operations import DISK_OPERATIONS, OPERATIONS, urls
from simulator.arm.routing import SUBSCRIPTION, Route
from simulator.arm.throttling import GET_DISK_OPERATION, GET_MACHINE_OPERATION, UNLIMITED
from simulator.wire import Response


def get_operation(call: Call) -> Response:
    """Answer how far an operation is; with `monitor=true`, its result or 202."""
    operation = call.estate.operations.find(call.names[2])
    if operation is None or operation.path.lower() != call.request.path.lower():
        raise ArmError(404, "NotFound", f"The operation '{call.names[2]}' is not found.")
    if call.request.query.get("monitor") == "true":
        return operation.monitored(urls(call.estate.management_url, operation, call.api_version)[1])
    return Response.of_json(200, operation.document())


ROUTES = (
    Route(
        "GET",
        f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{}}/{DISK_OPERATIONS}/{{}}",
        get_operation,
        "Microsoft.Compute/locations/diskOperations/read",
        GET_DISK_OPERATION,
    ),
    Route(
        "GET",
        f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/{{}}/{OPERATIONS}/{{}}",
        get_operation,
        "Microsoft.Compute/locations/operations/read",
        GET_MACHINE_OPERATION,
    ),
    Route(
        "GET",
        f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{}}/{OPERATIONS}/{{}}",
        get_operation,
        "Microsoft.Network/locations/operations/read",
        UNLIMITED,
    ),
)
