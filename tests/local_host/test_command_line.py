"""python -m local_host"""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from clock import SharedClock
from tests.local_host.client import call
from tests.local_host.conftest import APPS, START

ROOT = Path(__file__).parents[2]


def command(*arguments):
    return [sys.executable, "-m", "local_host", *map(str, arguments)]


@pytest.fixture
def start(tmp_path):
    """Start a host in a process; gives its address and what it printed."""
    processes = []

    def run(*arguments):
        process = subprocess.Popen(
            command("--port", 0, "--database", tmp_path / "h.sqlite", *arguments),
            cwd=ROOT,
            env={**os.environ, "STORY_NOTES": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        printed = ""
        assert process.stdout is not None
        for line in process.stdout:
            printed += line
            if line.startswith("Listening on "):
                return process, line.split()[2], printed
        raise AssertionError("the host ended before it listened")

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_functions_serves_and_ends_on_a_signal(start, number):
    process, url, printed = start("--app", APPS / "story")
    assert f"start: [POST] {url}/api/start/{{name}}/{{id?}} (anonymous)" in printed
    assert "rounds: orchestrationTrigger" in printed
    key = next(line.split(": ")[1] for line in printed.splitlines() if line.startswith("Function key"))
    assert call("GET", f"{url}/api/version?code={key}").json == {"version": 1}
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_signal_does_not_wait_for_an_activity(start, tmp_path, monkeypatch):
    monkeypatch.setenv("STORY_WORK_SECONDS", "600")
    process, url, _ = start("--app", APPS / "story")
    given = {"round": 1, "rounds": 1, "jobs": 1, "patience": 1, "barrier": False}
    started = call("POST", f"{url}/api/start/rounds/r", given).json
    await_status(started["statusQueryGetUri"], lambda _: (tmp_path / "r-1-0").exists())  # the activity runs
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_once_does_what_is_ready_and_ends(start, tmp_path):
    process, _, _ = start("--app", APPS / "story", "--once")
    assert process.wait(20) == 0


def test_a_shared_clock_is_followed_when_another_process_moves_it(start, tmp_path):
    clock = SharedClock.create(tmp_path / "clock.json", START, factor=0)
    _, url, _ = start("--app", APPS / "story", "--clock", tmp_path / "clock.json")
    given = {"round": 1, "rounds": 1, "jobs": 1, "patience": 86400, "barrier": True}
    started = call("POST", f"{url}/api/start/rounds/r", given).json
    await_status(
        started["statusQueryGetUri"], lambda status: (status["customStatus"] or {}).get("phase") == "race"
    )
    clock.move_to(START + timedelta(days=2))
    status = await_status(started["statusQueryGetUri"], lambda status: status["runtimeStatus"] == "Completed")
    assert status["lastUpdatedTime"] == "2026-03-03T00:00:00Z"


def await_status(url, condition):
    """Ask until the status is as wanted; the test's time limit ends it otherwise."""
    while True:
        status = call("GET", url).json
        if condition(status):
            return status


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--app", APPS / "broken"], "cannot be imported: RuntimeError: policies.yaml, line 3"),
        (["--app", APPS], "There is no function_app.py"),
        (["--app", "/does/not/exist"], "No such file or directory"),
    ],
)
def test_a_start_that_fails_says_why_in_one_line(arguments, problem, tmp_path):
    done = subprocess.run(
        command("--database", tmp_path / "h.sqlite", *arguments), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_a_start_that_fails_says_where_if_it_is_asked_to_be_verbose(tmp_path):
    arguments = command("--database", tmp_path / "h.sqlite", "--app", APPS / "broken", "--verbose")
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert 'broken/function_app.py", line 3' in done.stderr
    assert "cannot be imported: RuntimeError: policies.yaml, line 3" in done.stderr.splitlines()[-1]


def test_help_names_every_option():
    done = subprocess.run(command("--help"), cwd=ROOT, capture_output=True, text=True)
    for option in (
        "--app",
        "--database",
        "--port",
        "--clock",
        "--workers",
        "--no-timers",
        "--once",
        "--verbose",
    ):
        assert option in done.stdout
    assert done.stderr == ""
