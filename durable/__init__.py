"""The seam with Durable Functions: orchestrators read like prose and stay typed.

Plain JSON crosses the boundary, one request in and one result out; pydantic converts. Every failure of a
step crosses it as a value: `call` repeats what is transient by durable timers and raises `StepFailed` for the
rest, `gather` returns the outcomes of many, `poll` looks at many until they are over. The SDK's own retries
are not used: it and the Durable extension number tasks independently, and a failure inside `task_all` lets
the two drift apart, after which the instance hangs (Azure/azure-functions-durable-python issue 603).
"""

from durable.outcomes import Done, Failed, Outcome
from durable.registration import Client, Context, Steps, activity, client_activity, orchestration
from durable.steps import MOST_CHILDREN, Pace, call, gather, insist, poll, restart, wait
from durable.wire import from_wire, to_wire

__all__ = [
    "Client", "Context", "Done", "Failed", "MOST_CHILDREN", "Outcome", "Pace", "Steps", "activity", "call",
    "client_activity", "from_wire", "gather", "insist", "orchestration", "poll", "restart", "to_wire", "wait",
]  # fmt: skip
