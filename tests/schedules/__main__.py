"""Plays random schedules; see running.py."""

from __future__ import annotations

import sys

from tests.schedules.running import main

if __name__ == "__main__":
    sys.exit(main())
