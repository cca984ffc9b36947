"""What a durable client can ask for, as the extension's DurableClient does it."""

from __future__ import annotations

import re
from datetime import datetime

from clock import Clock
from local_host import instances, messages
from local_host.extension import KnownFunctions
from local_host.history import Event, EventType, event, timestamp
from local_host.instances import Filter, Instance
from local_host.store import Store

LONGEST_INSTANCE_ID = 256
_BAD_CHARACTERS = re.compile(r"[/\\?#\x00-\x1f\x7f-\x9f]")


class ArgumentRefusedError(ValueError):
    """The extension throws ArgumentException; over HTTP that is 400."""


class OperationRefusedError(RuntimeError):
    """The extension throws InvalidOperationException; over HTTP that is 500."""


class Management:
    """The operations on instances, each in one transaction."""

    def __init__(self, store: Store, clock: Clock, known: KnownFunctions) -> None:
        self._store = store
        self._clock = clock
        self._known = known

    def start(
        self, name: str, input_text: str | None, instance_id: str | None = None, version: str | None = None
    ) -> str:
        """Start an orchestration; return its instance id.

        Raises ArgumentRefusedError for an unknown name or a bad id, InstanceInUseError if the id is in use by
        an instance that has not ended (one that has is replaced).
        """
        if not self._known.knows(name, "orchestrator"):
            raise ArgumentRefusedError(
                f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function."
            )
        if instance_id:
            _check_id(instance_id)
        version = version or self._known.default_version
        with self._store.transaction() as database:
            return instances.create(database, self._clock.now(), name, input_text, instance_id, version)

    def find(self, instance_id: str) -> Instance | None:
        """Look an instance up."""
        with self._store.reading() as database:
            return instances.find(database, instance_id)

    def select(self, chosen: Filter, limit: int, after: str | None = None) -> list[Instance]:
        """List instances by id, from behind `after` on."""
        with self._store.reading() as database:
            return instances.select(database, chosen, limit, after)

    def purge(self, instance_id: str) -> int:
        """Delete an instance, even one that runs: Azure does not ask (AzureTableTrackingStore)."""
        with self._store.transaction() as database:
            return instances.purge(database, [instance_id])

    def purge_all(self, chosen: Filter) -> int:
        """Delete all that are chosen. Without statuses that includes those that run, as in Azure."""
        with self._store.transaction() as database:
            ids = [instance.instance_id for instance in instances.select(database, chosen)]
            return instances.purge(database, ids)

    def raise_event(self, instance_id: str, name: str, input_text: str) -> None:
        """Raise an external event; `input_text` is JSON text."""
        self._tell(instance_id, event(EventType.EVENT_RAISED, self._now(), Name=name, Input=input_text))

    def terminate(self, instance_id: str, reason: str | None) -> None:
        """End an instance at its next episode; sub-orchestrations and running activities go on."""
        self._tell(instance_id, event(EventType.EXECUTION_TERMINATED, self._now(), Input=reason))

    def suspend(self, instance: Instance, reason: str | None) -> None:
        """Let an instance park what arrives."""
        if instance.status == "Suspended":
            raise OperationRefusedError(_refusal("suspend", instance))
        self._tell(instance.instance_id, event(EventType.EXECUTION_SUSPENDED, self._now(), Reason=reason))

    def resume(self, instance: Instance, reason: str | None) -> None:
        """Let a suspended instance go on."""
        if instance.status != "Suspended":
            raise OperationRefusedError(_refusal("resume", instance))
        self._tell(instance.instance_id, event(EventType.EXECUTION_RESUMED, self._now(), Reason=reason))

    def restart(self, instance_id: str, with_new_id: bool) -> str:
        """Start the same orchestration with the same input once more; return the id."""
        instance = self.find(instance_id)
        if instance is None:
            raise ArgumentRefusedError(f"An orchestrations with the instanceId {instance_id} was not found.")
        return self.start(
            instance.name, instance.input, None if with_new_id else instance_id, instance.version
        )

    def _now(self) -> datetime:
        return self._clock.now()

    def _tell(self, instance_id: str, told: Event) -> None:
        """Leave a message for whichever execution the instance has."""
        with self._store.transaction() as database:
            messages.send(database, instance_id, None, told, self._now())


def created_between(start: datetime | None, end: datetime | None) -> tuple[str | None, str | None]:
    """A window of creation as a filter wants it."""
    return (timestamp(start) if start else None, timestamp(end) if end else None)


def _check_id(instance_id: str) -> None:
    if instance_id.startswith("@"):
        raise ArgumentRefusedError("Orchestration instance ids must not start with @.")
    if _BAD_CHARACTERS.search(instance_id):
        raise ArgumentRefusedError(
            "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
        )
    if len(instance_id) > LONGEST_INSTANCE_ID:
        raise ArgumentRefusedError(f"Instance ID lengths must not exceed {LONGEST_INSTANCE_ID} characters.")


def _refusal(verb: str, instance: Instance) -> str:
    return (
        f"Cannot {verb} the orchestration instance {instance.instance_id} because instance is in the "
        f"{instance.status} state."
    )
