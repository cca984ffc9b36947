"""External events as the extension keeps them: buffered in order, waiters on a stack, names without case."""

from __future__ import annotations

from collections import deque

from local_host.promises import Promise


class ExternalEvents:
    """The events and the waiters of one execution, as DurableOrchestrationContext has them."""

    def __init__(self) -> None:
        self._waiters: dict[str, list[Promise]] = {}
        self._early: dict[str, deque[str | None]] = {}

    def wait(self, name: str) -> Promise:
        """Wait for the next event of that name; one that came early is taken at once."""
        promise = Promise()
        self._waiters.setdefault(name.lower(), []).append(promise)
        early = self._early.get(name.lower())
        if early:
            self.raise_event(name, early.popleft())
        return promise

    def raise_event(self, name: str, text: str | None) -> None:
        """Give an event to the youngest waiter, so that abandoned waits don't eat it; or keep it."""
        waiters = self._waiters.get(name.lower())
        if waiters:
            waiters.pop().resolve(text)
        else:
            self._early.setdefault(name.lower(), deque()).append(text)
