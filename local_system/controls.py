"""What can be done to a local system from outside the story: typed at its prompt, or by POST.

    lose westeurope          POST /simulator/lose/westeurope
    jump 10h                 POST /simulator/jump/10h

The routes are the simulator's own, below a path that Azure does not have. They ask for no token: whoever
reaches the port of this machine may use them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from local_system.failures import LocalSystemFailed
from local_system.policies import HOME
from local_system.simulated_azure import CONTROLS
from local_system.sizes import size_text
from local_system.system import LocalSystem
from local_system.web_server import WebServer
from simulator.wire import Headers, Request, Response

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_FASTEST = 3600.0


class Unusable(Exception):
    """A command that cannot be carried out; the message says why and what can be."""


@dataclass(frozen=True)
class Command:
    """One thing that can be done: how it is written, what it does, and with what."""

    usage: str
    meaning: str
    run: Callable[[str], str]


class Controls:
    """Carries out commands on a system and its example machine."""

    def __init__(self, system: LocalSystem, machine: WebServer) -> None:
        self._system = system
        self._machine = machine
        self._is_changed = False
        self.commands = {
            "change": Command("change", f"change a file on every disk of {machine.name}, once", self._change),
            "jump": Command("jump 10h", "move the clock forward: 30m, 10h, 2d", self._jump),
            "clock": Command("clock 60", "let time pass 60 times as fast", self._clock),
            "meter": Command("meter", "how many bytes the simulator's copies have moved", self._meter),
            "lose": Command(f"lose {HOME}", "lose the home region, for good", self._lose),
        }

    def carry_out(self, line: str) -> str:
        """Carry out what was typed; return what to say about it. Raises Unusable."""
        name, _, argument = line.strip().partition(" ")
        command = self.commands.get(name)
        if command is None:
            raise Unusable(f"There is no command {name!r}; there are {', '.join(self.commands)}")
        try:
            return command.run(argument.strip())
        except LocalSystemFailed as failure:
            raise Unusable(str(failure)) from failure

    def answer(self, request: Request) -> Response:
        """Answer a request for a path below /simulator/."""
        if request.method != "POST":
            return _text(405, f"What lies below {CONTROLS} takes POST.")
        line = request.path.removeprefix(CONTROLS).replace("/", " ", 1)
        try:
            return _text(200, self.carry_out(line))
        except Unusable as unusable:
            return _text(400, str(unusable))

    def _change(self, _: str) -> str:
        if self._system.is_home_lost:
            raise Unusable(f"{self._machine.name} was lost with its region; nobody can write to its disks")
        if self._is_changed:
            raise Unusable("The files are changed already; there is one change, so that it is easy to find")
        self._is_changed = True
        changed = self._machine.change_files()
        return f"Changed a file on every disk: {size_text(changed)} of the disks are others now."

    def _jump(self, argument: str) -> str:
        match = re.fullmatch(r"(\d{1,4})([mhd])", argument)
        if match is None:
            raise Unusable(f"{argument!r} is no span of time; write 30m, 10h or 2d")
        self._system.pass_time(timedelta(**{_UNITS[match[2]]: int(match[1])}))
        return self._time()

    def _clock(self, argument: str) -> str:
        try:
            factor = float(argument)
        except ValueError:
            factor = -1.0
        if not 0 <= factor <= _FASTEST:
            raise Unusable(f"{argument!r} is no speed; write a number from 0 (stand still) to {_FASTEST:.0f}")
        self._system.set_speed(factor)
        pace = f"passes {factor:g} times as fast as here" if factor else "stands still"
        return f"{self._time()} Time {pace}."

    def _meter(self, _: str) -> str:
        copies = self._system.cloud.meter.copies
        if not copies:
            return "No copy has reached its end yet."
        return "\n".join(
            f"{size_text(copy.bytes_moved):>10}  {'all of it' if copy.whole else 'changes':<9}  "
            f"to {copy.region}: {copy.target.rsplit('/', 1)[-1]}"
            for copy in copies
        )

    def _lose(self, argument: str) -> str:
        if argument != HOME:
            raise Unusable(f"{argument!r} cannot be lost here; the home region is {HOME}")
        self._system.lose_home()
        return f"{HOME} is lost, with {self._machine.name} and everything else that was there."

    def _time(self) -> str:
        return f"It is {self._system.clock.now():%Y-%m-%d %H:%M:%S} UTC."


def _text(status: int, text: str) -> Response:
    return Response(status, Headers({"content-type": "text/plain; charset=utf-8"}), f"{text}\n".encode())
