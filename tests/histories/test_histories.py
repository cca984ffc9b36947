"""Orchestrations that are under way when a new version is deployed go on: stored histories replay."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from durable import Done
from local_host.app import LoadedApp, load_app
from local_host.determinism import check_history
from local_host.history import Event, EventType, started_event

ROOT = Path(__file__).parent.parent.parent
STORED = sorted(Path(__file__).parent.glob("*.json"))


@pytest.fixture(scope="module")
def app() -> Iterator[LoadedApp]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TIDEMARK_CATALOGUE", "https://catalogue.table.core.windows.net")
        environment.setenv("TIDEMARK_DEVELOPMENT_TOKEN", "no identity signs in")
        yield load_app(ROOT)


def stored(name: str) -> list[Event]:
    history: list[Event] = json.loads((ROOT / "tests" / "histories" / f"{name}.json").read_text())
    return history


def test_every_orchestration_has_a_stored_history_under_its_name(app):
    assert {path.stem for path in STORED} == {function.name for function in app.orchestrators.values()}
    for path in STORED:
        started = started_event(stored(path.stem))
        assert started is not None
        assert started["Name"] == path.stem


@pytest.mark.parametrize("name", [path.stem for path in STORED])
def test_a_stored_history_replays(app, name):
    assert check_history(app, stored(name)) == []


@pytest.mark.parametrize("name", [path.stem for path in STORED])
def test_a_history_that_ends_anywhere_replays_so_far(app, name):
    """Whoever deploys meets an orchestration in the middle of its work."""
    history = stored(name)
    ends = [
        place
        for place, event in enumerate(history, start=1)
        if event["EventType"] == EventType.ORCHESTRATOR_COMPLETED
    ]
    assert len(ends) > 2
    for end in ends:
        assert check_history(app, history[:end]) == []


def without(result: Any) -> Callable[..., Any]:
    """Return a step that asks for nothing and comes to a result at once."""

    def nothing(*_: Any, **__: Any) -> Any:
        return result
        yield

    return nothing


def unchanged(*given: Any) -> Any:
    """Ask for nothing, and come to what was given last."""
    return given[-1]
    yield


# What is left out or changed of each orchestration: where, what, and what stands in its place.
CHANGES = {
    "backup_fleet": ("sweep", without(None)),
    "backup_vm": ("send", without(None)),
    "prune_fleet": ("gather", without([Done(0)])),
    "prune_vm": ("delete_all", without([])),
    "purge_history": ("DAYS_APART", 6),
    "replicate_disk": ("watch", without(None)),
    "restore": ("add_machine", unchanged),
    "restore_from_blob": ("make_disk", without(None)),
    "verify_fleet": ("MOST_CHILDREN", 1),
    "verify_replica": ("compare", unchanged),
}


@pytest.mark.parametrize("name", [path.stem for path in STORED])
def test_an_orchestration_with_a_step_left_out_is_found(app, name, monkeypatch):
    what, instead = CHANGES[name]
    monkeypatch.setattr(f"orchestrators.{name}.{what}", instead)
    problems = check_history(app, stored(name))
    assert problems
    assert problems[0].startswith(f"{name}, episode ")
