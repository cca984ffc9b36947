"""Which handler answers which path: routes are written as in Azure's documentation, with `{}` for a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.throttling import UNLIMITED, Policy
from simulator.wire import Response

SUBSCRIPTION = "/subscriptions/{}"
GROUP = "/subscriptions/{}/resourceGroups/{}"

Handler = Callable[[Call], Response]
Row = tuple[str, str, Handler, str, tuple[Policy, ...]]


@dataclass(frozen=True)
class Route:
    """One method on one kind of path: who answers, which right it needs ("" for none), what it costs."""

    method: str
    template: str
    handler: Handler
    action: str
    costs: tuple[Policy, ...] = UNLIMITED
    kind: str = ""


def resource_routes(kind: str, *rows: Row) -> tuple[Route, ...]:
    """Return the routes of one kind of resource.

    A row is method, path after the kind, handler, last part of the right, costs. An empty path is the list of
    all: it is answered for a resource group and for a subscription.
    """
    routes = []
    for method, path, handler, right, costs in rows:
        for scope in (GROUP, SUBSCRIPTION) if not path else (GROUP,):
            namespace, types = kind.split("/", 1)
            template = f"{scope}/providers/{namespace}/{types.replace('/', '/{}/')}{path}"
            routes.append(Route(method, template, handler, f"{kind}/{right}", costs, kind))
    return tuple(routes)


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {(route.method, _shape(route.template)[0]): route for route in routes}
        self._shapes = {shape for _, shape in self._routes}
        self._namespaces = {_namespace(shape) for shape in self._shapes} - {None}

    def find(self, method: str, path: str, api_version: str) -> tuple[Route, tuple[str, ...]]:
        """Return the route of a request and the names in its path; raises ArmError as Azure refuses paths."""
        shape, names = _shape(path)
        route = self._routes.get((method, shape))
        if route is not None:
            return route, names
        if shape in self._shapes:
            raise ArmError(405, "MethodNotAllowed", f"The method {method} is not supported by '{path}'.")
        raise self._unknown(path, shape, api_version)

    def _unknown(self, path: str, shape: str, api_version: str) -> ArmError:
        namespace = _namespace(shape)
        if namespace is None:
            return ArmError(404, "NotFound", f"No route is registered for '{path}'.")
        if namespace not in self._namespaces:
            return ArmError(
                404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
            )
        types = "/".join(
            part for part in shape.split(f"/providers/{namespace}", 1)[1].split("/") if part not in ("", "{}")
        )
        return ArmError(
            404,
            "InvalidResourceType",
            f"The resource type '{types}' could not be found in the namespace '{namespace}' for api version "
            f"'{api_version}'.",
        )


def _shape(path: str) -> tuple[str, tuple[str, ...]]:
    """Return a path with `{}` in the place of names and the rest in lower case, and the names.

    Words and names take turns, but the word after "providers" is a namespace, not a name.
    """
    shape: list[str] = []
    names: list[str] = []
    is_name = False
    for part in path.strip("/").split("/"):
        if is_name:
            names.append(part)
            shape.append("{}")
            is_name = False
        else:
            shape.append(part.lower())
            is_name = "providers" not in shape[-2:]
    return "/".join(shape), tuple(names)


def _namespace(shape: str) -> str | None:
    _, found, rest = shape.partition("/providers/")
    return rest.split("/", 1)[0] if found else None
