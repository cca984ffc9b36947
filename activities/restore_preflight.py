"""The step before a restore makes anything: every reason why it cannot succeed, all at once.

Not looked at: whether Azure has room for the VM at this moment, and leaves quota. That shows when the VM is
made; its disks are there by then, and stay.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import azure.durable_functions as df

from domain.errors import Fault, Refused, Transient
from domain.machine_sizes import size_faults, wanted_size
from domain.manifests import Manifest
from domain.names import point_parts
from domain.networks import SubnetAddress, subnet_faults
from domain.not_carried import not_carried
from domain.requests import RestoreRequest
from domain.restore_outcomes import Preflight, RestorePlan
from domain.restore_points import RestorePoint
from domain.restored_machines import MachinePlan, machine_faults, plan_machine
from domain.restores import DiskPlan, blob_faults, disk_faults, is_wanted, manifest_faults, plan_disks
from durable import activity
from gateways.connection import cloud
from gateways.failures import GROUP_MISSING

blueprint = df.Blueprint()
_log = logging.getLogger("tidemark.restores")


@activity(blueprint)
def check_restore(request: RestoreRequest) -> Preflight:
    """Look at everything that a restore needs, and plan it; list every fault if there are some.

    Makes nothing in Azure. What an earlier run of the same restore has made is no fault: it is taken up. Of
    the data it reads the location alone, so it works when the home region is lost.
    """
    operation = cloud().catalogue.operations.alter(request.operation, lambda known: known.running())
    if operation and operation.state.is_over:
        return Preflight(is_over=True)
    faults = _use_faults(request)
    try:
        return _checked(request, faults)
    except Transient as trouble:
        if trouble.code == Transient.THROTTLED:
            raise  # that passes, and Azure says when
        return Preflight(unreachable=str(trouble))


def _checked(request: RestoreRequest, known: list[Fault]) -> Preflight:
    faults = known + _guarded("subnet", partial(_network_faults, request))
    plan = None
    try:
        manifest = _manifest(request)
    except Refused as refused:
        faults.append(Fault("restorePoint", str(refused)))
    else:
        recorded = list(_recorded_faults(request, manifest))
        plan = None if recorded else _plan(request, manifest)
        faults += recorded if plan is None else _azure_faults(request, plan)
        faults += _guarded("location", partial(_size_faults, request, manifest))
    return Preflight(faults=tuple(faults)) if faults else Preflight(plan)


def _use_faults(request: RestoreRequest) -> list[Fault]:
    """Note that the point is read, so that nothing of it is deleted; say so if that comes too late.

    Noted is also what the restore may leave behind, before there is any of it.
    """
    connected = cloud()
    now = connected.now()
    operation, location = request.operation, request.location

    def used(known: RestorePoint) -> RestorePoint:
        read = known.used(operation, now)
        return read.importing(operation, location.pages, now) if location.account_id else read

    point = connected.catalogue.restore_points.alter(request.point, used)
    place = location.name
    if point is None or place not in point.deletions:
        return []  # where the catalogue was lost, the manifest is enough
    return [Fault("restorePoint", f"restore point {point.id} is being deleted in {place}; choose another")]


def _manifest(request: RestoreRequest) -> Manifest:
    vm, _, _ = point_parts(request.point)
    return cloud().manifests.read(vm, request.point, request.location)


def _recorded_faults(request: RestoreRequest, manifest: Manifest) -> Iterator[Fault]:
    disks = [part.disk for part in manifest.disks]
    yield from manifest_faults(manifest, request.location)
    yield from disk_faults(disks, request.location, request.disks)
    wanted = [part for part in manifest.disks if is_wanted(part.disk, request.disks)]
    yield from blob_faults(wanted, request.location)
    if request.is_for_vm:
        yield from machine_faults(manifest.vm, disks)


def _plan(request: RestoreRequest, manifest: Manifest) -> RestorePlan:
    disks = plan_disks(request.operation, manifest, request.location, request.disks)
    machine = plan_machine(request, manifest, disks) if request.is_for_vm else None
    return RestorePlan(tuple(disks), machine, tuple(not_carried(request, manifest)))


def _network_faults(request: RestoreRequest) -> Iterator[Fault]:
    """See that a VM's subnet exists, in the region."""
    location = request.location
    if not request.is_for_vm:
        return
    unusable = list(subnet_faults(location))
    if unusable or not location.subnet_id:
        yield from unusable
        return
    address = SubnetAddress.parse(location.subnet_id)
    network = cloud().networks.find(address)
    if network is None:
        yield Fault("subnet", f"there is no network {address.network_id}; make it, or name another subnet")
    else:
        yield from network.faults(address.id, location)


