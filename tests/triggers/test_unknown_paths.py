"""Paths that the API does not have: who is signed in hears what there is, nobody else hears anything."""

from __future__ import annotations

import pytest

from tests.loaded_app import tidemark
from tests.triggers.test_identity import KEY, POINT, principal
from triggers.routing import ENDPOINTS
from triggers.unknown_paths import z_unknown_path


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "/", "vmz", "vms/a/b/c", f"vms/{KEY}/restore-point", "backups/"])
def test_an_unknown_path_is_told_what_there_is(api, method, path):
    answer = api.ask(method, f"{path}x")
    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert f"'{path.lstrip('/')}x'" in answer.body["detail"]
    for known in ENDPOINTS:
        assert known.route in answer.body["detail"]
    assert answer.body["instance"] == f"/api/v1/{path.lstrip('/')}x"


def test_the_root_of_the_api_is_told_what_there_is(api):
    answer = api.ask("GET", "/api/v1")
    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert "GET /api/v1/openapi.json" in answer.body["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "backups", "POST"),
        ("DELETE", "vms", "GET"),
        ("POST", "VMS/", "GET"),  # the host's router ignores case and a slash at the end
        ("PUT", f"vms/{KEY}/restore-points", "GET"),
        ("PATCH", "vms/no-key", "GET"),  # the path is one of the route, whatever stands in it
        ("HEAD", "health", "GET"),
    ],
)
def test_a_known_path_with_another_method_is_told_which_it_takes(api, method, path, allowed):
    answer = api.ask(method, path)
    assert (answer.status, answer.media_type) == (405, "application/problem+json")
    assert answer.headers["Allow"] == allowed
    assert f"does not take {method}; it takes {allowed}" in answer.body["detail"]


def test_a_path_with_several_methods_is_told_all_of_them(api):
    answer = api.ask("PATCH", f"restore-points/{POINT}")
    methods = sorted(known.method for known in ENDPOINTS if known.route == "restore-points/{id}")
    assert answer.headers["Allow"] == ", ".join(methods)


@pytest.mark.parametrize(("method", "path"), [("GET", "vmz"), ("DELETE", "vms")])
def test_nobody_hears_what_there_is_without_an_identity_and_a_role(api, method, path):
    assert api.ask(method, path, token=None).status == 401
    api.with_settings(is_sign_in_enforced=True)
    assert api.ask(method, path, token=None, headers=principal()).status == 403
    assert api.ask(method, path, token=None, headers=principal("Reader")).status in (404, 405)


def test_the_function_of_unknown_paths_is_tried_after_all_others():
    names = [known.name for known in tidemark().http]
    # Azure's host sorts functions by name, ignoring case, and takes the first that fits.
    assert max(names, key=str.upper) == z_unknown_path.__name__
