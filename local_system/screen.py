"""What the demo prints: numbered steps, short paragraphs, and bars that move where there is a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

WIDEST = 92
INDENT = "   "
BAR = 20

_BOLD, _DIM, _GREEN, _RED, _CYAN = "1", "2", "32", "31", "36"


@dataclass(frozen=True)
class Row:
    """One line of progress: whose, how far (0 to 100), and what is going on."""

    label: str
    percent: float
    note: str


class Screen:
    """Writes to a terminal, or plainly to anything else; NO_COLOR and TERM=dumb are honoured."""

    def __init__(self, out: TextIO = sys.stdout, environment: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self._moves = out.isatty() and environment.get("TERM", "dumb") != "dumb"
        self._has_colour = self._moves and not environment.get("NO_COLOR")
        self._width = min(shutil.get_terminal_size((WIDEST, 24)).columns - 1, WIDEST)
        self._steps = 0
        self.current = ""  # the heading of the step that is being told
        self._drawn: tuple[Row, ...] = ()
        self._lines: list[str] = []  # that the bars on a terminal take
        self._full, self._empty = ("█", "░") if _can_write(out, "█░✓✗") else ("#", ".")
        self._good, self._bad = ("✓", "✗") if _can_write(out, "█░✓✗") else ("ok", "NOT OK")

    def title(self, text: str) -> None:
        """Write what all of it is about."""
        self._line()
        self._line(self._styled(text, _BOLD))

    def step(self, text: str) -> None:
        """Begin the next numbered step."""
        self._steps += 1
        self.current = f"{self._steps}. {text}"
        self._line()
        self._line(self._styled(self.current, _BOLD, _CYAN))

    def say(self, text: str) -> None:
        """Write a paragraph."""
        for line in textwrap.wrap(text, self._width - len(INDENT), break_on_hyphens=False):
            self._line(INDENT + line)

    def show(self, *lines: str) -> None:
        """Write lines as they are: commands, file contents."""
        for line in lines:
            self._line(INDENT * 2 + self._styled(line, _DIM))

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows with their columns aligned."""
        rows = [tuple(row) for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self._line((INDENT * 2 + "  ".join(cells)).rstrip())

    def verdict(self, text: str, is_good: bool = True) -> None:
        """Write what a check came to."""
        mark = self._styled(self._good, _GREEN) if is_good else self._styled(self._bad, _RED, _BOLD)
        self._line(f"{INDENT}{mark} {text}")

    def failure(self, text: str) -> None:
        """Write why nothing more will come."""
        self.end_progress()
        self._line()
        for line in text.splitlines():
            self._line(self._styled(line, _RED))

    def progress(self, rows: Sequence[Row], moment: str) -> None:
        """Draw bars as they are at a moment: over the last ones on a terminal; elsewhere only those that have
        changed, one a line.
        """
        rows = tuple(rows)
        width = max((len(row.label) for row in rows), default=0)
        if self._moves:
            lines = [self._styled(moment, _DIM), *(self._bar(row, width) for row in rows)]
            self._redraw([INDENT * 2 + line for line in lines])
        else:
            for row in rows:
                if row not in self._drawn:
                    label = row.label.ljust(width)
                    self._line(f"{INDENT * 2}{moment}  {label} {row.percent:3.0f} %  {row.note}")
        self._drawn = rows

    def end_progress(self) -> None:
        """Leave the bars as they are; what follows comes below."""
        self._drawn = ()
        self._lines = []

    def _redraw(self, lines: list[str]) -> None:
        if lines == self._lines:
            return
        up = f"\x1b[{len(self._lines)}A" if self._lines else ""
        self._out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._out.flush()
        self._lines = lines

    def _bar(self, row: Row, width: int) -> str:
        # A line that wraps would be two, and the next bars be drawn in the wrong place.
        room = max(self._width - len(INDENT) * 2 - len("  100 %  "), 0)
        width = min(width, room)
        length = min(BAR, room - width)
        done = round(length * min(row.percent, 100) / 100)
        bar = self._styled(self._full * done, _GREEN) + self._styled(self._empty * (length - done), _DIM)
        note = row.note[: room - width - length]
        return f"{row.label[:width]:<{width}} {bar} {row.percent:3.0f} %  {note}"

    def _styled(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._has_colour and text else text

    def _line(self, text: str = "") -> None:
        self._out.write(f"{text}\n")
        self._out.flush()


def _can_write(out: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(out, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
