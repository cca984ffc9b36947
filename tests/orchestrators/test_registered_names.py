"""Azure hangs without a word on a step that is not registered, so every name that is called must be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from durable.registration import STEPS
from local_host.app import load_app

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def app():
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TIDEMARK_CATALOGUE", "https://catalogue.table.core.windows.net")
        environment.setenv("TIDEMARK_DEVELOPMENT_TOKEN", "no identity signs in")
        return load_app(ROOT)


def test_every_step_is_registered_under_the_name_of_its_function(app):
    ours = [step for step in STEPS.values() if not step.function.__module__.startswith("tests.")]
    names = {step.name for step in ours}
    assert names <= {name for name in (*app.activities, *app.orchestrators)} | {
        function.name for function in (*app.activities.values(), *app.orchestrators.values())
    }


def test_every_orchestration_that_is_started_by_name_is_registered(app):
    orchestrators = {function.name for function in app.orchestrators.values()}
    started = {
        node.args[0].value
        for part in ("orchestrators", "activities", "triggers", "domain")
        for module in sorted((ROOT / part).rglob("*.py"))
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in ("Start", "Plan")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert {"backup_vm", "replicate_disk", "backup_fleet", "restore"} <= started
    assert started <= orchestrators
