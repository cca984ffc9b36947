"""The checker's own record of every copy to another region: no snapshot is sent twice without need.

What a second copy leaves is pruned like what a failed one leaves, so the books and the cloud agree in the
end. But it moves bytes again, and Azure makes one copy of a disk at a time. So each copy of a snapshot to a
region is noted when it is made, with what has become of the ones before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.arm.snapshot_model import Snapshot
from simulator.cloud import Cloud
from simulator.wire import Request, Response

GIVEN_UP = timedelta(hours=24)  # a copy that stands still for so long may be made once more
PASSING = (404, 408, 429)  # they say nothing of a copy that is there


@dataclass
class Made:
    """One copy that was made: `excuse` says why another one may follow it, once there is a reason."""

    target: str
    moment: datetime
    excuse: str = ""


@dataclass
class CopyLog:
    """All copies that were ever made, by source and region; `wrong` has what must not have happened."""

    cloud: Cloud
    made: dict[tuple[str, str], list[Made]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self, request: Request) -> Iterator[Callable[[Response], Response]]:
        """Watch a request, whether or not it is answered; give the answer to what is yielded."""
        target = request.path.lower()
        if "/microsoft.compute/snapshots/" not in target or request.method not in ("PUT", "GET", "DELETE"):
            yield lambda answer: answer
            return
        answers: list[Response] = []

        def answered(answer: Response) -> Response:
            answers.append(answer)
            return answer

        before = self._find(target)
        self._judge(target, before)
        try:
            yield answered
        finally:
            after = self._find(target)
            if after is not None and before is None and after.copied_from is not None:
                self._note(target, after)
            for answer in answers:
                if 400 <= answer.status < 500 and answer.status not in PASSING:
                    self._excuse(target, f"Azure answered {request.method} with {answer.status}")

    def _find(self, target: str) -> Snapshot | None:
        with self.cloud.estate.lock:
            self.cloud.estate.timeline.settle()
            return self.cloud.estate.shelf.find(Snapshot, target)

    def _judge(self, target: str, found: Snapshot | None) -> None:
        """Excuse a copy that Azure tells as failed, as it is now."""
        if found is not None and found.provisioning_state in ("Failed", "Canceled"):
            self._excuse(target, f"it is {found.provisioning_state}")
        if found is not None and found.copy_error is not None:
            self._excuse(target, f"it ended with {found.copy_error['errorCode']}")

    def _excuse(self, target: str, reason: str) -> None:
        for copies in self.made.values():
            for copy in copies:
                if copy.target == target:
                    copy.excuse = copy.excuse or reason

    def _note(self, target: str, found: Snapshot) -> None:
        assert found.copied_from is not None
        now = self.cloud.clock.now()
        others = self.made[(found.copied_from.id.key, found.location)]
        for other in others:
            self._judge(other.target, self._find(other.target))
            if not other.excuse and now < other.moment + GIVEN_UP:
                first = f"as {other.target.rsplit('/', 1)[-1]} at {other.moment}, which had not failed"
                again = f"as {found.id.name} at {now}"
                self.wrong.append(
                    f"{found.copied_from.id.name} was copied to {found.location} {first}, and {again}"
                )
        others.append(Made(target, now))
