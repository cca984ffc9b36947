"""The Durable Task Framework's side of one execution: who gets which id, and what history must confirm.

Emulates TaskOrchestrationContext of DurableTask.Core (read at commit 52170329, June 2026). One counter per
execution starts at 0 and hands out an id whenever an activity, timer, sub-orchestration or message is asked
for. Events of the history then confirm each of them by id, kind and name, and answer the open ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from local_host.history import Event, EventType
from local_host.promises import Promise


class Kind(Enum):
    """What an id was taken for; the value is the word for messages."""

    ACTIVITY = "activity"
    SUB_ORCHESTRATION = "sub-orchestration"
    TIMER = "timer"
    MESSAGE = "message to an entity"


@dataclass
class Action:
    """One thing that an execution asked for.

    `id` is given when the action is scheduled. `input` is the text that goes into history: a JSON array of
    one element for an activity, JSON text for the others. `target` is the instance id of a sub-orchestration
    or the id of an entity.
    """

    kind: Kind
    name: str | None = None
    id: int = -1
    input: str | None = None
    target: str | None = None
    version: str | None = None
    fire_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.kind.value} '{self.name}'" if self.name else f"a {self.kind.value}"


class NonDeterministicError(Exception):
    """History and the current code disagree. The instance fails, in Azure too."""


class TaskFailedError(Exception):
    """An activity or a sub-orchestration failed. What the orchestrator makes of it is the SDK's business."""


CONFIRMATIONS = {
    EventType.TASK_SCHEDULED: Kind.ACTIVITY,
    EventType.SUB_ORCHESTRATION_CREATED: Kind.SUB_ORCHESTRATION,
    EventType.TIMER_CREATED: Kind.TIMER,
    EventType.EVENT_SENT: Kind.MESSAGE,
}


class TaskContext:
    """Ids, open tasks and unconfirmed actions of one execution."""

    def __init__(self) -> None:
        self.unconfirmed: dict[int, Action] = {}
        self.all: dict[int, Action] = {}
        self.open: dict[int, Promise] = {}
        self._next_id = 0

    @property
    def next_id(self) -> int:
        """The id that the next action gets."""
        return self._next_id

    def schedule(self, action: Action) -> Promise:
        """Take an id for something that will be answered; the promise is the answer."""
        self.send(action)
        self.open[action.id] = promise = Promise()
        return promise

    def send(self, action: Action) -> None:
        """Take an id for something that nobody answers under that id."""
        action.id = self._next_id
        self._next_id += 1
        self.all[action.id] = self.unconfirmed[action.id] = action

    def cancel(self, action: Action) -> None:
        """Cancel a timer: whoever waits for it goes on at once, and it no longer keeps the instance open.

        It stays an action: history still has to show (or get) its TimerCreated.
        """
        promise = self.open.pop(action.id, None)
        if promise is not None:
            promise.reject(TaskFailedError("cancelled"))

    def confirm(self, recorded: Event) -> None:
        """Match a scheduling event of the history with what this replay asked for.

        Raises NonDeterministicError, with the text that Azure would put into the output.
        """
        kind = CONFIRMATIONS[EventType(recorded["EventType"])]
        task_id, name = recorded["EventId"], recorded.get("Name")
        action = self.unconfirmed.get(task_id)
        was = (
            f"a previous execution of this orchestration scheduled {_describe(kind, name)} with id {task_id}"
        )
        if action is None:
            raise NonDeterministicError(
                f"{was}, but the current replay hasn't (yet?) scheduled this task. {_BLAME}"
            )
        if action.kind is not kind or not _same_name(kind, name, action.name):
            raise NonDeterministicError(f"{was}, but the current replay produced {action} instead. {_BLAME}")
        del self.unconfirmed[task_id]

    def answer(self, task_id: int, value: object = None, error: Exception | None = None) -> None:
        """Complete an open task; an answer to one that is not open is ignored, as the framework does."""
        promise = self.open.pop(task_id, None)
        if promise is None:
            return
        if error is not None:
            promise.reject(error)
        else:
            promise.resolve(value)


_BLAME = (
    "Was a change made to the orchestrator code after this instance had already started running, "
    "or does it depend on something that is not in its history?"
)


def _describe(kind: Kind, name: str | None) -> str:
    return f"{kind.value} '{name}'" if name else f"a {kind.value}"


def _same_name(kind: Kind, recorded: str | None, scheduled: str | None) -> bool:
    return kind is Kind.TIMER or (recorded or "").lower() == (scheduled or "").lower()
