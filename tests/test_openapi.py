"""The checks against descriptions find what is wrong, in each of the three dialects."""

from typing import Any

import pytest

from tests.openapi import Description

PET = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "nick": {"type": "string", "nullable": True},
        "owner": {"$ref": "#/components/schemas/Owner", "nullable": True},
        "price": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "kin": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
    },
}
OPENAPI = Description(
    {
        "openapi": "3.0.0",
        "servers": [{"url": "https://pets.example/v2"}],
        "paths": {
            "/pets/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "get": {
                    "parameters": [{"name": "full", "in": "query", "required": True, "schema": {"type": "boolean"}}],
                    "responses": {"200": {"content": {"application/json": {"schema": PET}}}},
                },
            },
            "/pets/new": {
                "post": {
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                    },
                    "responses": {"200": {"content": {"application/json": {"schema": PET}}}},
                }
            },
        },
        "components": {
            "schemas": {
                "Pet": PET,
                "Owner": {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}},
                "Vet": {
                    "additionalProperties": False,
                    "allOf": [{"$ref": "#/components/schemas/Owner"}, {"properties": {"fee": {"type": "number"}}}],
                    "required": ["fee"],
                },
                "Lost": {"$ref": "#/components/schemas/NotThere"},
            }
        },
    }
)
SWAGGER = Description(
    {
        "swagger": "2.0",
        "basePath": "/api",
        "paths": {
            "/say": {
                "post": {
                    "parameters": [
                        {"in": "formData", "name": "text", "type": "string", "required": True},
                        {"in": "formData", "name": "times", "type": "integer"},
                        {"in": "header", "name": "token", "type": "string", "required": True},
                    ],
                    "responses": {"200": {"schema": {"type": "object", "required": ["ok"]}}},
                }
            },
            "/put": {
                "put": {
                    "parameters": [{"in": "body", "name": "it", "schema": {"$ref": "#/definitions/It"}}],
                    "responses": {"default": {"schema": {"$ref": "#/definitions/It"}}},
                }
            },
        },
        "definitions": {"It": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
    }
)


@pytest.mark.parametrize(
    ("path", "query", "problems"),
    [
        ("/v2/pets/7", {"full": "true"}, 0),
        ("/pets/7", {"full": "true"}, 0),
        ("/v2/pets/seven", {"full": "true"}, 1),
        ("/v2/pets/7", {}, 1),
        ("/v2/pets/7", {"full": "maybe"}, 1),
        ("/v2/pets/7", {"full": "true", "more": "x"}, 1),
        ("/v2/cats/7", {"full": "true"}, 1),
    ],
)
def test_path_and_query_are_checked(path: str, query: dict[str, str], problems: int) -> None:
    assert len(OPENAPI.request("GET", path, query, "")) == problems


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"name": "Rex"}, 0),
        ({"name": "Rex", "nick": None, "owner": None, "price": 1}, 0),
        ({"name": "Rex", "kin": [{"name": "Max", "kin": []}]}, 0),
        ({"name": "Rex", "kin": [{"nick": "Max"}]}, 1),
        ({"name": "Rex", "price": 0}, 1),
        ({"name": None}, 1),
        ({"name": "Rex", "owner": {"nom": "Robin"}}, 1),
        ({}, 1),
        ("", 1),
    ],
)
def test_a_body_is_checked_and_needs_nothing_that_only_the_vendor_sets(body: Any, problems: int) -> None:
    assert len(OPENAPI.request("POST", "/v2/pets/new", {}, body)) == problems


def test_an_answer_needs_what_the_vendor_sets() -> None:
    call = "POST", "/v2/pets/new", 200
    assert OPENAPI.answer(*call, {"id": 7, "name": "Rex"}) == []
    assert len(OPENAPI.answer(*call, {"name": "Rex"})) == 1


def test_a_success_that_isnt_described_is_a_problem_and_a_failure_is_none() -> None:
    assert len(OPENAPI.answer("POST", "/v2/pets/new", 201, {})) == 1
    assert OPENAPI.answer("POST", "/v2/pets/new", 500, "oops") == []


@pytest.mark.parametrize(
    ("value", "problems"),
    [({"name": "Kim", "fee": 3}, 0), ({"fee": 3}, 0), ({"name": "Kim"}, 1), ({"fee": 3, "more": 1}, 1)],
)
def test_what_is_inherited_is_closed_as_a_whole(value: Any, problems: int) -> None:
    assert len(OPENAPI.schema("Vet", value)) == problems


def test_a_reference_that_leads_nowhere_says_nothing() -> None:
    assert OPENAPI.schema("Lost", {"any": "thing"}) == []


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ("text=hello&times=2", 0),
        ({"text": "hello", "times": 2}, 0),
        ("times=2", 1),
        ("text=hello&times=twice", 1),
        ({"text": "hello", "times": "twice"}, 1),
        ("text=hello&loud=1", 1),
    ],
)
def test_the_fields_of_swagger_are_checked_as_form_and_as_json(body: Any, problems: int) -> None:
    assert len(SWAGGER.request("POST", "/api/say", {}, body)) == problems


def test_the_bodies_of_swagger_are_checked() -> None:
    assert SWAGGER.request("PUT", "/api/put", {}, {"id": "a"}) == []
    assert len(SWAGGER.request("PUT", "/api/put", {}, {"id": 1})) == 1
    assert len(SWAGGER.answer("PUT", "/api/put", 200, {})) == 1
    assert len(SWAGGER.answer("POST", "/api/say", 200, {})) == 1
