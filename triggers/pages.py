"""Lists come in pages: as many as asked for, and a link to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

Item = TypeVar("Item")


def cut(
    found: Sequence[Item], limit: int, path: str, key: Callable[[Item], str], **same: str
) -> tuple[list[Item], str | None]:
    """Cut a page from what was found, which is one more than fits if there is a next page.

    Returns the page and the link to the next one: the path, the parameters that stay the same, and `after`,
    the key of the page's last item.
    """
    page = list(found[:limit])
    if len(found) <= limit:
        return page, None
    query = urlencode({**same, "limit": limit, "after": key(page[-1])}, safe="~:")
    return page, f"{path}?{query}"
