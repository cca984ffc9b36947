"""The arrows between the layers hold, and rooms stay small enough to live in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {
    "activities", "bench", "clock", "demo", "domain", "durable", "function_app", "gateways", "infra",
    "local_host", "local_system", "orchestrators", "settings", "simulator", "tests", "triggers",
}  # fmt: skip
# What each part may import of ours; the arrows go triggers → orchestrators → activities → gateways → domain.
MAY_IMPORT = {
    "domain": {"domain"},
    "clock": set(),
    "settings": {"domain"},
    "durable": {"durable", "domain"},
    "gateways": {"gateways", "domain", "settings", "clock"},
    "activities": {"activities", "gateways", "domain", "durable"},
    "orchestrators": {"orchestrators", "activities", "domain", "durable"},
    "triggers": {"triggers", "activities", "gateways", "domain", "durable", "settings"},
    "function_app": {"triggers", "orchestrators", "activities", "gateways"},
    "simulator": {"simulator", "clock"},
    "local_host": {"local_host", "clock"},
    "local_system": {"local_system", "simulator", "clock", "domain", "infra.deployed_roles"},
    "demo": {"local_system"},
    "infra": {"infra", "domain", "gateways.actions", "settings"},
}
# Who may know Azure's SDKs beside the gateways: the seam and the blueprints know Functions, not Azure.
AZURE_FOR = {
    "gateways": {"azure"},
    "durable": {"azure.durable_functions"},
    "activities": {"azure.durable_functions"},
    "orchestrators": {"azure.durable_functions"},
    "triggers": {"azure.durable_functions", "azure.functions"},
    "function_app": {"azure.durable_functions", "azure.functions"},
    "domain": set(),
    "settings": set(),
    "clock": set(),
    "local_system": {"azure.core", "azure.storage.blob"},
    "demo": set(),
}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40


def modules(part: str) -> list[Path]:
    folder = ROOT / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{part}.py"]


def imports(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module.relative_to(ROOT)}: relative imports hide the arrows"
            found |= {node.module}
    return found


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_lies_below_it(part):
    for module in modules(part):
        wrong = {
            name
            for name in imports(module) - MAY_IMPORT[part]
            if name.split(".")[0] in OURS - MAY_IMPORT[part]
        }
        assert not wrong, f"{module.relative_to(ROOT)} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("part", AZURE_FOR)
def test_only_gateways_know_azure(part):
    for module in modules(part):
        azure = {name for name in imports(module) if name.split(".")[0] == "azure"}
        wrong = {
            name for name in azure if not any((name + ".").startswith(may + ".") for may in AZURE_FOR[part])
        }
        assert not wrong, f"{module.relative_to(ROOT)} must not import {', '.join(sorted(wrong))}"


def test_orchestrators_take_names_and_types_from_activities_never_gateways_through_them():
    for module in modules("orchestrators"):
        taken = [
            name.name
            for node in ast.walk(ast.parse(module.read_text()))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("activities")
            for name in node.names
        ]
        assert "cloud" not in taken, f"{module.name} reaches a gateway through an activity's module"


def test_every_folder_of_code_has_its_arrows_checked():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert folders <= set(MAY_IMPORT)


@pytest.mark.parametrize("part", [*MAY_IMPORT, "tests"])
def test_modules_and_functions_stay_small(part):
    too_large = []
    for module in modules(part):
        text, where = module.read_text(), module.relative_to(ROOT).as_posix()
        if text.count("\n") > LONGEST_MODULE:
            too_large.append(where)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    too_large.append(f"{where}: {node.name}")
    assert not too_large, "too large to live in: split it by concept"
