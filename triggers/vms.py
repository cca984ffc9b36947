"""GET vms: what is protected, and how well."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import azure.durable_functions as df
from pydantic import Field

from domain.errors import NotFound
from domain.fleet import is_overdue, next_due
from domain.protection import Coverage, ProtectedVm
from domain.restore_points import PointState
from gateways.connection import cloud
from triggers.documents import document, form
from triggers.fields import PageSize, VmKey
from triggers.identity import Role
from triggers.pages import cut
from triggers.release import path_of
from triggers.routing import endpoint

blueprint = df.Blueprint()


@document
class VmLocation:
    """How well a VM is protected in one location."""

    location: str
    newest_available: Annotated[str | None, Field(description="The newest restore point available there.")]
    achieved_rpo_seconds: Annotated[
        float | None, Field(description="How old that restore point's slot is now; null if there is none.")
    ]
    copy_failure: Annotated[
        str | None, Field(description="Which copy failed for good, until a newer one arrives.")
    ]


@document
class VmDocument:
    """One protected VM."""

    key: str
    id: str
    name: str
    region: str
    policy: str
    coverage: Annotated[Coverage, Field(description="Whether it is protected; the fields below say why not.")]
    problem: Annotated[str | None, Field(description="Why no restore points are taken of it.")]
    problem_since: datetime | None
    left_out: Annotated[tuple[str, ...], Field(description="Its disks that no restore point holds.")]
    next_due: Annotated[datetime | None, Field(description="The slot that it waits for; it may be past.")]
    is_overdue: Annotated[bool, Field(description="Whether that slot is past for a quarter of an hour.")]
    missed: Annotated[int, Field(description="How many slots before the newest nobody took.")]
    newest_point: str | None
    newest_state: PointState | None
    newest_decided: datetime | None
    running: Annotated[str | None, Field(description="The restore point that is being taken.")]
    last_failure: Annotated[str | None, Field(description="Why the newest restore point failed.")]
    locations: Annotated[tuple[VmLocation, ...], Field(description="Home first.")]
    links: dict[str, str]


@document
class VmPage:
    """Protected VMs, in the order of their keys."""

    items: tuple[VmDocument, ...]
    next: str | None


@form
class VmPath:
    """Which VM."""

    key: VmKey


@form
class VmsQuery:
    """Which page."""

    limit: PageSize = 50
    after: Annotated[VmKey | None, Field(description="The last VM of the page before.")] = None


@endpoint(blueprint, "GET", "vms", role=Role.READER, summary="List the protected VMs and how well they are")
def list_vms(query: VmsQuery) -> VmPage:
    found = cloud().catalogue.vms.page(after=query.after or "", most=query.limit + 1)
    page, following = cut(found, query.limit, path_of("vms"), lambda vm: vm.key)
    now = cloud().now()
    return VmPage(tuple(described(vm, now) for vm in page), following)


@endpoint(
    blueprint, "GET", "vms/{key}", role=Role.READER, summary="Show a protected VM", problems=(NotFound,)
)
def show_vm(path: VmPath) -> VmDocument:
    return described(found_vm(path.key), cloud().now())


def found_vm(key: str) -> ProtectedVm:
    """Return a VM of the overview; raises NotFound."""
    found = cloud().catalogue.vms.find(key)
    if found is None:
        raise NotFound(f"no VM is known under the key '{key}'; look at GET vms")
    return found


def described(vm: ProtectedVm, now: datetime) -> VmDocument:
    """Return how well a VM is protected now."""
    policy = cloud().policies.policies.get(vm.policy)
    return VmDocument(
        key=vm.key,
        id=vm.id,
        name=vm.name,
        region=vm.region,
        policy=vm.policy,
        coverage=vm.coverage,
        problem=vm.problem,
        problem_since=vm.problem_since,
        left_out=vm.left_out,
        next_due=next_due(vm, policy, now) if policy else None,
        is_overdue=policy is not None and is_overdue(vm, policy, now),
        missed=vm.missed,
        newest_point=vm.newest_point,
        newest_state=vm.newest_state,
        newest_decided=vm.newest_decided,
        running=vm.running,
        last_failure=vm.last_failure,
        locations=tuple(_locations(vm, now)),
        links={
            "self": path_of("vms", vm.key),
            "restorePoints": path_of("vms", vm.key, "restore-points"),
            **({"newestPoint": path_of("restore-points", vm.newest_point)} if vm.newest_point else {}),
        },
    )


def _locations(vm: ProtectedVm, now: datetime) -> list[VmLocation]:
    """Say it of the policy's locations, and of those that still hold a point of an earlier policy."""
    policy = cloud().policies.policies.get(vm.policy)
    named = [location.name for location in policy.locations] if policy else []
    achieved = vm.achieved_rpo(now)
    return [
        VmLocation(
            name,
            vm.newest_available.get(name),
            achieved[name].total_seconds() if name in achieved else None,
            vm.copy_failures.get(name),
        )
        for name in dict.fromkeys([*named, *vm.newest_available])
    ]
