"""What is declared is what is served: the OpenAPI document, the app's functions and host.json agree."""

from __future__ import annotations

import json
import re
import tomllib

import azure.functions as func
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.loaded_app import tidemark
from tests.triggers.harness import ROOT, START
from triggers.release import PREFIX, VERSION
from triggers.routing import ENDPOINTS
from triggers.timers import FLEET
from triggers.unknown_paths import z_unknown_path


def test_the_document_is_valid_openapi_3_1(api):
    document = api.ask("GET", "openapi.json").body
    assert [fault.message for fault in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_schema_that_is_referred_to_is_there(api):
    document = api.ask("GET", "openapi.json").body
    referred = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(document)))
    assert "#/components/schemas/OperationState" in referred
    for pointer in referred:
        told = document
        for step in pointer.removeprefix("#/").split("/"):
            told = told[step]


def test_the_document_describes_every_http_function_of_the_app(api):
    served = {
        (known.trigger.methods[0].value.lower(), f"/{known.trigger.route}")
        for known in tidemark().http
        if known.name != z_unknown_path.__name__  # what the API does not have
    }
    paths = api.ask("GET", "openapi.json").body["paths"]
    assert served == {(method, path) for path, methods in paths.items() for method in methods}


def test_every_field_of_the_api_is_in_camel_case(api):
    schemas = api.ask("GET", "openapi.json").body["components"]["schemas"]
    names = {name for schema in schemas.values() for name in schema.get("properties", {})}
    assert {name for name in names if "_" in name or name[0].isupper()} == set()


def test_the_host_asks_for_no_keys_of_its_own(api):
    assert {known.trigger.auth_level for known in tidemark().http} == {func.AuthLevel.ANONYMOUS}


def test_the_host_serves_the_api_where_it_says_that_it_is():
    host = json.loads((ROOT / "host.json").read_text())
    assert f"/{host['extensions']['http']['routePrefix']}" == PREFIX


def test_the_app_says_which_release_it_is():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_everything_that_the_triggers_start_exists(api):
    vm = api.add_vm()
    api.ask("POST", "backups", {"vm": vm})
    point = api.add_point(vm, START.replace(hour=2, minute=0, second=0))
    api.ask("POST", "restores", {"restorePoint": point.id, "location": "west"})
    wanted = {orchestrator for orchestrator, _ in api.client.started.values()} | {FLEET.orchestrator}
    assert wanted == {"backup_vm", "restore", "backup_fleet"}
    assert wanted <= set(tidemark().orchestrators)


def test_every_endpoint_has_a_summary_of_its_own():
    assert len({known.summary for known in ENDPOINTS}) == len(ENDPOINTS)
