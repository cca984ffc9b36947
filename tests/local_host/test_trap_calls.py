"""Calls that leave the orchestration: HTTP from it, and the loop that async functions share.

The numbers are those of the durable contract: its rules (§2.4), what was found by running (§3), its
pitfalls (§7).
"""

import asyncio
from datetime import timedelta

import azure.durable_functions as df

from tests.local_host.flaky import outcome


def test_7_8_async_functions_share_one_loop(run):
    app = df.DFApp()
    loops = []

    @app.activity_trigger(input_name="given")
    async def note(given: str) -> None:
        loops.append(asyncio.get_running_loop())

    @app.orchestration_trigger(context_name="context")
    def noting(context):
        yield context.task_all([context.call_activity("note", None) for _ in range(2)])

    for database in ("one.sqlite", "two.sqlite"):
        host = run(app, database)
        host.start_orchestration("noting")
        host.settle()
    assert len(loops) == 4
    assert len(set(map(id, loops))) == 1


def test_call_http_that_polls_drifts(run, web_site):
    """The extension polls after a 202 and takes ids for it; Python's SDK does not know."""
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        yield context.call_http("GET", f"{web_site}/accepted")
        yield context.create_timer(context.current_utc_datetime + timedelta(days=2))

    status = outcome(run(app), "calling")
    assert status["runtimeStatus"] == "Failed"
    assert "waits for a timer under id 1, but the extension has a timer" in status["output"]


def test_call_http_that_answers_at_once_is_fine(run, web_site):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        response = yield context.call_http("POST", f"{web_site}/echo", {"a": 1}, {"X-Name": "value"})
        return [response["statusCode"], response["content"]]

    assert outcome(run(app), "calling")["output"] == [200, '{"a": 1} value']


def test_call_http_with_a_token_fails_with_a_reason(run, web_site):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        token = df.ManagedIdentityTokenSource("https://management.core.windows.net/")
        yield context.call_http("GET", f"{web_site}/echo", token_source=token)

    assert "needs a managed identity" in outcome(run(app), "calling")["output"]
