"""kill -9 of the app's process, inside the process of the test.

A killed process sends no further request and writes no further answer. So the app hangs by a lifeline: its
activities are wrapped, and all its requests pass through here. Once the line is cut, whoever of the app comes
by waits until the host is closed, and ends then, without a request and without an answer.

    lifeline.cut_after(Moment.ACTIVITY, 3)       # the third activity is done, and nobody hears of it
    lifeline.cut_after(Moment.BEFORE_REQUEST, 7)
    lifeline.cut_after(Moment.AFTER_REQUEST, 7)  # it had its effect, and the answer is lost

At such a moment something else may happen instead, in the middle of what the app is doing:

    lifeline.meanwhile(Moment.BEFORE_REQUEST, 7, lambda: clock.advance(HOUR))
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from local_host.app import Function, LoadedApp


class HostDied(BaseException):
    """The process of this function was killed. No `except Exception` of the app keeps it alive."""


class Moment(StrEnum):
    """When a process is killed: so many of these later."""

    ACTIVITY = "after activity"
    BEFORE_REQUEST = "before request"
    AFTER_REQUEST = "after request"


class Life:
    """One life of the host, from a start to a kill."""

    def __init__(self) -> None:
        self.is_cut = False
        self.is_over = threading.Event()


# In which life a function was called, and whether its end is waited for: functions of HTTP are not.
_called_in: ContextVar[tuple[Life, bool] | None] = ContextVar("called_in", default=None)


@dataclass
class _Deed:
    """What happens in the middle of the app's work: at the `left`-th such moment from now on."""

    moment: Moment
    left: int
    do: Callable[[], None]


class Lifeline:
    """What the host's life hangs by. `activities` has the names of all activities that were done."""

    def __init__(self) -> None:
        self._life = Life()
        self._lock = threading.Lock()
        self._begun = threading.Condition()
        self._beginners = 0
        self.is_all_begun: Callable[[], bool] = lambda: True  # whether the host has only activities to do
        self._moment: Moment | None = None
        self._left = 0
        self._counted: Callable[[str], bool] = bool
        self._deeds: list[_Deed] = []
        self.activities: list[str] = []
        self.kills = 0

    @property
    def is_cut(self) -> bool:
        """Whether the host is dead and not yet buried."""
        return self._life.is_cut

    @property
    def is_armed(self) -> bool:
        """Whether a kill is still to come."""
        return self._moment is not None

    def cut_after(self, moment: Moment, count: int, of: Callable[[str], bool] = bool) -> None:
        """Kill at the count-th such moment from now on; of activities, only those whose name `of` takes."""
        with self._lock:
            self._moment, self._left, self._counted = moment, count, of

    def meanwhile(self, moment: Moment, count: int, do: Callable[[], None]) -> None:
        """Do something at the count-th such moment from now on; what it does must not wait for the host."""
        with self._lock:
            self._deeds.append(_Deed(moment, count, do))

    def spare(self) -> int:
        """Take back a kill that has not come, and what else was to happen; return how much that was."""
        with self._lock:
            left = len(self._deeds)
            self._moment, self._deeds = None, []
            return left

    def renew(self) -> None:
        """End what is left of the old life, and begin another. The old host must be closed."""
        old, self._life = self._life, Life()
        old.is_over.set()

    def before_request(self) -> None:
        """Let a request pass, or not. Requests of the test itself always pass."""
        self._pass(Moment.BEFORE_REQUEST, "request")

    def after_request(self) -> None:
        """Let the answer of a request pass, or not."""
        self._pass(Moment.AFTER_REQUEST, "request")

    @property
    def is_of_the_app(self) -> bool:
        """Whether the app is asking, not the test."""
        return _called_in.get() is not None

    def hold(self, app: LoadedApp) -> LoadedApp:
        """Let all activities and HTTP functions of an app hang by this line.

        An activity waits until everything else that is due has been done: what begins by itself or by HTTP,
        and the episodes of orchestrations. So the same schedule takes the same course each time.
        """
        app.activities = {key: self._held(each, is_awaited=True) for key, each in app.activities.items()}
        app.http = [self._held(each, is_awaited=False) for each in app.http]
        turn = asyncio.Lock()
        app.timers = [self._in_turn(each, turn) for each in app.timers]
        return app

    def _in_turn(self, function: Function, turn: asyncio.Lock) -> Function:
        call = function.call

        async def run(**arguments: Any) -> Any:
            with self._beginning():
                async with turn:
                    return await call(**arguments)

        return replace(function, call=run)

    @contextmanager
    def _beginning(self) -> Iterator[None]:
        with self._begun:
            self._beginners += 1
        try:
            yield
        finally:
            with self._begun:
                self._beginners -= 1
                self._begun.notify_all()

    def wait_for_turn(self) -> None:
        """Wait until nothing is at work, or due, but activities. A function of HTTP waits for nothing."""
        known, life = _called_in.get(), self._life
        if known is None or not known[1]:
            return
        with self._begun:
            while not life.is_cut and life is self._life and (self._beginners or not self.is_all_begun()):
                self._begun.wait(0.002)

    def _held(self, function: Function, is_awaited: bool) -> Function:
        call = function.call

        def run(**arguments: Any) -> Any:
            _called_in.set((self._life, is_awaited))
            if is_awaited:
                self.wait_for_turn()
            result = call(**arguments)
            if is_awaited:
                self._done(function.name)
            return result

        async def run_async(**arguments: Any) -> Any:
            _called_in.set((self._life, is_awaited))
            if not is_awaited:
                with self._beginning():
                    return await call(**arguments)
            await asyncio.to_thread(self.wait_for_turn)
            result = await call(**arguments)
            await asyncio.to_thread(self.wait_for_turn)  # what it has started begins first, each time
            await asyncio.to_thread(self._done, function.name)
            return result

        return replace(function, call=run_async if function.is_async else run)

    def _done(self, name: str) -> None:
        self.activities.append(name)
        self._pass(Moment.ACTIVITY, name)

    def _pass(self, moment: Moment, name: str) -> None:
        known = _called_in.get()
        if known is None:
            return
        life, is_awaited = known
        self._let_happen(life, moment)
        self._count(life, moment, name)
        if life.is_cut:
            if is_awaited:  # else the host would still write down that it failed
                life.is_over.wait(60)
            raise HostDied
        if life is not self._life:
            raise HostDied

    def _let_happen(self, life: Life, moment: Moment) -> None:
        """Do what is to be done now. What it asks for is not asked for by the app, and hangs by nothing."""
        with self._lock:
            waiting = [deed for deed in self._deeds if deed.moment is moment and life is self._life]
            for deed in waiting:
                deed.left -= 1
            due = [deed for deed in waiting if deed.left <= 0]
            self._deeds = [deed for deed in self._deeds if deed not in due]
        if not due:
            return
        known = _called_in.get()
        _called_in.set(None)
        try:
            for deed in due:
                deed.do()
        finally:
            _called_in.set(known)
        self.wait_for_turn()  # what has come due meanwhile is begun first, each time

    def _count(self, life: Life, moment: Moment, name: str) -> None:
        with self._lock:
            if moment is not self._moment or life is not self._life:
                return
            if moment is Moment.ACTIVITY and not self._counted(name):
                return
            self._left -= 1
            if self._left <= 0:
                self._moment, life.is_cut = None, True
                self.kills += 1
