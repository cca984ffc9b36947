"""A world in which the app is upgraded: its host is stopped at some moment, and rises as the next version."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import azure.durable_functions as df

from local_host.app import Function, LoadedApp
from local_host.history import Event
from tests.schedules.mortal_world import MortalWorld

FIRST, SECOND = "1", "2"


@dataclass
class UpgradedWorld(MortalWorld):
    """A world whose host rises as the next version of the app.

    `left` has the histories of what was at work when the old version was stopped, by instance.
    """

    version: str = FIRST
    left: dict[str, list[Event]] = field(default_factory=dict)

    def _rise(self) -> None:
        self.version = SECOND
        at_work = [each for each in self.host.statuses() if each["runtimeStatus"] in ("Pending", "Running")]
        self.left = {each["instanceId"]: self.host.history(each["instanceId"]) for each in at_work}
        super()._rise()

    def _app(self) -> LoadedApp:
        app = super()._app()
        versions = replace(app.settings.versions, current=self.version)
        app.settings = replace(app.settings, versions=versions)
        if self.version != FIRST:
            app.orchestrators = {key: changed(each) for key, each in app.orchestrators.items()}
        return app


def changed(function: Function) -> Function:
    """Return an orchestrator that waits a moment before it does what it did."""
    before: Any = function.call  # the SDK's decorator has put the function into it

    def steps(context):
        yield context.create_timer(context.current_utc_datetime)
        return (yield from before.orchestrator_function(context))

    return replace(function, call=df.Orchestrator.create(steps))
