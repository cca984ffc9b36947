"""Plays random schedules: python -m tests.schedules [--runs 2000] [--seed 1] [--jobs 2] [--pages] [--tell]"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager

from simulator.azurite import Azurite, random_keys
from tests.conftest import Accounts
from tests.schedules.generator import schedule
from tests.schedules.page_drawing import paged_schedule
from tests.schedules.playing import play

WORLDS_OF_AN_AZURITE = 20
ACCOUNTS_OF_A_WORLD = 5


def main() -> int:
    """Play as many schedules as asked for, several processes side by side; return how many went wrong."""
    asked = _arguments()
    seeds = range(asked.seed, asked.seed + asked.runs)
    parts = [
        seeds[first : first + WORLDS_OF_AN_AZURITE] for first in range(0, asked.runs, WORLDS_OF_AN_AZURITE)
    ]
    pages = " PAGES=yes" if asked.pages else ""
    began, failed, played, kills, unmet = time.monotonic(), [], 0, 0, 0
    fresh = multiprocessing.get_context("spawn")  # a process for each part, so that none grows
    with ProcessPoolExecutor(asked.jobs, mp_context=fresh, max_tasks_per_child=1) as processes:
        for future in as_completed(
            [processes.submit(_played, part, asked.pages, asked.tell) for part in parts]
        ):
            results = future.result()
            for seed, wrong, killed, missed in results:
                kills, unmet = kills + killed, unmet + missed
                if wrong:
                    failed.append(seed)
                    sys.stdout.write(f"\n{wrong}\nagain: make schedules RUNS=1 SEED={seed}{pages}\n")
            played += len(results)
            sys.stdout.write(f"{played} of {asked.runs} played, {len(failed)} went wrong\n")
            sys.stdout.flush()
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{asked.runs} schedules from seed {asked.seed}: {len(failed)} went wrong {sorted(failed)}; "
        f"{kills} kills, {unmet} planted faults that nothing met; {seconds:.0f} s, "
        f"{seconds / asked.runs:.2f} s each with {asked.jobs} at a time\n"
    )
    return 1 if failed else 0


def _played(seeds: range, is_paged: bool, is_told: bool) -> list[tuple[int, str, int, int]]:
    logging.disable(logging.CRITICAL)
    with _accounts(len(seeds)) as accounts:
        return [_result(seed, accounts, is_paged, is_told) for seed in seeds]


def _result(seed: int, accounts: Accounts, is_paged: bool, is_told: bool) -> tuple[int, str, int, int]:
    drawn = paged_schedule(seed) if is_paged else schedule(seed)
    try:
        world = play(drawn, accounts, _tell if is_told else None)
    except Exception:
        return seed, f"{drawn}\n{traceback.format_exc()}", 0, 0
    return seed, "", world.lifeline.kills, world.unmet


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def _accounts(worlds: int) -> Iterator[Accounts]:
    names = (f"account{number:03d}" for number in range(ACCOUNTS_OF_A_WORLD * worlds))
    with Azurite(random_keys(names)) as azurite:
        yield Accounts(azurite)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.schedules", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="how many schedules")
    parser.add_argument(
        "--seed", type=int, default=1, help="the first one's seed; the next have the next numbers"
    )
    parser.add_argument(
        "--jobs", type=int, default=multiprocessing.cpu_count(), help="processes side by side"
    )
    parser.add_argument("--pages", action="store_true", help="with replicas in page blobs")
    parser.add_argument("--tell", action="store_true", help="tell each step before it happens")
    return parser.parse_args()
