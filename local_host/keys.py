"""Access keys of a host: made once per database, printed at the start.

As in Azure: the function key opens functions of level `function`, the master key everything, the system key
of the Durable extension its web hooks.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from aiohttp import web

from local_host.store import Store


@dataclass(frozen=True)
class Keys:
    """The three keys."""

    function: str
    master: str
    durable: str

    @classmethod
    def of(cls, store: Store) -> Keys:
        """Read the keys of a database, or make them."""
        with store.transaction() as database:
            for name in ("function", "master", "durable"):
                database.execute(
                    "INSERT OR IGNORE INTO keys (name, value) VALUES (?, ?)",
                    (name, secrets.token_urlsafe(40)),
                )
            return cls(**dict(database.execute("SELECT name, value FROM keys")))

    def allow(self, request: web.BaseRequest, level: str) -> bool:
        """Check the key of a request, in the header x-functions-key or the parameter `code`.

        `level` is anonymous, function, admin, or durable for the web hooks.
        """
        accepted = {
            "function": [self.function, self.master],
            "admin": [self.master],
            "durable": [self.durable, self.master],
        }
        if level == "anonymous":
            return True
        given = request.headers.get("x-functions-key") or request.query.get("code") or ""
        return any(hmac.compare_digest(given.encode(), key.encode()) for key in accepted[level])
