"""Clocks: virtual time stands still, runs at a multiple of wall time, is shared, and never goes back."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from clock import ManualClock, SharedClock, SystemClock

ROOT = Path(__file__).parents[1]
START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def in_another_process(code: str, path: Path) -> str:
    """Run `code` with `clock` joined to the shared clock at `path`; return what it prints."""
    preamble = (
        "import sys\nfrom datetime import datetime, timedelta\nfrom clock import SharedClock\n"
        "clock = SharedClock(sys.argv[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", preamble + code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_system_clock_is_in_utc_and_knows_how_long_to_wait() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.seconds_until(clock.now() - HOUR) == 0.0
    assert clock.seconds_until(clock.now() + HOUR) == pytest.approx(3600, abs=5)


def test_a_manual_clock_moves_only_when_it_is_told_and_never_back() -> None:
    clock = ManualClock(START)
    assert clock.now() == START
    clock.advance(HOUR)
    clock.move_to(START)
    assert clock.now() == START + HOUR


def test_a_manual_clock_cannot_tell_when_a_later_moment_comes() -> None:
    clock = ManualClock(START)
    assert clock.seconds_until(START) == 0.0
    assert clock.seconds_until(START + HOUR) is None


def test_a_manual_clock_gives_utc_whatever_zone_it_is_set_in() -> None:
    clock = ManualClock(START.astimezone(timezone(timedelta(hours=2))))
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now() == START


def test_whoever_waits_on_a_manual_clock_is_told_of_moves() -> None:
    clock = ManualClock(START)
    seen: list[datetime] = []
    clock.on_move(lambda: seen.append(clock.now()))
    clock.advance(HOUR)
    clock.advance(HOUR)
    assert seen == [START + HOUR, START + 2 * HOUR]


def test_a_shared_clock_that_stands_still_shows_the_same_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = SharedClock.create(path, START, factor=0.0)
    assert in_another_process("print(clock.now().isoformat())", path) == START.isoformat()
    assert clock.seconds_until(START + HOUR) is None
    assert clock.seconds_until(START) == 0.0


def test_a_move_made_in_another_process_shows_here(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = SharedClock.create(path, START, factor=0.0)
    in_another_process("clock.move_to(clock.now() + timedelta(days=1))", path)
    assert clock.now() == START + 24 * HOUR
    clock.move_to(START)  # earlier, so ignored
    assert in_another_process("print(clock.now().isoformat())", path) == (START + 24 * HOUR).isoformat()


def test_another_process_can_change_the_speed(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = SharedClock.create(path, START, factor=0.0)
    in_another_process("clock.set_factor(3600.0)", path)
    first, wait = clock.now(), clock.seconds_until(clock.now() + HOUR)
    assert first > START
    assert wait == pytest.approx(1.0, abs=0.1)  # an hour passes in a second of wall time
    assert clock.now() > first


def test_every_move_is_seen_at_once_however_fast_they_follow(tmp_path: Path) -> None:
    mover = SharedClock.create(tmp_path / "clock", START, factor=0.0)
    reader = SharedClock(tmp_path / "clock")
    for minutes in range(1, 300):
        moment = START + timedelta(minutes=minutes)
        mover.move_to(moment)
        assert mover.now() == reader.now() == moment


def test_time_never_goes_back_while_many_move_it_and_change_its_speed(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    shared = SharedClock.create(path, START, factor=100.0)
    over = threading.Event()

    def move(step: int) -> None:
        clock = SharedClock(path)
        for number in range(100):
            clock.move_to(START + timedelta(minutes=number * step))
            clock.set_factor(float(number % 7))

    def watch(steps_back: list[timedelta]) -> None:
        known = shared.now()
        while not over.is_set():
            now = shared.now()
            if now < known:
                steps_back.append(known - now)
            known = now

    steps_back: list[timedelta] = []
    watcher = threading.Thread(target=watch, args=(steps_back,))
    movers = [threading.Thread(target=move, args=(step,)) for step in (1, 2, 3)]
    watcher.start()
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    over.set()
    watcher.join()
    assert steps_back == []
    assert shared.now() >= START + timedelta(minutes=297)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clock"]  # nothing is left lying about


def test_no_mover_sets_back_what_another_has_moved(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    SharedClock.create(path, START, factor=0.0)
    set_back: list[datetime] = []

    def move(offset: int) -> None:
        clock = SharedClock(path)
        for number in range(150):
            moment = START + timedelta(minutes=4 * number + offset)
            clock.move_to(moment)
            seen = SharedClock(path).now()  # what the file says, not what this clock remembers
            if seen < moment:
                set_back.append(moment)

    movers = [threading.Thread(target=move, args=(offset,)) for offset in range(4)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    assert set_back == []


def test_a_shared_clock_without_a_file_is_refused_when_it_is_joined(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        SharedClock(tmp_path / "absent")
