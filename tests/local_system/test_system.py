"""A local system comes up whole, says what keeps it from doing so, and goes away without a trace."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_system.api import ApiFailed
from local_system.controls import Controls, Unusable
from local_system.failures import LocalSystemFailed
from local_system.following import Follower
from local_system.function_host import has_core_tools
from local_system.policies import HOME
from local_system.running import run
from local_system.screen import Screen
from local_system.system import LocalSystem
from local_system.web_server import WebServer
from simulator.wire import Request

BEGINS = datetime(2026, 3, 2, 16, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    with closing(LocalSystem(begins=BEGINS, parent=tmp_path_factory.mktemp("system"))) as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def machine(system: LocalSystem) -> WebServer:
    return WebServer(system.cloud, system.directory.path / "web")


@pytest.fixture
def controls(system: LocalSystem, machine: WebServer) -> Controls:
    return Controls(system, machine)


def broken_app(directory: Path) -> Path:
    app = directory / "app"
    app.mkdir()
    (app / "function_app.py").write_text("raise RuntimeError('this app is broken')\n")
    (app / "host.json").write_text('{"version": "2.0"}')
    return app


def test_the_app_answers_who_has_the_token_and_nobody_else(system):
    assert system.api.get("health")["policies"] == ["daily"]
    stranger = type(system.api)(system.api.url, "another token")
    with pytest.raises(ApiFailed, match="401") as refused:
        stranger.get("health")
    assert refused.value.status == 401


def test_a_host_that_was_killed_goes_on_where_it_was(system, machine):
    asked = system.api.post("backups", {"vm": machine.id})
    system.host.kill()
    with pytest.raises(ApiFailed, match="no answer"):
        system.api.get("health")
    system.host.start()
    assert system.api.get(f"operations/{asked['id']}")["kind"] == "backup"


def test_a_backup_that_fails_is_told_with_its_reason_and_its_step(system):
    system.set_speed(60)
    other = system.cloud.add_virtual_machine("other", HOME, "production", {"os": 64 << 20})
    system.cloud.faults.fail("PUT", "/snapshots/other-", status=403, code="AuthorizationFailed")
    asked = system.api.post("backups", {"vm": other.id, "policy": "daily"})
    follower = Follower(system.api, Screen(io.StringIO(), {}), system.clock, "north")
    with pytest.raises(LocalSystemFailed, match=r"\(backup\) failed: disk 'other-os': ") as failed:
        follower.backup(asked["id"])
    assert "A planted fault." in failed.value.reason
    system.cloud.faults.verify_all_met()


def test_a_clock_that_is_moved_is_moved_for_all(system, controls):
    before = system.clock.now()
    assert controls.carry_out("jump 2d").startswith("It is 2026-03-0")
    assert system.clock.now() - before >= timedelta(days=2)
    assert system.cloud.clock.now() - before >= timedelta(days=2)


def test_controls_are_reached_by_the_simulators_own_routes(system, controls):
    answer = controls.answer(Request.of("POST", f"{system.azure.url}/simulator/clock/60"))
    assert answer.status == 200
    assert b"passes 60 times as fast" in bytes(answer.body)
    assert controls.answer(Request.of("GET", f"{system.azure.url}/simulator/clock/60")).status == 405
    refused = controls.answer(Request.of("POST", f"{system.azure.url}/simulator/explode"))
    assert refused.status == 400
    assert b"There is no command 'explode'" in bytes(refused.body)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("jump yesterday", "write 30m, 10h or 2d"),
        ("clock nan", "write a number from 0"),
        ("clock -1", "write a number from 0"),
        ("lose northeurope", "the home region is westeurope"),
        ("", "there are change, jump, clock, meter, lose"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_explained(controls, line, why):
    with pytest.raises(Unusable, match=why):
        controls.carry_out(line)


def test_losing_the_home_region_takes_its_machines_and_its_storage_and_leaves_the_app(tmp_path):
    with closing(LocalSystem(begins=BEGINS, parent=tmp_path / "systems")) as system:
        system.start()
        machine = WebServer(system.cloud, system.directory.path / "web")
        controls = Controls(system, machine)
        assert (system.azure.ask(machine.id), system.ask_home_storage()) == ("200 OK", "200 OK")
        controls.carry_out(f"lose {HOME}")
        assert system.azure.ask(machine.id) != "200 OK"
        assert system.ask_home_storage() == "no answer"
        assert system.api.get("health")["locations"] == ["west", "north", "vault"]
        with pytest.raises(Unusable, match="nobody can write to its disks"):
            controls.carry_out("change")
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_was_never_started_ends_as_well(tmp_path):
    system = LocalSystem(parent=tmp_path)
    system.stop()
    system.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_system_ended_while_it_starts_is_gone(tmp_path):
    system = LocalSystem(parent=tmp_path / "systems")
    failures: list[BaseException] = []

    def start() -> None:
        try:
            system.start()
        except BaseException as failure:
            failures.append(failure)

    starting = threading.Thread(target=start)
    starting.start()
    while not system.directory.path.exists():
        time.sleep(0.001)
    system.stop()
    starting.join(30)
    system.stop()  # for what came up in between
    assert not starting.is_alive()
    assert not (tmp_path / "systems").exists()


def test_an_app_that_does_not_load_is_told_with_its_reason_and_only_that_log_is_kept(tmp_path):
    told = io.StringIO()
    system = LocalSystem(app=broken_app(tmp_path), parent=tmp_path / "systems")
    status = run(system, Screen(told, {}), system.start)
    assert status == 1
    assert "Starting the function app on the local host failed: it ended with status 1" in told.getvalue()
    assert "RuntimeError: this app is broken" in told.getvalue()
    kept = tmp_path / "systems" / "function-host.log"
    assert f"Its log: {kept}" in told.getvalue()
    assert [path for path in (tmp_path / "systems").rglob("*") if path.is_file()] == [kept]


def test_core_tools_are_given_their_port_their_storage_and_no_clock(tmp_path, monkeypatch):
    # Core Tools themselves cannot be run here; this stands in for them as far as their command line goes.
    stand_in = tmp_path / "func"
    stand_in.write_text(
        "#!/bin/sh\n"
        'test "$1 $2" = "start --port" && test -n "$AzureWebJobsStorage" || exit 9\n'
        'test -z "$TIDEMARK_CLOCK" || exit 9\n'
        f'exec {sys.executable} -m local_host --port "$3" --database {tmp_path / "func.sqlite"}\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert has_core_tools()
    with closing(LocalSystem(with_core_tools=True, parent=tmp_path / "systems")) as system:
        system.start()
        assert system.api.get("health")["policies"] == ["daily"]
        with pytest.raises(LocalSystemFailed, match="Core Tools know no clock but the computer's"):
            system.pass_time(timedelta(hours=1))
    assert not (tmp_path / "systems").exists()


def test_a_failure_in_the_story_names_its_step_and_keeps_the_hosts_log(tmp_path):
    told = io.StringIO()
    system = LocalSystem(parent=tmp_path / "systems")

    screen = Screen(told, {})

    def story() -> None:
        system.start()
        screen.step("The disks come back")
        raise LocalSystemFailed("Comparing restored disk a with b", "their bytes differ")

    assert run(system, screen, story) == 1
    assert (
        "Step 1. The disks come back: Comparing restored disk a with b failed: their bytes differ"
        in told.getvalue()
    )
    kept = tmp_path / "systems" / "function-host.log"
    assert "Listening on" in kept.read_text()
    assert [path for path in (tmp_path / "systems").rglob("*") if path.is_file()] == [kept]
