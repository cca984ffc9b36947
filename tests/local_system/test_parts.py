"""The small parts of a local system: signals, directories, children, the screen."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from local_system import tether
from local_system.child import Child
from local_system.interruption import SIGNALS, Interrupted, interruptible
from local_system.screen import Row, Screen
from local_system.sizes import size_text, span_text
from local_system.starting import Starting
from local_system.working_directory import WorkingDirectory


@contextmanager
def handlers_restored():
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_the_first_signal_interrupts_and_the_second_does_not_disturb_the_tidying():
    tidied = []

    def work() -> None:
        with interruptible():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGINT)
                tidied.append(True)

    with handlers_restored():
        with pytest.raises(Interrupted, match="SIGTERM") as interrupted:
            work()
        signal.raise_signal(signal.SIGINT)
    assert tidied == [True]
    assert interrupted.value.status == 143


class Slow:
    """A component that takes its time to start, and notes what happens to it."""

    def __init__(self) -> None:
        self.is_up = False
        self.may_go_on = threading.Event()

    def start(self) -> None:
        self.may_go_on.wait(10)
        self.is_up = True

    def stop(self) -> None:
        self.may_go_on.set()
        self.is_up = False


def test_a_component_that_is_coming_up_is_ended_when_it_is_up():
    component = Slow()
    starting = Starting(component)
    starting.begin()
    starting.end()
    assert not component.is_up


def test_a_component_that_was_never_begun_can_be_ended():
    component = Slow()
    starting = Starting(component)
    starting.end()
    starting.begin()
    starting.await_up()
    assert not component.is_up


def test_a_directory_of_a_process_that_is_gone_is_removed_by_the_next(tmp_path):
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    abandoned = tmp_path / f"run-{int(gone.stdout)}-1"
    abandoned.mkdir()
    mine = WorkingDirectory(tmp_path)
    mine.make()
    other = WorkingDirectory(tmp_path)
    other.make()
    assert sorted(tmp_path.iterdir()) == sorted([mine.path, other.path])
    mine.remove()
    mine.remove()
    assert list(tmp_path.iterdir()) == [other.path]
    other.remove()
    assert not tmp_path.exists()


def test_temporary_files_lie_in_the_directory_and_go_with_it(tmp_path):
    before = tempfile.gettempdir()
    directory = WorkingDirectory(tmp_path)
    directory.make()
    nobody_knows_it = tempfile.mkdtemp()
    assert os.path.dirname(nobody_knows_it) == str(directory.path)
    directory.remove()
    assert not tmp_path.exists()
    assert tempfile.gettempdir() == before


def test_a_log_that_is_kept_outlives_its_directory(tmp_path):
    directory = WorkingDirectory(tmp_path)
    directory.make()
    (directory.path / "a.log").write_text("why")
    kept = directory.keep(directory.path / "a.log")
    directory.remove()
    assert [(path, path.read_text()) for path in tmp_path.iterdir()] == [(kept, "why")]


def test_a_child_says_how_it_ended_and_what_it_printed(tmp_path):
    child = Child(
        [sys.executable, "-c", "print('hello'); raise SystemExit(3)"], tmp_path / "log", tmp_path, os.environ
    )
    child.start()
    while child.end is None:
        time.sleep(0.01)
    assert child.end == "it ended with status 3"
    assert child.tail() == "hello"
    child.stop()
    assert child.end == "it was stopped"


def test_a_tethered_program_ends_when_its_parent_lets_go():
    program = "import time; print('up', flush=True); time.sleep(60)"
    tethered = subprocess.Popen(
        [sys.executable, "-I", tether.__file__, sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with tethered:
        assert tethered.stdout is not None
        assert tethered.stdout.readline() == b"up\n"
        assert tethered.stdin is not None
        tethered.stdin.close()
        assert tethered.wait(10) == 128 + signal.SIGTERM


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


ROWS = [Row("web-os", 50, "copying"), Row("web-site", 0, "waits")]


def test_bars_are_drawn_over_the_last_ones_on_a_terminal():
    out = Terminal()
    screen = Screen(out, {"TERM": "xterm"})
    screen.progress(ROWS, "02:00:01")
    screen.progress(ROWS, "02:00:01")
    screen.progress([Row("web-os", 100, "copied"), ROWS[1], Row("web-orders", 0, "waits")], "02:00:02")
    screen.progress(ROWS[1:], "02:00:03")
    assert re.findall("\x1b\\[[0-9]*A", out.getvalue()) == ["\x1b[3A", "\x1b[4A"]  # with the moment
    assert "████████████" in out.getvalue()
    assert "100 %  copied" in out.getvalue()
    screen.end_progress()
    screen.progress(ROWS, "02:00:04")
    assert out.getvalue().count("A\x1b[2K") == 2  # what follows comes below


def test_time_goes_on_beside_bars_that_stand_still():
    out = Terminal()
    screen = Screen(out, {"TERM": "xterm", "NO_COLOR": "1"})
    screen.progress(ROWS, "02:00:01")
    screen.progress(ROWS, "02:00:02")
    assert [line for line in out.getvalue().splitlines() if "02:00:02" in line] == [
        "\x1b[3A\x1b[2K      02:00:02"
    ]


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
def test_no_bar_is_wider_than_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal()
    screen = Screen(out, {"TERM": "xterm", "NO_COLOR": "1"})
    screen.progress([Row("web-orders of 01:59", 50, "waits for that of 01:58, and so on " * 3)], "02:00:01")
    lines = [line.removeprefix("\x1b[2K") for line in out.getvalue().splitlines()]
    assert len(lines) == 2
    assert max(map(len, lines)) < columns


def test_without_a_terminal_only_what_has_changed_is_written():
    out = io.StringIO()
    screen = Screen(out, {"TERM": "xterm"})
    screen.progress(ROWS, "02:00:01")
    screen.progress([Row("web-os", 100, "copied"), ROWS[1]], "02:00:02")
    screen.progress([Row("web-os", 100, "copied"), ROWS[1]], "02:00:03")
    assert out.getvalue().splitlines() == [
        "      02:00:01  web-os    50 %  copying",
        "      02:00:01  web-site   0 %  waits",
        "      02:00:02  web-os   100 %  copied",
    ]


@pytest.mark.parametrize(
    ("environment", "has_colour", "moves"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({}, False, False),
    ],
)
def test_no_color_and_dumb_terminals_are_honoured(environment, has_colour, moves):
    out = Terminal()
    screen = Screen(out, environment)
    screen.step("A step")
    screen.progress(ROWS, "02:00:01")
    screen.progress([], "02:00:02")
    assert ("\x1b[1;36m" in out.getvalue()) is has_colour
    assert ("\x1b[2K" in out.getvalue()) is moves


def test_a_terminal_that_knows_only_ascii_gets_ascii():
    out = Terminal()
    out.encoding = "ascii"
    screen = Screen(out, {"TERM": "xterm", "NO_COLOR": "1"})
    screen.progress(ROWS, "02:00:01")
    screen.verdict("equal")
    assert out.getvalue().isascii()
    assert "ok equal" in out.getvalue()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (20480, "20.0 KiB"),
        (4 << 30, "4.0 GiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_sizes_are_written_for_people(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.4, "7 s"), (61, "1 min 1 s"), (3600 * 10 + 180, "10 h 3 min")]
)
def test_spans_are_written_for_people(seconds, text):
    assert span_text(timedelta(seconds=seconds)) == text
