"""The built-in activity behind context.call_http: one HTTP request.

Not emulated: `token_source` (managed identity), the request's own time limit and its retry options, which
Python's SDK cannot set. Polling after a 202 is the extension's business; Python's SDK does not know of it, so
it drifts.
"""

from __future__ import annotations

from typing import Any

import aiohttp


async def call_http(request: dict[str, Any]) -> dict[str, Any]:
    """Send the request; return {statusCode, headers, content} as DurableHttpResponse does.

    Raises ValueError for a token source: there is no identity here that could get a token.
    """
    if request.get("tokenSource"):
        raise ValueError(
            "call_http with a token_source needs a managed identity, which the local host has not. "
            "Call the address from an activity instead, or without a token."
        )
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            request["method"], request["uri"], data=request.get("content"), headers=_headers(request)
        ) as response,
    ):
        return {
            "statusCode": response.status,
            "headers": dict(response.headers),
            "content": await response.text(),
        }


def _headers(request: dict[str, Any]) -> dict[str, str]:
    headers = dict(request.get("headers") or {})
    if request.get("content") and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return headers
