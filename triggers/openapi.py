"""GET openapi.json: the API described by what its endpoints declare (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from domain.errors import InvalidInput, NotAllowed, NotSignedIn, Refused, Transient
from triggers.documents import adapter
from triggers.identity import Role
from triggers.problems import KINDS, MEDIA_TYPE, ProblemDocument, Unexpected
from triggers.release import PREFIX, VERSION
from triggers.routing import ENDPOINTS, Endpoint, endpoint

blueprint = df.Blueprint()

_SCHEMAS = "#/components/schemas/{model}"
_EVERYWHERE = (InvalidInput, NotSignedIn, NotAllowed, Unexpected, Refused, Transient)
_PLACES = {"path": "path", "query": "query", "headers": "header"}
_DESCRIPTION = (
    "Backs up Azure VMs to another region and brings them back. Errors are RFC 9457 problem documents that "
    "list every fault at once. Each role may do what those before it may: Reader, Operator, Restorer, Admin."
)


@endpoint(blueprint, "GET", "openapi.json", role=Role.READER, summary="Describe this API")
def show_openapi() -> dict[str, Any]:
    return describe(ENDPOINTS)


def describe(endpoints: list[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of some endpoints."""
    schemas = _Schemas.of(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for known in endpoints:
        paths.setdefault(f"/{known.route}", {})[known.method.lower()] = _operation(known, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tidemark", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "responses": {kind.name: _problem(kind.title, schemas) for kind in KINDS.values()},
            "securitySchemes": {
                "entra": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of Microsoft Entra ID for this app, with one of its app roles.",
                }
            },
        },
    }


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that repeat the fields' names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@dataclass(frozen=True)
class _Schemas:
    """The JSON schemas of all documents, each defined once; what is taken and what is given, apart."""

    references: Mapping[tuple[Any, Any], dict[str, Any]]  # by type and by taken or given
    definitions: dict[str, Any]

    @classmethod
    def of(cls, endpoints: list[Endpoint]) -> _Schemas:
        taken = [(known.inputs["body"], "validation") for known in endpoints if "body" in known.inputs]
        given = [(known.document, "serialization") for known in endpoints]
        wanted: Any = dict.fromkeys([*taken, *given, (ProblemDocument, "serialization")])
        references, rest = TypeAdapter.json_schemas(
            [(kind, mode, adapter(kind)) for kind, mode in wanted],
            ref_template=_SCHEMAS,
            schema_generator=_Untitled,
        )
        parameters = [_schema_of(kind) for known in endpoints for _, kind in _parts(known)]
        named = {name: told for schema in parameters for name, told in schema.get("$defs", {}).items()}
        return cls(references, {**named, **rest.get("$defs", {})})

    def given(self, kind: Any) -> dict[str, Any]:
        """The schema of a document in an answer."""
        return self.references[kind, "serialization"]

    def taken(self, kind: Any) -> dict[str, Any]:
        """The schema of a document in a request."""
        return self.references[kind, "validation"]


def _operation(known: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": known.function.__name__,
        "summary": known.summary,
        "description": f"Needs the role {known.role.title} or a higher one.",
        "security": [{"entra": [known.role.title]}],
        "parameters": list(_parameters(known)),
        "responses": _responses(known, schemas),
    }
    if "body" in known.inputs:
        content = {"application/json": {"schema": schemas.taken(known.inputs["body"])}}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _parts(known: Endpoint) -> Iterator[tuple[str, Any]]:
    """Yield where an endpoint takes parameters, and the form of those."""
    for name, kind in known.inputs.items():
        if name in _PLACES:
            yield _PLACES[name], kind


def _schema_of(kind: Any) -> dict[str, Any]:
    return adapter(kind).json_schema(ref_template=_SCHEMAS, schema_generator=_Untitled)


def _parameters(known: Endpoint) -> Iterator[dict[str, Any]]:
    for place, kind in _parts(known):
        schema = _schema_of(kind)
        for field, described in schema["properties"].items():
            described = dict(described)
            text = described.pop("description", None)
            yield {
                "name": field,
                "in": place,
                "required": field in schema.get("required", []),
                "schema": described,
                **({"description": text} if text else {}),
            }


def _responses(known: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    content = {"application/json": {"schema": schemas.given(known.document)}}
    problems = sorted((KINDS[kind] for kind in (*_EVERYWHERE, *known.problems)), key=_by_status)
    return {
        **({"202": _accepted(content)} if known.is_accepting else {"200": _found(content)}),
        **{str(kind.status): {"$ref": f"#/components/responses/{kind.name}"} for kind in problems},
    }


def _by_status(kind: Any) -> int:
    return kind.status


def _found(content: dict[str, Any]) -> dict[str, Any]:
    return {"description": "What was asked for", "content": content}


def _accepted(content: dict[str, Any]) -> dict[str, Any]:
    location = {"description": "Where to follow the operation", "schema": {"type": "string"}}
    seconds = {"description": "Seconds until it is worth looking", "schema": {"type": "integer"}}
    return {
        "description": "Accepted, and carried out from now on; the same request gets the same operation",
        "headers": {"Location": location, "Retry-After": seconds},
        "content": content,
    }


def _problem(title: str, schemas: _Schemas) -> dict[str, Any]:
    return {"description": title, "content": {MEDIA_TYPE: {"schema": schemas.given(ProblemDocument)}}}
