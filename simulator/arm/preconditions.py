"""If-Match and If-None-Match: writing a resource only if it is as the client knows it (azure-semantics §7.3).

Virtual machines alone have etags here. Own choice: they are told and held to in every api-version (Azure's
begin in 2023), and a machine has a new one as soon as an operation on it is accepted.
"""

from __future__ import annotations

from simulator.arm.errors import ArmError
from simulator.wire import Request


def check_precondition(request: Request, etag: str | None) -> None:
    """Hold a request to its headers; `etag` is that of the resource, None if there is no resource.

    Raises ArmError 412 PreconditionFailed.
    """
    there = etag.strip('"') if etag else None
    wanted, unwanted = (request.headers.get(name, "").strip('"') for name in ("if-match", "if-none-match"))
    if (wanted and wanted not in ("*", there)) or (wanted == "*" and there is None):
        raise _failed("if-match", wanted, there)
    if there is not None and unwanted in ("*", there):
        raise _failed("if-none-match", unwanted, there)


def _failed(header: str, asked: str, there: str | None) -> ArmError:
    """Return the refusal; its words are those of kubernetes-sigs/cloud-provider-azure issue 9728."""
    return ArmError(
        412,
        "PreconditionFailed",
        f'Etag provided in {header} header "{asked}" does not match etag "{there or ""}" of resource.',
    )
