"""kill -9 of the host of a local system while the simulated Azure holds one of its requests.

    sealed = Position("sealed, and nobody was told", is_seal, is_done=True)
    with killing(system, [Position("in a window", is_written_page, 5), sealed]):
        ...  # whatever the app does here, it is killed twice meanwhile

The simulated Azure runs in the test's process, so it sees every request before the app has an answer. One at
which the host dies is held until the host is dead: either it was carried out and nobody was told, or it never
was. What the host asks for side by side at that moment may be carried out or not, as in life.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from local_system.system import LocalSystem
from simulator.wire import ConnectionDropped, Request, Response
from tests.mortal_system import PATIENCE_SECONDS

Kind = Callable[[Request], bool]


@dataclass(frozen=True)
class Position:
    """The `count`-th request of a kind since the kill before; it `is_done`, or not, when the host dies."""

    name: str
    kind: Kind
    count: int = 1
    is_done: bool = False


class _Trap:
    """Waits for one position."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.is_reached, self.is_dead = threading.Event(), threading.Event()
        self._left = position.count
        self._lock = threading.Lock()

    def takes(self, request: Request) -> bool:
        """Count a request; whether it is the one."""
        if not self.position.kind(request):
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0

    def hold(self) -> None:
        """Tell that the position is reached, and wait until the host is dead."""
        self.is_reached.set()
        self.is_dead.wait(PATIENCE_SECONDS)

    def give_up(self) -> None:
        """Wait for nothing any more, and let nobody else wait."""
        self.is_dead.set()
        self.is_reached.set()


class RequestKiller(threading.Thread):
    """Kills the host at one position after the other, and starts it again each time."""

    def __init__(
        self, system: LocalSystem, positions: Iterable[Position], meanwhile: Callable[[], None]
    ) -> None:
        super().__init__(name="request-killer", daemon=True)
        self._system = system
        self.positions = list(positions)
        self._meanwhile = meanwhile
        self._answer = system.azure.handle
        self._trap: _Trap | None = _Trap(self.positions[0])
        self._is_given_up = False
        self.reached: list[str] = []
        self.failure: Exception | None = None

    def handle(self, request: Request) -> Response:
        """Answer as the simulated Azure does, as long as there is somebody to answer."""
        trap = self._trap
        if trap is None or not trap.takes(request):
            return self._answer(request)
        if trap.position.is_done:
            self._answer(request)
        trap.hold()
        raise ConnectionDropped

    def run(self) -> None:
        try:
            for number, position in enumerate(self.positions, start=1):
                if not self._has_killed_at(position):
                    return
                self._meanwhile()
                self._trap = _Trap(self.positions[number]) if number < len(self.positions) else None
                self._system.host.start()
        except Exception as failure:
            self.failure = failure

    def give_up(self) -> None:
        """Kill nobody any more; returns when nobody is being killed or started."""
        self._is_given_up = True
        while self.is_alive():
            if trap := self._trap:
                trap.give_up()
            self.join(0.1)

    def _has_killed_at(self, position: Position) -> bool:
        trap = self._trap
        assert trap is not None
        assert trap.is_reached.wait(PATIENCE_SECONDS), f"the host never came to be {position.name}"
        if not self._is_given_up:
            self._system.host.kill()
            self.reached.append(position.name)
            trap.is_dead.set()
        return not self._is_given_up


@contextmanager
def killing(
    system: LocalSystem, positions: Iterable[Position], meanwhile: Callable[[], None] = lambda: None
) -> Iterator[RequestKiller]:
    """Kill the host at all these positions, in that order; one that is never reached is a failure.

    While the host is dead something else may happen `meanwhile`.
    """
    killer = RequestKiller(system, positions, meanwhile)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system.azure, "handle", killer.handle)
        killer.start()
        try:
            yield killer
            killer.join(PATIENCE_SECONDS)
        finally:
            killer.give_up()
    assert killer.failure is None, killer.failure
    missed = [each.name for each in killer.positions[len(killer.reached) :]]
    assert not missed, f"the host was never killed {', never '.join(missed)}"
