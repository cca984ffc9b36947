"""`make serve`: a system that stays, to be played with by curl, and a prompt for what is not Tidemark's."""

from __future__ import annotations

import signal
import sys

from local_system.controls import Controls, Unusable
from local_system.policies import RECOVERY_LOCATION
from local_system.screen import Screen
from local_system.simulated_azure import CONTROLS
from local_system.system import LocalSystem
from local_system.web_server import WebServer


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
    api, azure = system.api.url, system.azure.url
    ask = 'curl -s -H "Authorization: Bearer $TOKEN"'
    send = f'{ask} -H "Content-Type: application/json"'
    screen.step("A whole Tidemark runs on this machine")
    screen.say("Paste these into another terminal. First the two things that all of them need:")
    screen.show(f"export TOKEN={system.token} API={api} SIMULATOR={azure}", f"export VM={machine.id}")
    screen.say("Back the machine up, and look at what comes of it:")
    screen.show(
        f"""{send} $API/backups -d '{{"vm": "'$VM'"}}'""",
        f"{ask} $API/operations",
        f"{ask} $API/vms",
        f"{ask} $API/vms/{machine.key}/restore-points",
        f"{ask} $API/health",
        f"{ask} $API/openapi.json",
    )
    screen.say(
        "Bring the newest restore point back in the other region; its replica there must be available:"
    )
    screen.show(
        f"""{send} $API/restores -d '{{"vm": "'$VM'", "location": "{RECOVERY_LOCATION}"}}'""",
    )
    screen.say(
        "What follows is the simulator's own and no part of Azure; the same words can be typed at the prompt "
        "below:"
    )
    screen.table(
        (f"curl -s -X POST $SIMULATOR{CONTROLS}{command.usage.replace(' ', '/')}", command.meaning)
        for command in controls.commands.values()
    )
    screen.say(f"The log of the function host: {system.directory.path / 'function-host.log'}")


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
