"""A small app that uses everything that the local host runs."""

import json
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="start/{name}/{id?}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_json() if req.get_body() else None
    instance_id = await client.start_new(req.route_params["name"], req.route_params.get("id"), body)
    return client.create_check_status_response(req, instance_id)


@app.orchestration_trigger(context_name="context")
def rounds(context: df.DurableOrchestrationContext) -> Any:
    """Fan-out with retry, sub-orchestration, race of timer and event, barrier, continue-as-new."""
    given = context.get_input()
    context.set_custom_status({"round": given["round"], "phase": "fan-out"})
    retry = df.RetryOptions(first_retry_interval_in_milliseconds=100, max_number_of_attempts=3)
    jobs = [
        {"job": number, "of": f"{context.instance_id}-{given['round']}"} for number in range(given["jobs"])
    ]
    done = yield context.task_all([context.call_activity_with_retry("work", retry, job) for job in jobs])
    context.set_custom_status({"round": given["round"], "phase": "sub"})
    total = yield context.call_sub_orchestrator("adder", done)
    context.set_custom_status({"round": given["round"], "phase": "race"})
    deadline = context.create_timer(context.current_utc_datetime + timedelta(seconds=given["patience"]))
    approval = context.wait_for_external_event("approve")
    winner = yield context.task_any([deadline, approval])
    if winner == approval:
        deadline.cancel()
    outcome = [*given.get("outcome", []), {"total": total, "approved": winner == approval}]
    if given["round"] == given["rounds"]:
        return outcome
    if given["barrier"]:
        yield context.call_activity("add", [0])
    context.continue_as_new({**given, "round": given["round"] + 1, "outcome": outcome})
    return None


@app.orchestration_trigger(context_name="context")
def adder(context: df.DurableOrchestrationContext) -> Any:
    total = yield context.call_activity("add", context.get_input())
    return total


@app.orchestration_trigger(context_name="context")
def ticking(context: df.DurableOrchestrationContext) -> Any:
    """Runs until somebody ends it."""
    count = context.get_input() or 0
    context.set_custom_status({"count": count})
    yield context.call_activity("add", [count, 1])
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=0.2))
    context.continue_as_new(count + 1)


@app.activity_trigger(input_name="task")
def work(task: dict) -> int:
    """A third of the jobs fail once; every run leaves a mark in the folder STORY_NOTES."""
    note = Path(os.environ["STORY_NOTES"]) / f"{task['of']}-{task['job']}"
    runs = len(note.read_text()) if note.exists() else 0
    with note.open("a") as notes:
        notes.write("x")
    if task["job"] % 3 == 1 and runs == 0:
        raise RuntimeError("fails once")
    time.sleep(float(os.environ.get("STORY_WORK_SECONDS", "0")))
    return task["job"]


@app.activity_trigger(input_name="numbers")
def add(numbers: list) -> int:
    return sum(numbers)


@app.activity_trigger(input_name="question")
@app.durable_client_input(client_name="client")
async def count_instances(question: str, client: df.DurableOrchestrationClient) -> int:
    """An async activity with the durable client."""
    return len(await client.get_status_by(instance_id_prefix=question))


@app.activity_trigger(input_name="subject", activity="renamed")
def known_by_another_name(subject: str, context: func.Context) -> dict:
    return {"subject": subject, "function": context.function_name, "thread": threading.current_thread().name}


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext) -> None:
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
        context.set_state(value)
    elif context.operation_name == "delete":
        context.destruct_on_exit()
        return
    elif context.operation_name == "fail":
        raise ValueError("no")
    context.set_result(value)


@app.orchestration_trigger(context_name="context")
def counts(context: df.DurableOrchestrationContext) -> Any:
    tally = df.EntityId("counter", context.instance_id)
    context.signal_entity(tally, "add", 1)
    value = yield context.call_entity(tally, "add", 41)
    try:
        yield context.call_entity(tally, "fail")
    except Exception as error:
        return [value, str(error)]


@app.orchestration_trigger(context_name="context")
def echo(context: df.DurableOrchestrationContext) -> Any:
    return [context.get_input(), (yield context.wait_for_external_event("say"))]


@app.route(route="version", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def version(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({"version": 1}), mimetype="application/json")
