"""What C# calls a Task: a value that comes later, and coroutines that wait for such values.

The extension's side of an orchestration is C# that awaits tasks. Its continuations run at once, on the thread
that completes the task, and so do these: the order in which ids are taken depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

Awaiting = Generator["Promise", Any, Any]


class Promise:
    """A value or an error that is there, or will be. What comes second is ignored."""

    __slots__ = ("_continuations", "error", "is_done", "value")

    def __init__(self) -> None:
        self.is_done = False
        self.value: Any = None
        self.error: Exception | None = None
        self._continuations: list[Callable[[Promise], None]] = []

    def resolve(self, value: Any = None) -> None:
        """Give the value, and run at once whoever waits for it."""
        self._settle(value, None)

    def reject(self, error: Exception) -> None:
        """Give an error instead of a value."""
        self._settle(None, error)

    def then(self, continuation: Callable[[Promise], None]) -> None:
        """Call `continuation` with this promise when it is done, at once if it is already."""
        if self.is_done:
            continuation(self)
        else:
            self._continuations.append(continuation)

    def _settle(self, value: Any, error: Exception | None) -> None:
        if self.is_done:
            return
        self.is_done, self.value, self.error = True, value, error
        waiting, self._continuations = self._continuations, []
        for continuation in waiting:
            continuation(self)


def resolved(value: Any = None) -> Promise:
    """A promise that is kept already."""
    promise = Promise()
    promise.resolve(value)
    return promise


def rejected(error: Exception) -> Promise:
    """A promise that failed already."""
    promise = Promise()
    promise.reject(error)
    return promise


def run(steps: Awaiting) -> Promise:
    """Run a generator of promises as an async method runs: until it must wait, then on completion."""
    result = Promise()

    def advance(awaited: Promise | None) -> None:
        while True:
            try:
                awaited = _resume(steps, awaited)
            except StopIteration as stop:
                result.resolve(stop.value)
                return
            except Exception as error:
                result.reject(error)
                return
            if not awaited.is_done:
                awaited.then(advance)
                return

    advance(None)
    return result


def _resume(steps: Awaiting, awaited: Promise | None) -> Promise:
    if awaited is not None and awaited.error is not None:
        return steps.throw(awaited.error)
    return steps.send(awaited.value if awaited is not None else None)


def all_of(promises: Sequence[Promise]) -> Promise:
    """Task.WhenAll: waits for all of them, also after one has failed; then gives the first error, if any."""
    result = Promise()
    open_count = len(promises)
    if not open_count:
        result.resolve([])

    def count_down(_: Promise) -> None:
        nonlocal open_count
        open_count -= 1
        if open_count == 0:
            failed = next((p for p in promises if p.error is not None), None)
            result._settle([p.value for p in promises], failed.error if failed else None)

    for promise in promises:
        promise.then(count_down)
    return result


def any_of(promises: Sequence[Promise]) -> Promise:
    """Task.WhenAny: the first that is done, whether it succeeded or not."""
    result = Promise()
    for promise in promises:
        promise.then(result.resolve)
    return result