def _azure_faults(request: RestoreRequest, plan: RestorePlan) -> list[Fault]:
    """See that all sources are usable, and that the names of what will be made are free, or ours."""
    try:
        made = {disk.id: cloud().disks.find(disk.id) for disk in plan.disks}
    except Refused as refused:
        if refused.code not in GROUP_MISSING:
            return [Fault("location", str(refused)), *_source_faults(plan.disks)]
        group = request.location.restore_group_id
        missing = Fault("location", f"there is no resource group {group} to restore into; make it")
        return [missing, *_source_faults(plan.disks)]
    faults = [
        Fault("location", f"disk {disk.id} exists, but was not made of {disk.source}; remove it")
        for disk in plan.disks
        if (found := made[disk.id]) and found.source_id.lower() != disk.source.lower()
    ]
    faults += _source_faults(
        [disk for disk in plan.disks if (there := made[disk.id]) is None or there.awaits_upload]
    )
    if plan.machine:
        faults += _guarded("name", partial(_name_faults, request, plan.machine))
    return faults


def _source_faults(plans: Iterable[DiskPlan]) -> list[Fault]:
    return [fault for plan in plans for fault in _guarded("restorePoint", partial(_unusable, plan))]


def _unusable(plan: DiskPlan) -> Iterator[Fault]:
    if plan.blob:
        length = cloud().restore_blobs.length(plan.blob)
        if length != plan.blob.length:
            found = f"has {length} bytes instead of {plan.blob.length}" if length else "is not there"
            yield Fault(
                "restorePoint",
                f"disk '{plan.source_disk}': {plan.blob} {found}; choose another location or point",
            )
        return
    snapshot = cloud().snapshots.find(plan.snapshot_id)
    if snapshot is None or not snapshot.is_usable:
        found = "there is no snapshot" if snapshot is None else "not usable is snapshot"
        yield Fault(
            "restorePoint",
            f"disk '{plan.source_disk}': {found} {plan.snapshot_id}; choose another location or point",
        )


def _name_faults(request: RestoreRequest, machine: MachinePlan) -> Iterator[Fault]:
    connected = cloud()
    vm = connected.restored_machines.find(machine.id)
    if vm and vm.operation != request.operation:
        yield Fault("name", f"there is a VM {machine.id} already; give another name")
    interface = connected.networks.find_interface(machine.interface.id)
    if interface and interface.operation != request.operation:
        yield Fault("name", f"network interface {interface.id} exists, and is not of this restore; remove it")


def _size_faults(request: RestoreRequest, manifest: Manifest) -> Iterator[Fault]:
    """See that the region offers the VM's size, and that this takes what the VM is made of.

    Where the list of sizes does not answer, the restore goes on without it: on the day that a region is lost
    other things may be out of order, and Azure itself refuses a size that it has not.
    """
    location = request.location
    if not request.is_for_vm:
        return
    size = wanted_size(manifest, location)
    try:
        offer = cloud().machine_sizes.find(location.subscription, location.region, size)
    except Transient as silence:
        if silence.code == Transient.THROTTLED:
            raise
        _log.warning("the size %s of restore %s was not looked up: %s", size, request.operation, silence)
        return
    yield from size_faults(manifest, location, offer)


def _guarded(field: str, look: Callable[[], Iterable[Fault]]) -> list[Fault]:
    """Return the faults that a look finds; what Azure refuses is one as well."""
    try:
        return list(look())
    except Refused as refused:
        return [Fault(field, str(refused))]
