"""Every path that no endpoint takes: 404 that says what there is, 405 where the method alone is wrong.

Azure documents no order in which it tries functions whose routes fit. The host sorts them by name, ignoring
case, and its router takes the first that fits path and method (azure-functions-host,
FunctionMetadataManager.LoadFunctionMetadata and WebScriptHostHttpRoutesManager; what a route says does not
count). So the function here has a name that comes after all others, and a known path comes to it only with a
method that none of its endpoints takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from domain.errors import NotFound, TidemarkError
from triggers.identity import Role
from triggers.problems import WrongMethod, problem
from triggers.release import path_of
from triggers.routing import ENDPOINTS, Endpoint, admitted

blueprint = df.Blueprint()


def z_unknown_path(request: func.HttpRequest) -> func.HttpResponse:
    try:
        admitted(request, Role.READER)
        raise missing(request.method, request.route_params.get("path", ""), ENDPOINTS)
    except Exception as failure:
        return problem(failure, urlsplit(request.url).path)


# It is no endpoint of the API, so it is not declared as one, and the OpenAPI document does not show it.
blueprint.route(route="{*path}", trigger_arg_name="request", auth_level=func.AuthLevel.ANONYMOUS)(
    z_unknown_path
)


def missing(method: str, path: str, endpoints: Iterable[Endpoint]) -> TidemarkError:
    """Say why no endpoint takes a method and a path, which is given without the API's prefix."""
    known = list(endpoints)
    allowed = sorted({endpoint.method for endpoint in known if _fits(endpoint.route, path)})
    if allowed:
        takes = " and ".join(allowed)
        return WrongMethod(f"{path_of(path.strip('/'))} does not take {method}; it takes {takes}", allowed)
    routes = ", ".join(sorted({endpoint.route for endpoint in known}))
    return NotFound(
        f"the API has no path '{path}'; below {path_of()} it has {routes}; "
        f"GET {path_of('openapi.json')} describes them"
    )


def _fits(route: str, path: str) -> bool:
    """Whether a path is one of a route; text ignores case, as the host's router does."""
    wanted, got = route.lower().split("/"), path.strip("/").lower().split("/")
    return len(wanted) == len(got) and all(
        bool(found) and (part.startswith("{") or part == found)
        for part, found in zip(wanted, got, strict=True)
    )
