"""Events, alerts and their pages go together."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from domain.events import EventName
from infra.checks import alerts
from infra.checks.project import ROOT

FILE = alerts.FILE


def told(planted):
    return [str(finding) for finding in planted.findings(alerts.check)]


def test_every_event_has_its_alert_and_its_page_and_is_written(planted):
    assert told(planted) == []


@pytest.mark.parametrize("event", EventName)
def test_an_event_that_gets_another_name_is_found_both_ways(planted, event):
    planted.change(FILE, f'"{event}"', '"renamed"')
    found = told(planted)
    assert any(f"the event '{event}' has no alert" in line for line in found)
    assert any("no event is named 'renamed'" in line for line in found)


def test_a_page_that_is_missing_is_found(planted):
    (planted.project.root / "docs/alerts/copy_failed.md").unlink()
    assert told(planted) == [
        "docs/alerts/copy_failed.md:1: the event 'copy_failed' has no page; say there what to do"
    ]


def test_a_page_of_no_event_is_found(planted):
    (planted.project.root / "docs/alerts/copy_lost.md").write_text("# Lost")
    [finding] = told(planted)
    assert finding.startswith("docs/alerts/copy_lost.md:1: no event is named 'copy_lost'")


def test_an_event_that_nothing_writes_is_found(planted, tmp_path):
    app = tmp_path / "app"
    for folder in ("activities", "domain"):
        shutil.copytree(ROOT / folder, app / folder, ignore=shutil.ignore_patterns("__pycache__"))
    settling = app / "activities/settling.py"
    settling.write_text(settling.read_text().replace("EventName.COPY_FAILED", "EventName.COPY_STALLED"))
    planted.project = replace(planted.project, app=app)
    [finding] = told(planted)
    assert finding.startswith("domain/events.py:")
    assert "nothing in the app writes the event 'copy_failed'" in finding


@pytest.mark.parametrize("name", ["event", "subject", "message"])
def test_a_query_for_a_field_that_no_event_has_is_found(planted, name):
    line = planted.change("infra/alerts.bicep", f"line.{name}", "line.named")
    assert told(planted)[0].startswith(f"infra/alerts.bicep:{line}: a query reads 'named' of an event")


def test_a_field_that_the_app_writes_under_another_name_is_found(planted, tmp_path):
    app = tmp_path / "app"
    for folder in ("activities", "domain"):
        shutil.copytree(ROOT / folder, app / folder, ignore=shutil.ignore_patterns("__pycache__"))
    announcing = app / "activities/announcing.py"
    announcing.write_text(announcing.read_text().replace('"event": event.name', '"name": event.name'))
    planted.project = replace(planted.project, app=app)
    assert any("a query reads 'event' of an event" in line for line in told(planted))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"severity": 7}, "the severity of 'copy_failed' is 7"),
        ({"firesOn": "silence"}, "alert 'copy_failed' fires on 'silence'"),
        ({"frequency": "PT7M"}, "Azure does not look for 'copy_failed' so often"),
        ({"window": "PT24H"}, "Azure does not look for 'copy_failed' so often, or so far back"),
        ({"frequency": "PT1H"}, "what happens between two looks for 'copy_failed' is not seen"),
        ({"more": 1}, "alert 'copy_failed' has other fields than it must"),
    ],
)
def test_what_is_no_alert_is_found(planted, change, found):
    planted.change_json(FILE, lambda data: data["copy_failed"].update(change))
    [finding] = told(planted)
    assert found in finding
