"""The package by itself: what is in it, and that a worker finds every function with nothing else at hand."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.package import archive, byte_code
from infra.package.contents import ROOT, RULES, files
from tests.package.conftest import NotIndexedError, index, unpacked

APP = {
    "activities", "clock.py", "domain", "durable", "function_app.py", "gateways", "host.json",
    "orchestrators", "policies.yaml", "requirements.txt", "settings.py", "triggers",
}  # fmt: skip
TRIGGERS = {"httpTrigger", "timerTrigger", "activityTrigger", "orchestrationTrigger"}


def trigger(bindings):
    (found,) = [binding for binding in bindings if binding["type"] in TRIGGERS]
    return found


def test_a_worker_finds_every_function_of_the_checkout_in_the_package(of_package, of_checkout):
    assert of_package["functions"] == of_checkout["functions"]


def test_every_kind_of_trigger_is_among_them(of_package):
    kinds = Counter(trigger(bindings)["type"] for bindings in of_package["functions"].values())
    assert set(kinds) == TRIGGERS
    orchestrators = [path.read_text() for path in (ROOT / "orchestrators").glob("*.py")]
    assert kinds["orchestrationTrigger"] == sum(text.count("@orchestration(") for text in orchestrators)
    assert kinds["timerTrigger"] == (ROOT / "triggers" / "timers.py").read_text().count(
        "@blueprint.timer_trigger"
    )


def test_nothing_comes_from_anywhere_but_the_package_and_the_standard_library(of_package, libraries, package):
    standard = Path(shutil.__file__).parent
    strangers = [
        place
        for place in of_package["loaded_from"]
        if not any(
            Path(place).is_relative_to(root) for root in (libraries, package, standard, Path(__file__).parent)
        )
    ]
    assert not strangers


def test_what_stands_in_for_azure_is_not_there(of_package, libraries):
    ours = {
        name: origin
        for name, origin in of_package["tools"].items()
        if origin and str(libraries) not in origin  # a library brings a package named tests
    }
    assert not ours


def test_only_the_parts_of_the_app_are_packed():
    assert {path.parts[0] for path in files()} == APP


@pytest.mark.parametrize(
    ("left_out", "missed"),
    [
        ("clock.py", "No module named 'clock'"),
        ("durable", "No module named 'durable'"),
        ("policies.yaml", "TIDEMARK_POLICIES"),
    ],
)
def test_a_rule_too_many_is_noticed(tmp_path, libraries, left_out, missed):
    archive.build(tmp_path / "app.zip", rules=f"{RULES.read_text()}\n{left_out}\n")
    with pytest.raises(NotIndexedError, match=missed):
        index(libraries, unpacked(tmp_path / "app.zip"))


@pytest.mark.parametrize(
    "secret", ["local.settings.json", ".env", ".env.production", ".azure/x/.env", ".git/config"]
)
def test_what_may_hold_secrets_is_never_packed(tmp_path, secret):
    (tmp_path / secret).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / secret).write_text("secret")
    (tmp_path / "function_app.py").write_text("")
    assert files(tmp_path) == [Path("function_app.py")]


def test_no_library_hides_a_module_of_the_app(libraries):
    """The worker looks into the libraries first, so one of the same name would be taken for ours."""
    brought = {path.name.partition(".")[0] for path in libraries.iterdir()} | sys.stdlib_module_names
    assert not {Path(name).stem for name in APP if "." not in name or name.endswith(".py")} & brought


def test_the_libraries_lie_where_the_worker_looks(tmp_path):
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "library.py").write_text("")
    archive.build(tmp_path / "app.zip", tmp_path / "brought")
    with ZipFile(tmp_path / "app.zip") as opened:
        assert ".python_packages/lib/site-packages/library.py" in opened.namelist()


def test_the_same_files_make_the_same_zip(tmp_path):
    for name in ("one.zip", "other.zip"):
        archive.build(tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_the_byte_code_of_the_package_is_used_whatever_the_time_of_the_files_says(tmp_path):
    (tmp_path / "part.py").write_text("VALUE = 1")
    byte_code.compile_all(tmp_path)
    (compiled,) = tmp_path.rglob("*.pyc")
    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
    assert flags == 0b01  # PEP 552: by hash, not checked against the source
    assert str(tmp_path).encode() not in compiled.read_bytes()  # no path of this machine


def test_a_worker_does_not_log_every_request_to_azure(of_package):
    """The root logger of the worker is at INFO, where azure-core tells every request with its headers."""
    assert not of_package["tells_every_request"]
