"""The OpenAPI document describes every route, with its role and its answers, and is valid."""

from __future__ import annotations

from openapi_spec_validator import OpenAPIV31SpecValidator


def test_the_document_is_valid_openapi_3_1(api):
    OpenAPIV31SpecValidator(api.ask("GET", "openapi.json").body).validate()
