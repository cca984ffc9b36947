"""What the answers of the storage service mean, where they come over the wire instead of the SDK.

The code stands in the header `x-ms-error-code`, or in the XML of the body ("Status and error codes", Azure
Storage REST). Other elements of that XML repeat headers of the request, SAS included, and are not told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from html import unescape

from domain.errors import CloudError
from gateways.failures import classified
from gateways.http_connection import Answer

_ELEMENT = re.compile(r"<(?P<name>Code|Message)>(?P<text>.*?)</(?P=name)>", re.DOTALL)
_SIGNATURE = re.compile(r"sig=[^&\s\"'<>]*", re.IGNORECASE)


def expect(answer: Answer, what: str, statuses: Collection[int]) -> Answer:
    """Return the answer if it has one of these statuses; else raise what its failure means in the domain.

    `what` says in the message what was done to which thing.
    """
    if answer.status in statuses:
        return answer
    raise failure_of(answer, what)


def failure_of(answer: Answer, what: str) -> CloudError:
    """Return the domain's error for an answer that is not what was asked for."""
    told = _told(answer.content)
    code = answer.headers.get("x-ms-error-code") or told.get("Code") or str(answer.status)
    words = next(iter(told.get("Message", "").splitlines()), "no reason given")
    source = answer.headers.get("x-ms-copy-source-error-code") or answer.headers.get(
        "x-ms-copy-source-status-code"
    )
    said = f"{words} (of the source: {source})" if source else words
    message = _SIGNATURE.sub("(a signature)", f"{what}: {code}: {said}")
    return classified(answer.status, code, message, words, answer.headers)


def _told(content: bytes) -> dict[str, str]:
    text = content[:65536].decode("utf-8", "replace").lstrip("\ufeff")
    if text.startswith("{"):
        try:
            error = json.loads(text).get("error", {})
            return {"Code": str(error["code"]), "Message": str(error["message"])}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}
    return {match["name"]: unescape(match["text"]) for match in _ELEMENT.finditer(text)}
