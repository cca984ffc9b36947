"""Calls the functions of an app, as the worker does: sync ones in threads, async ones on the shared loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import azure.functions as func

from local_host.app import Function

log = logging.getLogger("local_host")


class InvocationContext(func.Context):
    """The `context` parameter of a function that asks for it, without tracing and retry policies."""

    def __init__(self, function_name: str, directory: str) -> None:
        self._function_name = function_name
        self._directory = directory
        self._invocation_id = str(uuid.uuid4())
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return self._local

    @property
    def function_name(self) -> str:
        return self._function_name

    @property
    def function_directory(self) -> str:
        return self._directory

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def retry_context(self) -> Any:
        return None


class Invoker:
    """Calls functions with their trigger's value, the durable client and the context."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        threads: ThreadPoolExecutor,
        client_binding: Callable[[], str],
        directory: str,
    ) -> None:
        self._loop = loop
        self._threads = threads
        self._client_binding = client_binding
        self._directory = directory

    def submit(self, function: Function, value: Any) -> Future[Any]:
        """Start a call; the future has what the function returns or raises. May be called from any thread."""
        arguments = self._arguments(function, value)
        log.debug("%s: called", function.name)
        if function.is_async:
            return asyncio.run_coroutine_threadsafe(function.call(**arguments), self._loop)
        return self._threads.submit(function.call, **arguments)

    def run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Run a coroutine of the host itself on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def call(self, function: Function, value: Any) -> Any:
        """Call and wait, on the loop."""
        arguments = self._arguments(function, value)
        log.debug("%s: called", function.name)
        if function.is_async:
            return await function.call(**arguments)
        return await asyncio.wrap_future(self._threads.submit(function.call, **arguments))

    def _arguments(self, function: Function, value: Any) -> dict[str, Any]:
        arguments = {function.trigger.name: value}
        arguments.update({name: self._client_binding() for name in function.client_parameters})
        if function.needs_context:
            arguments["context"] = InvocationContext(function.name, self._directory)
        return arguments
