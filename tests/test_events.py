"""Alerts are built on events: each is written by the app, and each is in the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.events import EventName

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", EventName)
def test_every_event_is_written_by_a_step(name):
    steps = "\n".join(module.read_text() for module in (ROOT / "activities").glob("*.py"))
    assert f"EventName.{name.name}" in steps


def test_the_readme_has_every_event_and_no_other():
    section = (ROOT / "README.md").read_text().split("## What it tells")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(EventName)
