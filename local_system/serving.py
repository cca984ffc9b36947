"""`make serve`: a system that stays, to be played with by curl, and a prompt for what is not Tidemark's."""

from __future__ import annotations

import signal
import sys

from clock import SharedClock
from local_system.controls import Controls, Unusable
from local_system.function_host import has_core_tools
from local_system.policies import RECOVERY_LOCATION, VAULT_LOCATION
from local_system.running import run
from local_system.screen import Screen
from local_system.simulated_azure import CONTROLS
from local_system.system import LocalSystem
from local_system.web_server import WebServer
from local_system.working_directory import shown


def play(screen: Screen, speed: float) -> int:
    """Set up a system to play with, leave it running, and return the exit status.

    Its time passes `speed` times as fast as here, but not with Core Tools, which know no other clock.
    """
    with_core_tools = has_core_tools()
    system = LocalSystem(factor=1.0 if with_core_tools else speed, with_core_tools=with_core_tools)

    def work() -> None:
        screen.title("Tidemark, to play with")
        system.start()
        serve(system, WebServer(system.cloud, system.directory.path / "web"), screen)

    return run(system, screen, work)


def serve(system: LocalSystem, machine: WebServer, screen: Screen) -> None:
    """Say what can be done, and serve until the prompt ends, or a signal comes where there is no terminal."""
    controls = Controls(system, machine)
    system.azure.controls = controls.answer
    _introduce(system, machine, screen, controls)
    if sys.stdin.isatty():
        _converse(controls, screen)
    else:
        screen.say("There is no terminal to type at, so this serves until SIGTERM or SIGINT.")
        while True:
            signal.pause()


def _introduce(system: LocalSystem, machine: WebServer, screen: Screen, controls: Controls) -> None:
    screen.step("A whole Tidemark runs on this machine")
    if isinstance(system.clock, SharedClock):
        screen.say(
            f"Its time passes {system.factor:g} times as fast as yours: a minute there is "
            f"{60 / system.factor:g} s here. Without an Idempotency-Key, the same request in the same minute "
            "is one request, and a few seconds later it is another."
        )
    screen.say(f"The function app runs on {system.host.name}. Paste into another terminal; first this:")
    screen.show(
        f"TOKEN={system.token} API={system.api.url}",
        f"SIMULATOR={system.azure.url}{CONTROLS.rstrip('/')}",
        f"VM={machine.id}",
        """ask() { curl -s -H "Authorization: Bearer $TOKEN" $API/"$@"; echo; }""",
    )
    screen.say(
        f"'{machine.name}' carries the tag of a policy, so the timer backs it up within five minutes of "
        "simulated time. Or ask for a backup yourself, and look at what comes of it:"
    )
    screen.show(
        """ask backups -d '{"vm": "'$VM'"}'""",
        "ask operations",
        "ask vms",
        f"ask vms/{machine.key}/restore-points",
        "ask health",
        "ask openapi.json",
    )
    _show_restores(machine, screen)
    screen.say("Not Tidemark's, and no part of Azure, but the simulator's own; also at the prompt below:")
    screen.table(
        (f"curl -X POST $SIMULATOR/{command.usage.replace(' ', '/')}", command.meaning)
        for command in controls.commands.values()
    )
    screen.say(f"The log of the function host: {shown(system.directory.path / 'function-host.log')}")


def _show_restores(machine: WebServer, screen: Screen) -> None:
    screen.say(
        "Bring its newest restore point back in the other region, once it has arrived there, or out of the "
        "page blobs of a third one; the operation tells what came of it:"
    )
    screen.show(
        *(
            f"""ask restores -d '{{"vm": "{machine.key}", "location": "{location}"}}'"""
            for location in (RECOVERY_LOCATION, VAULT_LOCATION)
        )
    )


def _converse(controls: Controls, screen: Screen) -> None:
    screen.step("The prompt: " + ", ".join(each.usage for each in controls.commands.values()) + ", quit")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            return
        if line in ("quit", "exit"):
            return
        if line:
            _obey(line, controls, screen)


def _obey(line: str, controls: Controls, screen: Screen) -> None:
    if line in ("help", "?"):
        screen.table((each.usage, each.meaning) for each in controls.commands.values())
        return
    try:
        answer, is_done = controls.carry_out(line), True
    except Unusable as unusable:
        answer, is_done = str(unusable), False
    if "\n" in answer:
        screen.show(*answer.splitlines())
    else:
        screen.verdict(answer, is_done)
