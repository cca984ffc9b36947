"""How the simulated Resource Manager refuses: with Azure's codes, or its own where Azure's is unknown.

Codes and wording come from recorded traffic or public reports wherever they are known. A refusal whose real
code nobody has published carries a code of the simulator's own, listed in `OWN_CODES` and nowhere else, so
that no client can be written against an invented answer by mistake: a client has to treat it as it would
treat any code that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.wire import Response

OWN_CODES = {
    "SimulatorCopyOutOfOrder": "a newer snapshot of the disk was copied to that region before",
    "SimulatorCopyAlreadyRunning": "another snapshot of the same disk is being copied",
    "SimulatorTooManyCopies": "100 copies into that region run already in this subscription",
    "SimulatorSnapshotIncomplete": "a snapshot below 100 % was to be read, copied or made a disk",
    "SimulatorSnapshotRateExceeded": "an eighth incremental snapshot of one disk within five minutes",
    "SimulatorTooManyPendingSnapshots": "too many snapshots still completing (Ultra and Premium SSD v2)",
    "SimulatorTooManyAccesses": "a sixth snapshot of one family was to be opened by SAS",
    "SimulatorAccessNotPermitted": "networkAccessPolicy or dataAccessAuthMode forbids a plain SAS",
    "SimulatorEphemeralDisk": "an ephemeral OS disk was to be snapshotted, opened or moved",
    "SimulatorRegionMismatch": "source and target, or machine and disk, are in different regions",
    "SimulatorEncryptionMismatch": "a disk and its snapshots, or old and new OS disk, differ in encryption "
    "set; or a set is of another region, subscription or type",
    "SimulatorSectorSizeMismatch": "a disk and the snapshot that it is made from differ in sector size",
    "SimulatorNotOfThisSku": "a property that only disks of another sku have was to be set",
    "SimulatorNotSimulated": "Azure can do this, the simulator cannot (see `simulator.__doc__`)",
}


class ArmError(Exception):
    """A refusal: status, code and message, as Azure words them."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        target: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the refusal as Azure wraps it: `{"error": {...}}`."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        return Response.of_json(self.status, {"error": error}, self.headers)


def own(status: int, code: str, message: str) -> ArmError:
    """Return a refusal under one of the simulator's own codes."""
    if code not in OWN_CODES:
        raise ValueError(f"{code!r} is not in OWN_CODES; add it there with what it means")
    return ArmError(status, code, message)


def not_simulated(what: str) -> ArmError:
    """Return the refusal of something that Azure can do and the simulator cannot."""
    return own(400, "SimulatorNotSimulated", f"The simulator does not simulate {what}.")


def invalid_parameter(message: str, target: str) -> ArmError:
    """Return the refusal of one field of a request."""
    return ArmError(400, "InvalidParameter", message, target)


def missing_parameter(name: str) -> ArmError:
    """Return the refusal of a request that lacks a field."""
    return invalid_parameter(f"Required parameter '{name}' is missing (null).", name)


def invalid_content(detail: str) -> ArmError:
    """Return the refusal of a body that is not what the API takes."""
    return ArmError(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{detail}'.",
    )


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """Return the answer to a question about a resource that is not there (azure-semantics §8)."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        headers={"x-ms-failure-cause": "gateway"},
    )


def group_not_found(group: str) -> ArmError:
    """Return the answer to a question about a resource group that is not there."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def reference_not_found(resource_id: str) -> ArmError:
    """Return the refusal of a request whose body names a disk or snapshot that is not there."""
    return ArmError(404, "NotFound", f"Resource {resource_id} is not found.")


def conflict() -> ArmError:
    """Return the refusal of a change while another one is under way on the same resource."""
    return ArmError(
        409,
        "Conflict",
        "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
        "https://aka.ms/activitylog to get more details on the conflicting requests.",
    )


def property_change(name: str, resource: str | None = None) -> ArmError:
    """Return the refusal to change what is fixed for good (azure-semantics §7.2)."""
    ending = f" for existing disk '{resource}'" if resource else ""
    return ArmError(
        409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed{ending}.", name
    )


def other_location(name: str, group: str, there: str, asked: str) -> ArmError:
    """Return the refusal to create what exists in another region under the same name."""
    return ArmError(
        409,
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{there}' in resource group '{group}'. A resource "
        f"with the same name cannot be created in location '{asked}'. Please select a new resource name.",
    )


def operation_not_allowed(message: str) -> ArmError:
    """Return the refusal of an operation that the resource's state does not permit."""
    return ArmError(409, "OperationNotAllowed", message)
