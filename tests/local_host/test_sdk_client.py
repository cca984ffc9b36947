"""The SDK's own client, against the Durable HTTP API of a host."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from tests.local_host.client import call
from tests.local_host.conftest import START


@pytest.fixture
def with_client(run):
    """A host, and a function that runs a coroutine with the SDK's client inside an HTTP function of it."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    todo: list[Any] = []

    @app.route(route="do")
    @app.durable_client_input(client_name="client")
    async def do(req, client):
        return func.HttpResponse(json.dumps(await todo[-1](client, req)))

    @app.orchestration_trigger(context_name="context")
    def waiting(context):
        return (yield context.wait_for_external_event("go"))

    host = run(app)

    def perform(body):
        todo.append(body)
        answer = call("GET", f"{host.url}/api/do")
        assert answer.status == 200, answer
        return answer.json

    return host, perform


async def start(client, req):
    await client.start_new("waiting", "w", {"deep": [1]})
    return "started"


def test_the_sdks_client_reads_the_status_of_instances(with_client):
    async def look(client, req):
        status = await client.get_status("w", show_history=True, show_input=True)
        missing = await client.get_status("missing")
        everything = await client.get_status_all()
        running = await client.get_status_by(runtime_status=[df.OrchestrationRuntimeStatus.Running])
        old = await client.get_status_by(created_time_to=datetime(2020, 1, 1, tzinfo=UTC))
        return {
            "status": [status.name, status.runtime_status.name, status.input_],
            "history": [status.history, len(status.historyEvents)],
            "missing": bool(missing),
            "found": [len(everything), len(running), len(old)],
        }

    host, ask = with_client
    ask(start)
    host.settle()
    assert ask(look) == {
        "status": ["waiting", "Running", '{"deep": [1]}'],
        "history": [None, 1],  # the SDK looks for `history`, Azure sends `historyEvents`
        "missing": False,
        "found": [1, 1, 0],
    }


def test_the_sdks_client_manages_instances(with_client):
    async def start_again(client, req):
        try:
            await client.start_new("waiting", "w", None)
        except Exception as error:
            refused = str(error)
        await client.raise_event("w", "go", {"a": 1})
        return refused

    async def finish(client, req):
        response = await client.wait_for_completion_or_create_check_status_response(req, "w", 1000, 10)
        purged = await client.purge_instance_history("w")
        return [response.status_code, json.loads(response.get_body()), purged.instances_deleted]

    host, ask = with_client
    ask(start)
    host.settle()
    assert "already exists" in ask(start_again)
    host.settle()
    assert ask(finish) == [200, {"a": 1}, 1]


def test_the_sdks_client_suspends_resumes_terminates_restarts_and_purges(with_client):
    async def suspend(client, req):
        return await client.suspend("w", "a reason")

    async def resume(client, req):
        return await client.resume("w", "a reason")

    async def terminate(client, req):
        return await client.terminate("w", "a reason")

    async def restart(client, req):
        return (await client.restart("w", restart_with_new_instance_id=False))["id"]

    async def purge(client, req):
        purged = await client.purge_instance_history_by(
            START - timedelta(days=1), None, [df.OrchestrationRuntimeStatus.Terminated]
        )
        return purged.instances_deleted

    (host, ask), states = with_client, []
    for step in (start, suspend, resume, terminate, restart, terminate, purge):
        result = ask(step)
        host.settle()
        states.append((host.status("w") or {}).get("runtimeStatus"))
    assert states == ["Running", "Suspended", "Running", "Terminated", "Running", "Terminated", None]
    assert result == 1


def test_the_sdks_client_reads_entities(with_client):
    async def read(client, req):
        state = await client.read_entity_state(df.EntityId("none", "k"))
        return state.entity_exists

    _, ask = with_client
    assert ask(read) is False
