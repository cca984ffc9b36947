"""The web server: HTTP functions, the Durable web hooks, and the SDK's private door to the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from local_host.client_api import ClientApi
from local_host.http_triggers import HttpTriggers
from local_host.keys import Keys
from local_host.links import RPC, WEBHOOKS

log = logging.getLogger("local_host")

LARGEST_BODY = 100 * 1024 * 1024
"""maxRequestBodySize of the Functions host."""
SHUTDOWN_SECONDS = 2.0


class WebServer:
    """Listens on the loopback address only."""

    def __init__(self, port: int) -> None:
        self._wanted_port = port
        self._runner: web.AppRunner | None = None
        self._answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = _not_ready
        self.port = 0

    async def start(self) -> None:
        """Begin to listen; requests get 503 until `serve` says what to answer."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._wanted_port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def serve(self, functions: HttpTriggers, client_api: ClientApi, keys: Keys) -> None:
        """Answer from now on."""

        async def answer(request: web.Request) -> web.StreamResponse:
            path = request.rel_url.path
            if path.startswith(RPC):
                return await client_api.handle(request, path[len(RPC) :])
            if path.startswith(f"{WEBHOOKS}/"):
                if not keys.allow(request, "durable"):
                    return web.Response(status=401)
                return await client_api.handle(request, path[len(WEBHOOKS) :])
            return await functions.handle(request)

        self._answer = answer

    async def stop(self) -> None:
        """Stop listening; requests under way get a moment to end."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("%s %s: the host itself failed", request.method, request.path)
            return web.Response(status=500)


async def _not_ready(request: web.Request) -> web.StreamResponse:
    return web.Response(status=503)
