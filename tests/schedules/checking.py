"""What must be so once all troubles have ceased: each function lists what is not so.

`unattended` holds minutes later, when the watch over the fleet had its turns; `leftovers` when everything has
come to rest and pruning had its turn; `faults` after days of calm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateways.connection import cloud
from local_host.determinism import check_history
from tests.schedules.book_checks import copies, overview, permits, points, retention
from tests.schedules.cloud_checks import manifests, restored, snapshots
from tests.schedules.game import Game
from tests.schedules.records import Records
from tests.schedules.records import operations as operations
from tests.schedules.vault_checks import accesses, seals, stray_blobs, turns, verified

CHECKS: tuple[Callable[[Game, Records], Iterator[str]], ...] = (
    points, overview, copies, permits, retention, snapshots, manifests, restored, seals, stray_blobs,
    accesses, turns, verified,
)  # fmt: skip


def open_things(game: Game) -> list[str]:
    """Say what is still under way."""
    catalogue = cloud().catalogue
    told = [f"copy queue {queue.partition} is open" for queue in catalogue.copy_queues.all_open()]
    told += [f"{vm.running} is being taken" for vm in catalogue.vms.all() if vm.running]
    told += [f"{each.kind} {each.id} is {each.state}" for each in operations(game) if not each.state.is_over]
    return told + [f"{instance} is at work" for instance in game.at_work()]


def unattended(game: Game) -> list[str]:
    """Say what is open and has nobody at work on it."""
    records, at_work = Records.read(game), set(game.at_work())
    open_queues = {queue.partition for queue in records.queues}
    told = [
        f"copy queue {queue.partition} is open, and nobody works it"
        for queue in records.queues
        if queue.instance not in at_work
    ]
    told += [
        f"the copy of {copy.disk_name} of {copy.point} to {copy.location} is {copy.state} in no open queue"
        for copy in records.copies
        if copy.state.is_open and f"{copy.disk}~{copy.location}" not in open_queues
    ]
    told += [
        f"{vm.running} is being taken by nobody"
        for vm in records.vms
        if vm.running and f"backup:{vm.running}" not in at_work
    ]
    return told + [
        f"restore {each.id} is {each.state}, and nobody works on it"
        for each in records.operations
        if each.kind == "restore" and not each.state.is_over and each.instance not in at_work
    ]


def leftovers(game: Game) -> list[str]:
    """Say what is in the cloud that belongs to nothing, though pruning had its turn."""
    records = Records.read(game)
    there, justified = {each.id.key for each in records.snapshots}, records.justified_snapshots()
    told = [f"{name} is left over" for name in sorted(there - justified)]
    told += [f"{name} is not there" for name in sorted(records.needed_snapshots() - there)]
    for check in (seals, stray_blobs, accesses, turns):
        told += check(game, records)
    return told


def faults(game: Game) -> list[str]:
    """Say everything that is not as it must be; empty if all is well."""
    records = Records.read(game)
    told = open_things(game)
    for check in CHECKS:
        told += [f"{check.__name__}: {each}" for each in check(game, records)]
    return told + [f"histories: {each}" for each in _histories(game)]


def _histories(game: Game) -> Iterator[str]:
    """Every history replays, and nothing has ended by a fault of its own."""
    for status in game.world.host.statuses():
        problems = check_history(game.world.host.app, game.world.host.history(status["instanceId"]))
        yield from (f"{status['instanceId']}: {problem}" for problem in problems)
        if status["runtimeStatus"] not in ("Completed", "Terminated"):
            yield f"{status['instanceId']} is {status['runtimeStatus']}: {status['output']}"
