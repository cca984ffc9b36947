"""What is due: which VMs are protected by which policy, and which of them should get a restore point now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.names import point_parts, slot_of
from domain.policy import Policies, Policy, Scope, Selector
from domain.protection import ProtectedVm
from domain.requests import BackupRequest
from domain.restore_points import PointState
from domain.tags import OPERATION_TAG
from domain.vms import EXCLUDE_TAG, POLICY_TAG, VirtualMachine, tag_value, vm_address

MOST_ATTEMPTS = 3
BETWEEN_ATTEMPTS = timedelta(minutes=15)
OVERDUE = timedelta(minutes=15)  # three looks at the fleet

NOT_LISTED = (
    "Azure does not list it any more: it was deleted, or its region cannot be reached; "
    "its restore points are kept by their policy"
)
NOT_CHOSEN = f"no policy protects it any more: neither its tag {POLICY_TAG} nor a selector names one"
NOT_LOOKED_FOR = (
    "the policy file does not name its subscription or its resource group any more, so nobody looks for it"
)
EXCLUDED = f"its tag {EXCLUDE_TAG} leaves it out"


@dataclass(frozen=True)
class DueBackup:
    """A backup that is due: of which VM, for which slot, under which policy.

    `missed` counts the slots before it that nobody took.
    """

    vm_id: str
    slot: datetime
    attempt: int
    policy: str
    missed: int = 0

    def request(self, policy: Policy) -> BackupRequest:
        """Return what the orchestration is started with."""
        return BackupRequest(self.vm_id, self.slot, self.attempt, policy)


@dataclass(frozen=True)
class Sighting:
    """What a look at the fleet found of one VM; `problem` says why no restore points are taken of it.

    `missed` is known where a backup is due: how many slots before it nobody took.
    """

    vm: ProtectedVm
    problem: str | None
    now: datetime
    missed: int | None = None

    def recorded_in(self, known: ProtectedVm) -> ProtectedVm:
        """Return the summary of the VM with what was found; finding the same again changes nothing."""
        seen = replace(known, id=self.vm.id, name=self.vm.name, region=self.vm.region, policy=self.vm.policy)
        if seen.newest_point is None and seen.first_slot is None and self.problem is None:
            seen = replace(seen, first_slot=slot_of(self.now))
        if self.missed is not None:
            seen = replace(seen, missed=self.missed)
        if seen.problem != self.problem:
            seen = replace(seen, problem=self.problem, problem_since=self.now if self.problem else None)
        return seen


@dataclass(frozen=True)
class Survey:
    """What a look at one scope found: what is news of its VMs, and what is due."""

    sightings: tuple[Sighting, ...]
    due: tuple[DueBackup, ...]


def survey(
    scope: Scope,
    listed: Iterable[VirtualMachine],
    known: Mapping[str, ProtectedVm],
    policies: Policies,
    now: datetime,
) -> Survey:
    """Look at the VMs of a scope; `known` has the summaries of all VMs by key."""
    news: list[Sighting] = []
    due: list[DueBackup] = []
    keys = set()
    for vm in listed:
        keys.add(vm.key)
        sighting = _seen(vm, known.get(vm.key), policies, now)
        if sighting is None:
            continue
        after = sighting.recorded_in(known.get(vm.key) or sighting.vm)
        backup = None if sighting.problem else due_backup(after, policies.policies[after.policy], now)
        if backup:
            due.append(backup)
            sighting = replace(sighting, missed=backup.missed)
        if sighting.recorded_in(after) != known.get(vm.key):
            news.append(sighting)
    for gone in known.values():
        problem = _absence(gone, scope, keys, policies)
        if problem and gone.problem != problem:
            news.append(Sighting(gone, problem, now))
    return Survey(tuple(news), tuple(due))


def _absence(vm: ProtectedVm, scope: Scope, listed: Set[str], policies: Policies) -> str | None:
    """Say why a VM was not seen in a look at a scope, if it ought to have been."""
    if not any(each.holds(vm.id) for each in policies.scopes):
        return NOT_LOOKED_FOR
    return NOT_LISTED if scope.holds(vm.id) and vm.key not in listed else None


def due_backup(vm: ProtectedVm, policy: Policy, now: datetime) -> DueBackup | None:
    """Return the backup that a VM is due for, or None.

    A VM that was never backed up is due at once. While a point is being taken, a due slot waits. Of several
    missed slots the newest is taken. A failed slot is tried again, three times in all, while it is newest;
    one in which the VM was refused is not, for it would be again.
    """
    if vm.running:
        return None
    if vm.newest_point is None or vm.newest_decided is None:
        return DueBackup(vm.id, vm.first_slot or slot_of(now), 1, policy.name)
    _, newest_slot, attempt = point_parts(vm.newest_point)
    slot = policy.schedule.newest_due(after=newest_slot, now=now)
    if slot is not None:
        missed = len(policy.schedule.missed(after=newest_slot, slot=slot))
        return DueBackup(vm.id, slot, 1, policy.name, missed)
    has_failed = vm.newest_state is PointState.FAILED and not vm.newest_is_refused
    may_retry = has_failed and attempt < MOST_ATTEMPTS
    if may_retry and now >= vm.newest_decided + BETWEEN_ATTEMPTS:
        return DueBackup(vm.id, newest_slot, attempt + 1, policy.name)
    return None


def next_due(vm: ProtectedVm, policy: Policy, now: datetime) -> datetime | None:
    """Return the slot that a VM waits for, which may be past; None where no points are taken of it."""
    if vm.problem:
        return None
    due = due_backup(vm, policy, now)
    return due.slot if due else policy.schedule.next(now)


def is_overdue(vm: ProtectedVm, policy: Policy, now: datetime) -> bool:
    """Whether the slot that a VM waits for has been past for longer than the watch takes to begin it."""
    waits_for = next_due(vm, policy, now)
    return waits_for is not None and now > waits_for + OVERDUE


def chosen_policy(vm: VirtualMachine, policies: Policies) -> str | None:
    """Return the name of the policy that protects a VM: the one of its tag, else of the first selector.

    A VM that a restore has made is beside the one that it was made of: only a tag of its own protects it.
    """
    if vm.policy is not None or tag_value(vm.tags, OPERATION_TAG) is not None:
        return vm.policy
    matching = (policy for policy in policies.policies.values() if policy.selector)
    return next(
        (policy.name for policy in matching if policy.selector and selects(policy.selector, vm)), None
    )


def selects(selector: Selector, vm: VirtualMachine) -> bool:
    """Whether a VM matches all that a selector asks for; Azure's names do not tell cases apart."""
    address = vm_address(vm.id)
    return (
        _names(selector.subscriptions, address.subscription)
        and _names(selector.resource_groups, address.resource_group)
        and all(tag_value(vm.tags, name) == value for name, value in selector.tags.items())
    )


def _names(wanted: tuple[str, ...], name: str) -> bool:
    return not wanted or name.lower() in {each.lower() for each in wanted}


def _seen(
    vm: VirtualMachine, known: ProtectedVm | None, policies: Policies, now: datetime
) -> Sighting | None:
    name = chosen_policy(vm, policies)
    if name is None or vm.is_excluded:
        return Sighting(known, EXCLUDED if name else NOT_CHOSEN, now) if known else None
    policy = policies.policies.get(name)
    if policy is None:
        there_are = ", ".join(sorted(policies.policies))
        problem = f"its tag {POLICY_TAG} names {name!r}, which is not in the policy file; known: {there_are}"
        return Sighting(ProtectedVm.of(vm, name), problem, now)
    faults = "; ".join(fault.message for fault in vm.faults_at_sight(policy))
    return Sighting(ProtectedVm.of(vm, name), faults or None, now)
