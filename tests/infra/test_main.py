"""The command tells what it found and what it looked at, and its status says whether all is well."""

from __future__ import annotations

import pytest

from infra.checks import __main__ as command
from infra.checks.project import ROOT
from infra.checks.results import Finding, Result, not_looked, result


@pytest.fixture
def results(monkeypatch):
    def come_to(*each: Result) -> None:
        monkeypatch.setattr(command, "CHECKS", [lambda _, one=one: one for one in each])

    return come_to


WRONG = Finding("infra/main.bicep", 12, "the parameter 'x' is not used", "remove it, or use it")


def test_a_finding_is_told_with_its_place_and_ends_with_status_1(results, capsys):
    results(result("names", "3 names", [WRONG]), not_looked("resource types", "no types were given"))
    assert command.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "infra/main.bicep:12: the parameter 'x' is not used; remove it, or use it",
        "infra: looked at names (3 names).",
        "infra: did not look at resource types (no types were given).",
    ]


def test_a_warning_is_told_and_ends_well(results, capsys):
    results(result("names", "3 names", [Finding("a", 1, "b", "c", is_warning=True)]))
    assert command.main([]) == 0
    assert "a:1: warning: b; c" in capsys.readouterr().out


def test_nothing_found_ends_well(results):
    results(result("names", "3 names", []))
    assert command.main([]) == 0


def test_every_check_there_is_takes_part():
    modules = {path.stem for path in (ROOT / "infra/checks").glob("*.py")}
    checking = {
        name
        for name in modules
        if "\ndef check(project: Project)" in (ROOT / f"infra/checks/{name}.py").read_text()
    }
    assert {each.__module__.rpartition(".")[2] for each in command.CHECKS} == checking
