"""The demo tells its story, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import random
import re
import signal
import time

import pytest

from local_system.function_host import has_core_tools
from local_system.working_directory import WorkingDirectory
from tests.local_system.programs import Demo

INTERRUPTIONS = int(os.environ.get("TIDEMARK_KILLS", "1"))
STORY_SECONDS = 30.0
STARTING = "Starting Azurite"
BACKING_UP = "POST /api/v1/backups"
QUEUEING = "waits for that of 01:59"
LOST = "westeurope is lost"


def test_the_demo_tells_its_story_and_leaves_nothing_behind(tmp_path):
    with Demo(tmp_path) as demo:
        status = demo.end(seconds=110)
        assert status == 0, demo.output
        told = demo.output
        assert "westeurope is lost" in told
        first, second, vault = re.split("comes? back (?:in northeurope|out of the vault)", told)[1:]
        assert 'web-os      4.0 GiB equal, e2fsck -n clean, etc/motd: "web: release 41"' in first
        assert 'web-os      4.0 GiB equal, e2fsck -n clean, etc/motd: "web: release 42"' in second
        assert 'web-os      4.0 GiB equal, e2fsck -n clean, etc/motd: "web: release 42"' in vault
        assert [step.count(" equal, e2fsck -n clean") for step in (first, second, vault)] == [3, 3, 3]
        assert "machine  'web': 200 OK" in second
        assert second.count("(LUN ") == 2
        assert "tag tidemark-policy of the VM" in second
        assert "21.0 GiB, every byte equal" in told
        assert_the_queue_is_seen(told)
        assert_pages_are_written_once_and_then_what_changed(told)
        assert "sizes by the simulator's own meter: Azure has none" in " ".join(told.split())
        assert "\x1b" not in told  # no terminal, so no colours and no moving of the cursor
        assert demo.processes() == []
        assert demo.files() == []


def assert_the_queue_is_seen(told: str) -> None:
    """The second copies wait behind the first, arrive after them, and move what changed alone."""
    waits = re.findall(rf"(\S+) of 02:00 +0 %  {QUEUEING}", told)
    assert set(waits) >= {"web-os", "web-site"}  # that of the smallest disk may be over on a slow machine
    rows = re.findall(r"(web-\S+) +(01:59|02:00) +(\S+)  (\S+)  ([\d.]+) (KiB|MiB)\n", told)
    assert [row[:2] for row in rows] == [
        (f"web-{disk}", slot) for disk in ("os", "site", "orders") for slot in ("01:59", "02:00")
    ]
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert first[2] < first[3] <= second[2] < second[3]  # began, arrived; began, arrived
        assert (first[5], second[5]) == ("MiB", "KiB")
    changed = re.search(r"note of it, ([\d.]+ KiB) of the disks are new", told)
    assert changed
    assert f"Copied by Azure to northeurope 55.8 MiB, then {changed[1]}" in re.sub(" +", " ", told)


def assert_pages_are_written_once_and_then_what_changed(told: str) -> None:
    """The vault gets a little more than was ever written, as neighbours are written in one go, and then the
    changes; no byte of it passes through the app.
    """
    figures = re.sub(" +", " ", told)
    whole, changed, unit = re.findall(r"blobs in francecentral ([\d.]+) MiB, then ([\d.]+) (\w+)", figures)[0]
    assert 55.8 <= float(whole) < 60
    assert (20 <= float(changed) < 200, unit) == (True, "KiB")
    first, second = re.findall(r"Requests for that (\d+), then (\d+)", figures)[0]
    assert int(first) > int(second) > 0
    assert "Of those bytes through the app 0 bytes; the service read the others itself" in figures


@pytest.mark.parametrize(
    ("after", "seconds", "signals"),
    [
        (STARTING, 0.0, [signal.SIGINT]),
        (STARTING, 0.8, [signal.SIGINT, signal.SIGINT]),
        (BACKING_UP, 2.0, [signal.SIGHUP, signal.SIGINT, signal.SIGINT]),
        (QUEUEING, 0.3, [signal.SIGTERM]),
        pytest.param(LOST, 0.5, [signal.SIGINT], marks=pytest.mark.soak),  # most of a story, once more
    ],
)
def test_an_interrupted_demo_leaves_no_process_and_no_file(tmp_path, after, seconds, signals):
    with Demo(tmp_path) as demo:
        demo.read_until(after)
        time.sleep(seconds)
        for number in signals:
            demo.send(number)
        assert demo.end() == 128 + signals[0]
        assert demo.output.rstrip().endswith("nothing is left running, and no file is left."), demo.output
        assert demo.processes() == []
        assert demo.files() == []


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2, 0.5])
def test_a_demo_interrupted_while_it_loads_just_ends(tmp_path, seconds):
    with Demo(tmp_path) as demo:
        demo.await_loading()
        time.sleep(seconds)
        demo.send(signal.SIGINT)
        assert demo.end() in (-signal.SIGINT, 128 + signal.SIGINT)  # the second if it had loaded already
        assert "Traceback" not in demo.output
        assert demo.processes() == []
        assert demo.files() == []


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_demo_interrupted_at_random_moments_leaves_no_process_and_no_file(tmp_path):
    seed = int(os.environ.get("TIDEMARK_SEED", random.SystemRandom().randrange(10**6)))
    chance = random.Random(seed)
    for _ in range(INTERRUPTIONS):
        moment, presses = chance.uniform(0.0, STORY_SECONDS), chance.randint(1, 3)
        with Demo(tmp_path) as demo:
            time.sleep(moment)
            for _ in range(presses):
                demo.send(signal.SIGINT)
                time.sleep(chance.choice((0.0, 0.02, 0.3)))
            # The signal itself ends it while it loads; the story may be over already.
            status = demo.end()
            assert status in (0, 128 + signal.SIGINT, -signal.SIGINT), (seed, moment, demo.output)
            assert demo.processes() == [], (seed, moment)
            assert demo.files() == [], (seed, moment)


def test_children_end_with_a_demo_that_is_killed_and_the_next_one_removes_its_files(tmp_path):
    with Demo(tmp_path) as demo:
        demo.read_until(BACKING_UP)
        assert len(demo.processes()) >= 4  # itself, two Azurites, the host with its tether
        os.kill(demo.process.pid, signal.SIGKILL)
        demo.process.wait()
        demo.await_no_process()
        assert demo.files()
        following = WorkingDirectory()
        following.make()
        following.remove()
        assert demo.files() == []


def test_serving_without_a_terminal_goes_on_until_it_is_ended(tmp_path):
    with Demo(tmp_path, "--serve") as demo:
        demo.read_until("serves until SIGTERM or SIGINT")
        if not has_core_tools():  # they know no clock but the computer's
            assert "a minute there is 4 s here" in " ".join(demo.output.split())
        demo.send(signal.SIGTERM)
        assert demo.end() == 128 + signal.SIGTERM
        assert demo.processes() == []
        assert demo.files() == []


def test_a_missing_program_is_named_and_nothing_is_left(tmp_path):
    with Demo(tmp_path, environment={"PATH": "/nowhere"}) as demo:
        assert demo.end() == 1
        assert "Starting the storage emulator Azurite failed: there is no program 'node'" in demo.output
        assert "Traceback" not in demo.output
        assert demo.processes() == []
        assert demo.files() == []
