"""`python -m simulator`: a simulated cloud over HTTP on loopback, to be played with."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Loading what follows takes a while. Until somebody listens for it, Ctrl-C simply ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from clock import Clock, SharedClock, SystemClock
from simulator.cloud import Cloud
from simulator.control_room import ControlRoom
from simulator.server import Server
from simulator.world_file import WorldDescription, WorldFileError, build_world, read_world

EXAMPLE = {
    "resource_groups": {"production": "westeurope", "recovery": "northeurope"},
    "virtual_machines": [
        {
            "name": "web",
            "region": "westeurope",
            "group": "production",
            "tags": {"team": "shop"},
            "disks": {"os": {"size_gib": 8}, "data": {"size_gib": 64}},
        }
    ],
}
TOKEN = "development:you"
VERSION = "api-version=2025-01-02"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a cloud until interrupted; return the exit status."""
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        try:
            description, directory = _world(options.seed_file)
            asked_to_end = _signals()
            clock = _clock(options, stack)
            cloud = Cloud(clock, directory=options.directory, seed=options.seed)
            stack.callback(cloud.close)
            build_world(cloud, description, directory)
            server = stack.enter_context(Server(ControlRoom(cloud), port=options.port))
        except (WorldFileError, OSError) as error:
            sys.stderr.write(f"python -m simulator: {error}\n")
            return 2
        cloud.base_url = server.url
        sys.stdout.write(welcome(cloud, server.url, description))
        sys.stdout.flush()
        asked_to_end.wait()
    return 0


def welcome(cloud: Cloud, url: str, description: WorldDescription) -> str:
    """Return what there is and how to ask for it."""
    subscription = f"{url}/subscriptions/{cloud.subscription}"
    lines = [f"The simulated cloud answers at {url}", f"Subscription {cloud.subscription}", ""]
    for name, region in description.resource_groups.items():
        lines.append(f"  resource group {name} in {region}")
    for machine in description.virtual_machines:
        disks = ", ".join(f"{machine.name}-{name}" for name in machine.disks)
        lines.append(f"  virtual machine {machine.name} in {machine.region} with the disks {disks}")
    lines += ["", "Ask it as one asks Azure; any bearer token will do:", ""]
    curl = f"  curl -sS -H 'Authorization: Bearer {TOKEN}'"
    lines.append(f"{curl} '{subscription}/providers/Microsoft.Compute/virtualMachines?{VERSION}'")
    lines += _snapshot_commands(curl, subscription, description)
    regions = sorted({machine.region for machine in description.virtual_machines})
    lines += ["", "Levers beside it, which Azure does not have:", ""]
    lines += [f"  curl -sS -X POST {url}/simulator/lose/{region}" for region in regions]
    lines += [f"  curl -sS -X POST {url}/simulator/restore/{region}" for region in regions]
    lines += [f"  curl -sS {url}/simulator/meter", "", "Ctrl-C ends it.", ""]
    return "\n".join(lines)


def _snapshot_commands(curl: str, subscription: str, description: WorldDescription) -> list[str]:
    if not description.virtual_machines:
        return []
    machine = description.virtual_machines[0]
    compute = f"resourceGroups/{machine.group}/providers/Microsoft.Compute"
    path = subscription.partition("/subscriptions/")[2]
    disk = f"/subscriptions/{path}/{compute}/disks/{machine.name}-{next(iter(machine.disks))}"
    body = (
        f'{{"location":"{machine.region}","properties":{{"incremental":true,'
        f'"creationData":{{"createOption":"Copy","sourceResourceId":"{disk}"}}}}}}'
    )
    snapshot = f"{subscription}/{compute}/snapshots/first"
    access = '{"access":"Read","durationInSeconds":3600}'
    return [
        f"{curl} -i -X PUT '{snapshot}?{VERSION}' -d '{body}'",
        f"{curl} '{snapshot}?{VERSION}'",
        f"{curl} -i -X POST '{snapshot}/beginGetAccess?{VERSION}' -d '{access}'",
        "  (the Location header of the last one leads to the URL that the bytes can be read from)",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Serve a simulated slice of Azure over HTTP on this machine: virtual machines, disks, "
        "snapshots, cross-region copies, and the bytes behind them. It begins with a small example world and "
        "prints curl commands that work. Nothing is kept when it ends.",
    )
    parser.add_argument("--port", type=int, default=0, help="listen on this port of 127.0.0.1 (any free one)")
    parser.add_argument(
        "--seed-file",
        type=Path,
        metavar="FILE",
        help="the world to begin with, YAML or JSON (an example world)",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same number gives the same ids (0)")
    parser.add_argument(
        "--directory", type=Path, help="where the bytes of disks are kept while it runs (a temporary one)"
    )
    time = parser.add_mutually_exclusive_group()
    time.add_argument("--clock", type=Path, metavar="FILE", help="share the virtual clock in this file")
    time.add_argument(
        "--speed", type=float, help="let virtual time pass this many times as fast as real time"
    )
    return parser


def _clock(options: argparse.Namespace, stack: ExitStack) -> Clock:
    if options.clock is not None:
        return SharedClock(options.clock)
    if options.speed is not None:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        return SharedClock.create(Path(directory) / "clock", datetime.now(UTC), options.speed)
    return SystemClock()


def _world(path: Path | None) -> tuple[WorldDescription, Path]:
    if path is None:
        return WorldDescription.model_validate(EXAMPLE), Path()
    return read_world(path), path.parent


def _signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set, from now on, also while the cloud is still being built."""
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_end.set())
    return asked_to_end


if __name__ == "__main__":
    sys.exit(main())
