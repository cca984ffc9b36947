"""The door of every route: the table of them here is held to the app's own functions, so none is forgotten.

Each is asked with a request that does its work for whoever may ask, so a refusal is one of the door alone.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import azure.functions as func
import pytest

from domain.restore_points import RestorePoint
from local_host.app import Function
from tests.loaded_app import tidemark
from tests.triggers.harness import START, Api, description
from tests.triggers.test_identity import claims, principal
from triggers.identity import PRINCIPAL_HEADER, Role
from triggers.unknown_paths import z_unknown_path

UNKNOWN = z_unknown_path.__name__
SLOT = START.replace(hour=2, minute=0, second=0)

# What each route needs. It is written down once more on purpose: who changes a role must change it here too.
NEEDED = {
    ("POST", "backups"): Role.OPERATOR,
    ("POST", "restores"): Role.RESTORER,
    ("GET", "operations"): Role.READER,
    ("GET", "operations/{id}"): Role.READER,
    ("GET", "vms"): Role.READER,
    ("GET", "vms/{key}"): Role.READER,
    ("GET", "vms/{key}/restore-points"): Role.READER,
    ("GET", "restore-points/{id}"): Role.READER,
    ("PUT", "restore-points/{id}/hold"): Role.OPERATOR,
    ("DELETE", "restore-points/{id}/hold"): Role.ADMIN,
    ("POST", "retention/preview"): Role.READER,
    ("GET", "health"): Role.READER,
    ("GET", "openapi.json"): Role.READER,
}


@cache
def http_functions() -> tuple[Function, ...]:
    return tuple(tidemark().http)


def served() -> list[tuple[str, str]]:
    """Every method and route of the app's function list, but for the function of all other paths."""
    return [
        (method.value, known.trigger.route)
        for known in http_functions()
        if known.name != UNKNOWN
        for method in known.trigger.methods
    ]


every_route = pytest.mark.parametrize(("method", "route"), sorted(NEEDED))


@dataclass
class Door:
    """An app with a VM, an available restore point and an operation, and a good request for each route."""

    api: Api
    vm: str
    point: RestorePoint
    operation: str

    def path(self, route: str) -> str:
        """A path of a route, with names of what exists."""
        names = {"key": self.point.vm.key, "id": self.point.id}
        if route.startswith("operations/"):
            names["id"] = self.operation
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], route)

    def body(self, method: str, route: str) -> Any:
        """A body that the route takes."""
        return {
            ("POST", "backups"): {"vm": self.vm},
            ("POST", "restores"): {"restorePoint": self.point.id, "location": "north"},
            ("POST", "retention/preview"): {"vm": self.vm},
            ("PUT", "restore-points/{id}/hold"): {"reason": "an audit"},
        }.get((method, route))

    def ask(self, method: str, route: str, headers: Mapping[str, str] | None = None) -> Any:
        """Ask as somebody for whom these headers speak, and nothing else."""
        body = self.body(method, route)
        return self.api.ask(method, self.path(route), body, token=None, headers=headers)

    def written(self) -> Any:
        """All that a route could have started or changed."""
        found = self.api.connected.catalogue.restore_points.find(self.point.id)
        return [each.id for each in self.api.operations()], dict(self.api.client.started), found


@pytest.fixture
def door(api: Api) -> Door:
    vm = api.add_vm()
    point = api.add_point(vm, SLOT)
    operation = api.ask("POST", "backups", {"vm": api.add_vm("mail")}).body["id"]
    api.with_settings(development=None, is_sign_in_enforced=True)
    return Door(api, vm, point, operation)


def test_the_table_here_has_every_route_of_the_app_and_no_other():
    assert len(served()) == len(set(served()))
    assert set(served()) == set(NEEDED)


@every_route
def test_the_openapi_document_tells_each_route_with_its_role(method, route):
    told = description()["paths"][f"/{route}"][method.lower()]
    assert told["security"] == [{"entra": [NEEDED[method, route].title]}]
    assert {"401", "403"} <= set(told["responses"])


def test_the_openapi_document_tells_every_route_that_there_is_and_no_other():
    paths = description()["paths"]
    told = [(method.upper(), path.lstrip("/")) for path, methods in paths.items() for method in methods]
    assert sorted(told) == sorted(served())


def test_the_platform_asks_no_function_for_a_key_because_the_app_asks_who_it_is():
    levels = {known.name: known.trigger.auth_level for known in http_functions()}
    assert set(levels.values()) == {func.AuthLevel.ANONYMOUS}
    assert UNKNOWN in levels


@every_route
@pytest.mark.parametrize("is_enforced", [True, False])
def test_nobody_gets_in_without_an_identity(door, method, route, is_enforced):
    door.api.with_settings(is_sign_in_enforced=is_enforced)
    before = door.written()
    answer = door.ask(method, route)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.media_type == "application/problem+json"
    assert door.written() == before


@every_route
def test_a_forged_header_opens_nothing_where_the_platform_does_not_sign_in(door, method, route):
    door.api.with_settings(is_sign_in_enforced=False)
    before = door.written()
    assert door.ask(method, route, principal("Admin")).status == 401
    assert door.written() == before


def encoded(document: Any) -> dict[str, str]:
    return {PRINCIPAL_HEADER: b64encode(json.dumps(document).encode()).decode()}


MALFORMED = {
    "not base64": {PRINCIPAL_HEADER: "%%%"},
    "not JSON": {PRINCIPAL_HEADER: b64encode(b"{").decode()},
    "not an object": encoded(["Admin"]),
    "no claims": encoded({"auth_typ": "aad"}),
    "another provider": principal("Admin", auth_typ="github"),
    "no object id": principal("Admin", claims=claims("Admin")[1:]),
    "empty": {PRINCIPAL_HEADER: ""},
}


@every_route
def test_a_header_that_cannot_be_the_platforms_is_nobody(door, method, route):
    before = door.written()
    found = {name: door.ask(method, route, headers).status for name, headers in MALFORMED.items()}
    assert found == dict.fromkeys(MALFORMED, 401)
    assert door.written() == before


@every_route
def test_a_role_below_the_needed_one_is_refused_with_its_name_and_nothing_is_started(door, method, route):
    needed, before = NEEDED[method, route], door.written()
    for held in ([], *([role.title] for role in Role if role < needed)):
        answer = door.ask(method, route, principal(*held))
        assert answer.status == 403
        assert f"this needs {needed.title} or a higher one" in answer.body["detail"]
    assert door.written() == before


@every_route
def test_roles_in_claims_of_another_type_are_none(door, method, route):
    before = door.written()
    other = [*claims(), *({"typ": kind, "val": "Admin"} for kind in ("groups", "wids", "scp", "Roles"))]
    assert door.ask(method, route, principal(claims=other)).status == 403
    assert door.written() == before


@every_route
def test_the_needed_role_opens_the_door_and_the_work_is_done(door, method, route):
    answer = door.ask(method, route, principal(NEEDED[method, route].title))
    assert answer.status in (200, 202), answer.body


@pytest.mark.parametrize("route", [*sorted({route for _, route in NEEDED}), "nothing-of-the-kind", ""])
def test_no_method_of_any_path_says_anything_to_nobody(door, route):
    known = {each for each, path in NEEDED if path == route}
    methods = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
    for method in sorted(methods - known):
        assert door.ask(method, route).status == 401, method
        assert door.ask(method, route, principal()).status == 403, method
        answer = door.ask(method, route, principal("Reader"))
        assert answer.status == (405 if known else 404), method
        assert set(answer.headers.get("Allow", "").split(", ")) == (known or {""}), method
