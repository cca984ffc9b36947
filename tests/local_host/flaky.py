"""Orchestrations for traps: activities that fail as often as told, and how an orchestration ends."""

from datetime import timedelta

import azure.durable_functions as df

RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=1000, max_number_of_attempts=3)


class Flaky:
    """Activities that fail as often as told."""

    def __init__(self):
        self.app = df.DFApp()
        self.failures: dict[str, int] = {}

        @self.app.activity_trigger(input_name="name")
        def flaky(name: str) -> str:
            if self.failures.get(name, 0) > 0:
                self.failures[name] -= 1
                raise ValueError(f"{name} fails")
            return name

    def orchestrator(self, function):
        return self.app.orchestration_trigger(context_name="context")(function)


def outcome(host, name, *steps, days=1):
    """Start an orchestrator, let `steps` happen while it waits, and return its final status."""
    host.start_orchestration(name, instance_id="it")
    host.settle()
    for step in steps:
        step()
        host.settle()
    host.run_until(host.clock.now() + timedelta(days=days))
    return host.status("it")
