"""The Durable extension's side of one execution: what it does with the actions that the SDK answers.

Emulates OutOfProcOrchestrationShim (replay schemas V2 and V3) and DurableOrchestrationContext of the
extension (read at commit a7c6d694). The SDK answers with the complete flat list of actions since the start;
the extension carries them out strictly one after the other while history is delivered, and takes ids as it
goes. Where the extension would swallow an error and hang, `TrapError` is raised instead.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from local_host import traps
from local_host.durable_task import Action, Kind, TaskContext
from local_host.external_events import ExternalEvents
from local_host.history import moment
from local_host.promises import Awaiting, Promise, all_of, any_of, resolved, run

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
MAX_ACTIONS = 100_000
LONGEST_DELAY = timedelta(days=6)
DEFAULT_POLL = timedelta(milliseconds=30_000)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class ActionType(IntEnum):
    """What the SDK's actions are; the numbers are what goes over the wire."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SCHEDULED_SIGNAL_ENTITY = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


class KnownFunctions:
    """The registered names, by which the extension checks what an orchestrator calls; it ignores case."""

    def __init__(
        self,
        activities: Iterable[str] = (),
        orchestrators: Iterable[str] = (),
        entities: Iterable[str] = (),
        default_version: str | None = None,
    ) -> None:
        kinds = {"activity": activities, "orchestrator": orchestrators, "entity": entities}
        self._names = {kind: {name.lower(): name for name in names} for kind, names in kinds.items()}
        self.default_version = default_version

    def knows(self, name: str, kind: str) -> bool:
        """Tell whether a name is registered; `kind` is activity, orchestrator or entity."""
        return name.lower() in self._names[kind]

    def check(self, name: str, kind: str) -> None:
        """Raise TrapError for an unknown name."""
        if not self.knows(name, kind):
            raise traps.unknown_function(name, kind, list(self._names[kind].values()))


@dataclass(frozen=True)
class Identity:
    """Which execution this is."""

    instance_id: str
    execution_id: str
    parent_instance_id: str | None = None


