"""Sizes and spans of time as people read them."""

from __future__ import annotations

from datetime import timedelta


def size_text(size_bytes: int) -> str:
    """Write a number of bytes in the unit that suits it: 84.0 KiB."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def span_text(span: timedelta) -> str:
    """Write a span of time in the two largest units that it has: 10 h 3 min."""
    seconds = round(span.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
