"""A world whose host is killed now and then, whose network fails, and in which copies stall."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from gateways.connection import connect, use
from gateways.wire import Network
from local_host.app import LoadedApp
from local_host.dispatcher import StuckError
from local_host.host import LocalHost
from simulator.arm import snapshot_copies
from simulator.faults import Faults
from simulator.streams import streams
from simulator.transport import transport
from tests.loaded_app import tidemark
from tests.schedules.copy_log import CopyLog
from tests.schedules.ledger import TOGETHER
from tests.schedules.lifeline import Lifeline
from tests.schedules.network import MortalNetwork, MortalReach
from tests.world import HOME, LOCATIONS, TOKEN, Answer, World

LOOK = 0.02  # seconds between looks whether the host is dead
PATIENCE = 60.0  # seconds of wall time in which something must happen
KEEP = {"west": 2, "north": 3, "south": 2, "vault": 3}
MOST_TRIES = 5
NO_ANSWER = 0


@dataclass
class MortalWorld(World):
    """A world whose host dies where its lifeline is cut; whoever lets time pass starts it again.

    Each location keeps few points, so that there is something to prune within days.
    """

    cells: tuple[int, ...] = TOGETHER  # where its disks are written to
    workers: int = 1  # one activity at a time: the same schedule takes the same course each time
    reach: MortalReach = field(init=False)
    lifeline: Lifeline = field(default_factory=Lifeline)
    unmet: int = 0  # what was to happen and never came: no call has met it

    @cached_property
    def copy_log(self) -> CopyLog:
        """Every copy to another region that was ever made."""
        return CopyLog(self.cloud)

    def pass_time(self, span: timedelta) -> None:
        """Let time pass; a host that dies meanwhile is started again at once."""
        until = self.clock.now() + span
        self._patiently(lambda: self.host.run_until(until, LOOK))

    def jump(self, moment: datetime) -> None:
        """Move straight to a moment; a host that dies then is started again at once."""
        self.settle()
        self.clock.move_to(moment)
        self.settle()

    def settle(self) -> None:
        """Wait until all that is due now is done."""
        self._patiently(lambda: self.host.settle(LOOK))

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the app's HTTP API, some times where it dies or cannot answer, as a caller would.

        What starts something needs an Idempotency-Key, else a minute later it is another request.
        """
        for _ in range(MOST_TRIES):
            try:
                answer = super().ask(method, path, body, token=token, headers=headers)
            except OSError:
                answer = Answer(NO_ANSWER, {}, None)
            if self.lifeline.is_cut:
                self._rise()
            elif answer.status in (NO_ANSWER, 500, 503):
                self.pass_time(timedelta(minutes=1))
            else:
                break
        return answer

    def kill(self) -> None:
        """Kill the host now, while it rests, and start it again."""
        self.lifeline.kills += 1
        self._rise()

    def stall_copies(self) -> None:
        """Stop every copy where it is, without an error."""
        with self.cloud.estate.lock:
            snapshot_copies.halt(self.cloud.estate, HOME)

    def resume_copies(self) -> None:
        """Let the copies go on."""
        with self.cloud.estate.lock:
            snapshot_copies.resume(self.cloud.estate)

    def heal(self) -> None:
        """End everything that goes wrong."""
        self.unmet += self.lifeline.spare()
        self.unmet += len(self.cloud.faults.unmet) + len(self.reach.faults.unmet)
        self.cloud.faults, self.reach.faults = Faults(), Faults()
        for region in set(LOCATIONS.values()):
            self.bring_back_region(region)
        self.resume_copies()

    def close(self) -> None:
        """End the host and give everything back."""
        super().close()
        self.lifeline.renew()

    def _patiently(self, move: Callable[[], None]) -> None:
        began, seen = time.monotonic(), self.clock.now()
        while True:
            try:
                move()
            except StuckError as stuck:
                if not self.lifeline.is_cut:
                    began, seen = self._progress(stuck, began, seen)
                    continue
            if not self.lifeline.is_cut:
                return
            self._rise()
            began = time.monotonic()

    def _progress(self, stuck: StuckError, began: float, seen: datetime) -> tuple[float, datetime]:
        """Note whether time has moved; raises StuckError where the host failed or nothing moves at all."""
        now = self.clock.now()
        if now > seen:
            return time.monotonic(), now
        if stuck.__cause__ is not None or time.monotonic() > began + PATIENCE:
            raise stuck
        return began, seen

    def _rise(self) -> None:
        """Close the dead host without a word, and start another one on its database."""
        self.host.stop()
        self.lifeline.renew()
        self._connect()
        self._start_host()

    def _reach(self) -> MortalReach:
        return MortalReach(self.lifeline)

    def _connect(self) -> None:
        network = MortalNetwork(self.cloud, self.lifeline, self.copy_log)
        connected = connect(
            self._settings(), clock=self.clock, transport=transport(network),
            storage_transport=self.reach.transport(), wire=Network(connect=streams(network)),
        )  # fmt: skip
        known = connected.policies
        policies = {
            name: replace(policy, keep_last=KEEP, most_pruned=1.0) for name, policy in known.policies.items()
        }
        use(replace(connected, policies=replace(known, policies=policies)))

    def _start_host(self) -> None:
        app = self.lifeline.hold(self._app())
        self.host = LocalHost(app, self.directory / "host.db", self.clock, self.workers)
        self.lifeline.is_all_begun = self._is_all_begun
        self.host.start()

    def _app(self) -> LoadedApp:
        return tidemark()

    def _is_all_begun(self) -> bool:
        """Whether nothing but activities has anything to do at this moment; the host does not tell it."""
        due = self.host._orchestrations.next_due()
        return self.host._timers.is_idle() and (due is None or due > self.clock.now())
