"""Every event that the app writes has its alert and its page, and there is no alert for anything else.

Queries read of an event's line what the app writes there: a field of another name would match nothing, and
the alert would never fire.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.events import EventName
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

FILE, EVENTS, PAGES = "infra/alerts.json", "domain/events.py", "docs/alerts"
FIELDS = {"severity", "frequency", "window", "title", "meaning", "firesOn"}
# learn.microsoft.com/azure/azure-monitor/alerts, "Create a log search alert rule": other periods are refused.
FREQUENCIES = {f"PT{minutes}M": minutes for minutes in (1, 5, 10, 15, 30, 45)} | {
    f"PT{hours}H": 60 * hours for hours in (1, 2, 3, 4, 5, 6)
}
WINDOWS = FREQUENCIES | {"P1D": 1440, "P2D": 2880}
_WRITER = "activities/announcing.py"
_WRITERS = ("activities", "triggers", "orchestrators", "gateways")  # domain only names them


def check(project: Project) -> Result:
    """Compare events, alerts and pages, each with the others."""
    try:
        alerts = project.json(FILE)
    except (OSError, ValueError) as trouble:
        found = Finding(FILE, 1, f"the alerts cannot be read: {trouble}", "write them as one JSON object")
        return result("alerts", "0 alerts", [found])
    findings = [
        *_differences(project, alerts),
        *_forms(project, alerts),
        *_unwritten(project),
        *_pages(project),
        *_unreadable(project),
    ]
    return result("alerts", f"{len(alerts)} alerts for {len(EventName)} events", findings)


def _events() -> set[str]:
    return {str(event) for event in EventName}


def _differences(project: Project, alerts: Mapping[str, Any]) -> Iterator[Finding]:
    for name in _events() - alerts.keys():
        yield Finding(FILE, 1, f"the event {name!r} has no alert", "add one under this name")
    for name in alerts.keys() - _events():
        found = f"no event is named {name!r}"
        advice = f"remove its alert, or correct its name; the events are in {EVENTS}"
        yield Finding(FILE, project.line_of(FILE, f'"{name}"'), found, advice)


def _forms(project: Project, alerts: Mapping[str, Any]) -> Iterator[Finding]:
    for name, alert in alerts.items():
        at = project.line_of(FILE, f'"{name}"')
        if not isinstance(alert, dict) or alert.keys() != FIELDS:
            wanted = ", ".join(sorted(FIELDS))
            yield Finding(
                FILE, at, f"alert {name!r} has other fields than it must", f"give it these: {wanted}"
            )
            continue
        if alert["severity"] not in range(5):
            yield Finding(FILE, at, f"the severity of {name!r} is {alert['severity']!r}", "use 0 to 4")
        yield from _periods(at, name, alert["frequency"], alert["window"])
        fires_on = "silence" if name == EventName.HEARTBEAT else "event"
        if alert["firesOn"] != fires_on:
            found = f"alert {name!r} fires on {alert['firesOn']!r}"
            yield Finding(FILE, at, found, f"let it fire on {fires_on}: only of the heartbeat silence is bad")


def _periods(at: int, name: str, frequency: str, window: str) -> Iterator[Finding]:
    if frequency not in FREQUENCIES or window not in WINDOWS:
        known = f"frequency: {', '.join(FREQUENCIES)}; window: {', '.join(WINDOWS)}"
        yield Finding(FILE, at, f"Azure does not look for {name!r} so often, or so far back", known)
    elif FREQUENCIES[frequency] > WINDOWS[window]:
        found = f"what happens between two looks for {name!r} is not seen"
        yield Finding(FILE, at, found, "let the window be no shorter than the frequency")


def _unwritten(project: Project) -> Iterator[Finding]:
    written = {
        name for folder in _WRITERS for path in (project.app / folder).rglob("*.py") for name in _in(path)
    }
    for event in EventName:
        if event.name not in written:
            at = next(
                number
                for number, line in enumerate((project.app / EVENTS).read_text().splitlines(), 1)
                if line.strip().startswith(f"{event.name} ")
            )
            found = f"nothing in the app writes the event {str(event)!r}"
            yield Finding(EVENTS, at, found, "write it with announce(Event(…)), or remove it with its alert")


def _in(path: Path) -> Iterator[str]:
    """Yield the events that a module makes: the names X of `Event(EventName.X, …)`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event":
            for argument in node.args[:1]:
                yield from (
                    each.attr
                    for each in ast.walk(argument)
                    if isinstance(each, ast.Attribute) and ast.unparse(each.value) == "EventName"
                )


def _pages(project: Project) -> Iterator[Finding]:
    there = {path.stem for path in (project.root / PAGES).glob("*.md")}
    for name in _events() - there:
        yield Finding(f"{PAGES}/{name}.md", 1, f"the event {name!r} has no page", "say there what to do")
    for name in there - _events() - {"README"}:
        yield Finding(f"{PAGES}/{name}.md", 1, f"no event is named {name!r}", "remove the page or rename it")


def _unreadable(project: Project) -> Iterator[Finding]:
    """Yield what a query reads of the line of an event and the app does not write there."""
    written = _fields(project.app / _WRITER)
    files = [*project.bicep, *sorted((project.root / "docs").rglob("*.md"))]
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for name in re.findall(r"\bline\.([a-z]\w*)", line):
                if name not in written:
                    found = f"a query reads {name!r} of an event, which {_WRITER} does not write"
                    advice = f"read one of these: {', '.join(sorted(written))}"
                    yield Finding(project.name(path), number, found, advice)


def _fields(path: Path) -> set[str]:
    """Return the members of the line that every event has."""
    written = next(node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Dict))
    return {str(key.value) for key in written.keys if isinstance(key, ast.Constant)}
