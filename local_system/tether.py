"""Runs a program that ends when the process which started it ends, however that comes about.

    python tether.py COMMAND ARGUMENT...

Standard input is a pipe that only the starting process holds open. It closes when that process ends, also by
kill -9, and then the program is asked to end, and made to soon after. Start it in a session of its own: the
whole session's group is killed. It imports nothing of ours, so that it is there at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 10.0


def main(command: list[str]) -> int:
    """Run the command; return its status, as a shell would tell it."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_parent, args=(program,), daemon=True).start()
    status = program.wait()
    return status if status >= 0 else 128 - status


def _end_with_parent(program: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    program.terminate()
    try:
        program.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)  # the program, what it started, and ourselves


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
