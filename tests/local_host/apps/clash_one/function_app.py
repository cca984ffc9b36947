"""Has a module `settings` like the other one, and a module `clock` like the host itself."""

import azure.functions as func

import clock
import settings

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="who")
def who(req: func.HttpRequest) -> str:
    return f"{settings.NAME} {clock.NAME}"  # type: ignore[attr-defined]  # mypy sees those of the repository
