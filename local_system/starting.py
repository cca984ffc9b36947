"""Components that come up side by side, each in a thread of its own.

A signal is handled in the main thread alone, so it never meets a component between starting a process and
noting that it did. Ending waits until the start is over, and meanwhile ends whatever it has begun.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from threading import Thread
from typing import Protocol

_PAUSE_SECONDS = 0.05


class Component(Protocol):
    """A part of a system; `stop` may be called from another thread while `start` runs, and more than once."""

    def start(self) -> object: ...

    def stop(self) -> None: ...


class Starting:
    """A component on its way up."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self._over: Future[None] = Future()
        self._is_ending = False
        self._thread = Thread(target=self._run, name=f"starting {type(component).__name__}", daemon=True)

    def begin(self) -> None:
        """Begin to start the component; returns at once."""
        self._thread.start()

    def await_up(self) -> None:
        """Wait until the component is up; raises what its start raised."""
        self._over.result()

    def end(self) -> None:
        """Stop the component, whether it is up, coming up, or was never begun."""
        self._is_ending = True  # a thread that has not begun by now will not start anything
        while True:
            is_settled = self._over.done() or self._thread.ident is None
            self._component.stop()
            if is_settled:
                return
            wait([self._over], _PAUSE_SECONDS)

    def _run(self) -> None:
        try:
            if not self._is_ending:
                self._component.start()
        except BaseException as failure:
            self._over.set_exception(failure)
        else:
            self._over.set_result(None)
