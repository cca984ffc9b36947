"""A chain of activities in a blueprint of the Durable SDK."""

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()


@bp.route(route="chain")
@bp.durable_client_input(client_name="client")
async def start_chain(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    return client.create_check_status_response(req, await client.start_new("chain"))


@bp.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]  # a generator of tasks
    first = yield context.call_activity(greet, "Tokyo")
    second = yield context.call_activity("greet", "London")
    return [first, second]


@bp.activity_trigger(input_name="city")
def greet(city: str) -> str:
    return f"Hello {city}!"