@dataclass
class Extension:
    """Carries out the SDK's actions for one execution, in one replay."""

    identity: Identity
    functions: KnownFunctions
    tasks: TaskContext = field(default_factory=TaskContext)
    events: ExternalEvents = field(default_factory=ExternalEvents)
    now: datetime = _BEGINNING
    continued_with: str | None = None
    """The input of the next generation, JSON text, once continue-as-new has been reached."""
    trap: traps.TrapError | None = None
    _guids: int = 0
    _event_waits: list[tuple[str, Promise]] = field(default_factory=list)

    def carry_out(self, actions: list[dict[str, Any]]) -> Awaiting:
        """Await the actions one after the other; their failures are the SDK's business."""
        for action in actions:
            self._event_waits.clear()
            promise = self._invoke(action)
            # Swallowed, as in the extension; a trap has been noted where it was raised.
            with contextlib.suppress(Exception):
                yield promise
            if self.trap:
                raise self.trap

    def awaited_events(self) -> list[str]:
        """Names of the events that the action being awaited still needs."""
        return [name for name, promise in self._event_waits if not promise.is_done]

    def _invoke(self, action: dict[str, Any]) -> Promise:
        kind = ActionType(action["actionType"])
        if kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY):
            combine = all_of if kind is ActionType.WHEN_ALL else any_of
            return combine([self._invoke(child) for child in action["compoundActions"]])
        invoke = _INVOCATIONS.get(kind)
        if invoke is None:
            raise ValueError(
                f"Received an unexpected action type from the out-of-proc function: {kind.name}."
            )
        try:
            return invoke(self, action)
        except traps.TrapError as trap:
            self.trap = self.trap or trap
            raise

    def _activity(self, action: dict[str, Any]) -> Promise:
        self.functions.check(action["functionName"], "activity")
        return self._schedule(
            Action(Kind.ACTIVITY, action["functionName"], input=json.dumps([action.get("input")]))
        )

    def _activity_with_retry(self, action: dict[str, Any]) -> Promise:
        return run(self._retry(lambda: self._activity(action), action["retryOptions"]))

    def _sub_orchestration(self, action: dict[str, Any]) -> Promise:
        self.functions.check(action["functionName"], "orchestrator")
        instance_id = (action.get("instanceId") or "").strip()
        if instance_id:
            self._check_instance_id(instance_id)
        text = action.get("input")
        return self._schedule(
            Action(
                Kind.SUB_ORCHESTRATION,
                action["functionName"],
                input=None if text is None else json.dumps(text),
                target=instance_id or f"{self.identity.execution_id}:{self.tasks.next_id}",
                version=action.get("version") or self.functions.default_version,
            )
        )

    def _sub_orchestration_with_retry(self, action: dict[str, Any]) -> Promise:
        return run(self._retry(lambda: self._sub_orchestration(action), action["retryOptions"]))

    def _timer(self, action: dict[str, Any]) -> Promise:
        timer = Action(Kind.TIMER, fire_at=moment(action["fireAt"]))
        promise = self._schedule(timer)
        if action.get("isCanceled"):
            self.tasks.cancel(timer)
        return promise

    def _wait_for_event(self, action: dict[str, Any]) -> Promise:
        return self._await_event(action["externalEventName"])

    def _continue_as_new(self, action: dict[str, Any]) -> Promise:
        self.continued_with = json.dumps(action.get("input"))
        return resolved()

    def _signal_entity(self, action: dict[str, Any]) -> Promise:
        self._send_to_entity(action, signal=True)
        return resolved()

    def _call_entity(self, action: dict[str, Any]) -> Promise:
        return self._await_event(self._send_to_entity(action, signal=False))

    def _call_http(self, action: dict[str, Any]) -> Promise:
        return run(self._http(action["httpRequest"]))

    def _http(self, request: dict[str, Any]) -> Awaiting:
        """Call, and poll while the answer is 202: every poll takes two ids of which the SDK knows nothing."""
        response = json.loads((yield self._http_activity(request)))
        while response["statusCode"] == 202 and request.get("asynchronousPatternEnabled", True):
            headers = {name.lower(): value for name, value in response["headers"].items()}
            retry_after = headers.get("retry-after")
            wait = timedelta(seconds=int(retry_after)) if retry_after else DEFAULT_POLL
            yield self._schedule(Action(Kind.TIMER, fire_at=self.now + wait))
            poll = {**request, "method": "GET", "uri": headers["location"], "content": None}
            response = json.loads((yield self._http_activity(poll)))
        return response

    def _http_activity(self, request: dict[str, Any]) -> Promise:
        return self._schedule(Action(Kind.ACTIVITY, HTTP_ACTIVITY, input=json.dumps([request])))

    def _retry(self, call: Callable[[], Promise], options: Mapping[str, int]) -> Awaiting:
        """RetryInterceptor: the extension schedules the waits; SDK 1.x has no back-off.

        After the last failure there is one more timer, which fires at once; the SDK waits for that, too.
        """
        interval = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])
        if interval > LONGEST_DELAY:
            self.trap = self.trap or traps.long_retry_interval(options["firstRetryIntervalInMilliseconds"])
        attempts = options["maxNumberOfAttempts"]
        failure: Exception | None = None
        for attempt in range(1, attempts + 1):
            try:
                return (yield call())
            except Exception as error:
                failure = error
            delay = interval if attempt < attempts else timedelta(0)
            yield self._schedule(Action(Kind.TIMER, fire_at=self.now + delay))
        if failure is not None:
            raise failure
        return None

    def _schedule(self, action: Action) -> Promise:
        if self.tasks.next_id >= MAX_ACTIONS:
            self.trap = self.trap or traps.too_many_actions(MAX_ACTIONS)
            raise self.trap
        return self.tasks.schedule(action)

    def _await_event(self, name: str) -> Promise:
        promise = self.events.wait(name)
        self._event_waits.append((name, promise))
        return promise

    def _send_to_entity(self, action: dict[str, Any], signal: bool) -> str:
        """Send a request message; return the id under which the entity will answer."""
        self.functions.check(action["instanceId"].split("@")[1], "entity")
        request_id = self._new_guid()
        message = {
            "op": action["operation"],
            "signal": signal,
            "input": json.dumps(action.get("input")),
            "id": request_id,
            "parent": self.identity.instance_id,
            "parentExecution": self.identity.execution_id,
        }
        self.tasks.send(Action(Kind.MESSAGE, "op", input=json.dumps(message), target=action["instanceId"]))
        return request_id

    def _new_guid(self) -> str:
        """The same at every replay; the way it is made is our own choice, nobody can see it."""
        self._guids += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.identity.execution_id}_{self._guids}"))

    def _check_instance_id(self, instance_id: str) -> None:
        family = [self.identity.instance_id, self.identity.parent_instance_id]
        if instance_id.lower() in [member.lower() for member in family if member]:
            raise traps.same_instance_id(instance_id)
        if instance_id.startswith("@"):
            raise traps.reserved_instance_id(instance_id)


_INVOCATIONS: dict[ActionType, Callable[[Extension, dict[str, Any]], Promise]] = {
    ActionType.CALL_ACTIVITY: Extension._activity,
    ActionType.CALL_ACTIVITY_WITH_RETRY: Extension._activity_with_retry,
    ActionType.CALL_SUB_ORCHESTRATOR: Extension._sub_orchestration,
    ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY: Extension._sub_orchestration_with_retry,
    ActionType.CONTINUE_AS_NEW: Extension._continue_as_new,
    ActionType.CREATE_TIMER: Extension._timer,
    ActionType.WAIT_FOR_EXTERNAL_EVENT: Extension._wait_for_event,
    ActionType.CALL_ENTITY: Extension._call_entity,
    ActionType.CALL_HTTP: Extension._call_http,
    ActionType.SIGNAL_ENTITY: Extension._signal_entity,
}
