"""Command line: python -m local_host --app DIRECTORY"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # Loading what follows takes a while. Until somebody listens for it, Ctrl-C simply ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import logging
import os
import sys
import threading
from pathlib import Path

from clock import Clock, SharedClock, SystemClock
from local_host.app import LoadedApp, load_app
from local_host.host import LocalHost
from local_host.host_files import HostFileError
from local_host.imports import AppImportError
from local_host.ncrontab import ScheduleError
from local_host.routes import RouteError
from local_host.store import DatabaseInUseError
from local_host.worker_checks import FunctionLoadError

DESCRIPTION = """\
Runs a Python function app (its function_app.py, unchanged) with HTTP, timer and Durable functions, where
the Azure Functions Core Tools are not installed. State is kept in an SQLite file: kill the host at any
moment and start it again, and it goes on where it was. For development, demos and tests; in production the
Azure Functions host runs the app."""

EPILOGUE = """\
examples:
  python -m local_host                               the app of this directory, on port 7071
  python -m local_host --app samples/chain --port 0  another app, on a free port
  python -m local_host --clock clock.json            time from a file that other processes share

Orchestrations that Azure would leave hanging fail here at once, and the log says why."""

START_ERRORS = (
    AppImportError,
    FunctionLoadError,
    HostFileError,
    ScheduleError,
    RouteError,
    DatabaseInUseError,
    OSError,
)


def main(arguments: list[str] | None = None) -> int:
    """Run a host until Ctrl-C or SIGTERM; return the exit code."""
    options = _parser().parse_args(arguments)
    _log_to_stderr(options.verbose)
    asked_to_end = _signals()
    try:
        host = _host(options)
        host.start()
    except START_ERRORS as error:
        logging.getLogger("local_host").debug("it could not be started", exc_info=error)  # --verbose
        sys.stderr.write(f"local_host: {error}\n")
        return 1
    try:
        sys.stdout.write(_banner(host))
        sys.stdout.flush()
        if options.once:
            host.settle(timeout=options.timeout)
        else:
            asked_to_end.wait()
    finally:
        host.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_host",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--app",
        type=Path,
        default=Path(),
        metavar="DIRECTORY",
        help="where function_app.py is (default: here)",
    )
    add(
        "--database",
        type=Path,
        metavar="FILE",
        help="the SQLite file (default: .local_host.sqlite in the app)",
    )
    add("--port", type=int, default=7071, help="port on 127.0.0.1; 0 takes a free one (default: 7071)")
    add("--clock", type=Path, metavar="FILE", help="take time from a file made by clock.SharedClock.create")
    add("--workers", type=int, help="activities that run at a time (default: as in host.json, else 8)")
    add("--no-timers", action="store_true", help="do not run functions with a timer trigger")
    add("--once", action="store_true", help="do all that is ready now, then end")
    add("--timeout", type=float, default=60, help="seconds that --once may take (default: 60)")
    add("--verbose", action="store_true", help="log every call")
    return parser


def _host(options: argparse.Namespace) -> LocalHost:
    """Load the app and open the database. Like func, run in the app's directory."""
    database = (options.database or options.app / ".local_host.sqlite").resolve()
    clock: Clock = SharedClock(options.clock.resolve()) if options.clock else SystemClock()
    os.chdir(options.app)
    app = load_app()
    return LocalHost(app, database, clock, options.workers, options.port, run_timers=not options.no_timers)


def _banner(host: LocalHost) -> str:
    """What func prints: the functions, and the keys that open them."""
    lines = ["", "Functions:", ""]
    for http in host.http_functions.functions:
        methods = ",".join(http.methods) or "all"
        address = f"{host.url}{host.http_functions.prefix}{http.route.template}"
        lines.append(f"  {http.function.name}: [{methods}] {address} ({http.level})")
    lines += [f"  {name}" for name in _other_functions(host.app)]
    lines += ["", f"Function key: {host.keys.function}", f"Master key: {host.keys.master}"]
    lines += [f"Listening on {host.url} (Ctrl-C ends it)", "", ""]
    return "\n".join(lines)


def _other_functions(app: LoadedApp) -> list[str]:
    durable = [*app.orchestrators.values(), *app.activities.values(), *app.entities.values()]
    return [f"{function.name}: {function.trigger.type}" for function in [*app.timers, *durable]]


def _log_to_stderr(verbose: bool) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("local_host").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("azure").setLevel(logging.WARNING)


def _signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set, from now on, also while the host is still starting."""
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_end.set())
    return asked_to_end


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit, which waits for activities that still run in threads: the next start runs them again.
    os._exit(exit_code)
