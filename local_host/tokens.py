"""What .NET does to JSON on its way: dates are rewritten.

The extension parses the SDK's answer with JObject.Parse, which takes texts that look like ISO dates for dates
and writes them back in its own form. Outputs and custom statuses pass that way, inputs and activity results
do not (contract §7.7; derived from the source, not confirmed on Azure). So a date that comes back is the same
moment, but not always the same text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?")


def as_newtonsoft_reads(value: Any) -> Any:
    """Return JSON with the texts that are ISO dates as JObject.Parse and ToString leave them."""
    if isinstance(value, str):
        return _rewritten(value)
    if isinstance(value, list):
        return [as_newtonsoft_reads(item) for item in value]
    if isinstance(value, dict):
        return {name: as_newtonsoft_reads(item) for name, item in value.items()}
    return value


def _rewritten(text: str) -> str:
    """Trailing zeros of the fraction go; an offset becomes that of the host, which in Azure is UTC."""
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    seconds, fraction, offset = match.groups()
    try:
        when = datetime.fromisoformat(seconds + (offset or ""))
    except ValueError:
        return text  # looks like a date and is none
    if offset and offset != "Z":
        seconds, offset = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "+00:00"
    fraction = (fraction or "").rstrip("0").rstrip(".")
    return f"{seconds}{fraction}{offset or ''}"
