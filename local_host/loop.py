"""The one event loop of the process, on a thread of its own.

All async functions and all web servers of all hosts share it: the Durable SDK keeps one HTTP session in a
module global, which belongs to the loop that made it. The last host to leave closes that session and the
loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from azure.durable_functions.models.utils import http_utils

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_users = 0


def join() -> asyncio.AbstractEventLoop:
    """Get the loop, started if need be; every `join` needs a `leave`."""
    global _loop, _thread, _users
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_loop.run_forever, name="local-host-loop", daemon=True)
            _thread.start()
        _users += 1
        return _loop


def leave() -> None:
    """Give the loop back. The last one closes it and the SDK's session."""
    global _loop, _thread, _users
    with _lock:
        _users -= 1
        if _users or _loop is None or _thread is None:
            return
        loop, thread, _loop, _thread = _loop, _thread, None, None
        asyncio.run_coroutine_threadsafe(_end_everything(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], timeout: float = 60) -> T:
    """Run a coroutine on the loop from another thread and wait for its result."""
    return asyncio.run_coroutine_threadsafe(work, loop).result(timeout)


async def _end_everything() -> None:
    """Cancel the functions that are still running, and close the SDK's session."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    session = http_utils._client_session
    http_utils._client_session = None
    http_utils._session_lock = asyncio.Lock()
    if session is not None and not session.closed:
        await session.close()
        await asyncio.sleep(0)  # lets the transports see that they are closed
