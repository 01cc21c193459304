"""Google's discovery document as a description that requests and answers can be held against."""

from dataclasses import replace
from functools import cache
from typing import Any

from bellwire.practice import Received
from tests.openapi import Description
from tests.shared import spec

_BELOW = "/calendar/v3"


def problems(received: Received) -> list[str]:
    """With a request and its answer; of its sign-in the document knows nothing."""
    if not received.path.startswith(_BELOW):
        return []
    # In a PATCH, null takes a field away, whatever its type.
    # https://developers.google.com/workspace/calendar/api/guides/performance#patch-semantics
    body = _given(received.body) if received.method == "PATCH" else received.body
    return described().problems(replace(received, body=body))


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _given(each) for name, each in value.items() if each is not None}
    return value


@cache
def described() -> Description:
    document = spec("google_calendar_v3_discovery")
    paths: dict[str, Any] = {}
    for resource in document["resources"].values():
        for method in resource["methods"].values():
            paths.setdefault(f"/{method['path']}", {})[method["httpMethod"].lower()] = _operation(method, document)
    definitions = {name: _schema(schema) for name, schema in document["schemas"].items()}
    return Description({"swagger": "2.0", "basePath": _BELOW, "paths": paths, "definitions": definitions})


def _operation(method: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    named = {**document["parameters"], **method.get("parameters", {})}
    parameters = [{"in": "query", **_schema(schema), "name": name} for name, schema in named.items()]
    for parameter in parameters:
        parameter["in"] = named[parameter["name"]]["location"]
        parameter["required"] = named[parameter["name"]].get("required", False)
    if "request" in method:
        parameters.append({"in": "body", "name": "body", "schema": _schema(method["request"])})
    answer = {"schema": _schema(method["response"])} if "response" in method else {"description": "nothing"}
    return {"parameters": parameters, "responses": {"200": answer, "204": answer}}


def _schema(value: Any) -> Any:
    """Names of schemas as references; bounds are texts in Google's dialect, `required` belongs to methods."""
    if isinstance(value, list):
        return [_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) >= {"$ref"}:
        return {"$ref": f"#/definitions/{value['$ref']}"}
    read = {name: _schema(each) for name, each in value.items() if name != "required" or isinstance(each, dict)}
    for bound in ("minimum", "maximum"):
        if isinstance(read.get(bound), str):
            read[bound] = int(read[bound])
    if read.get("type") == "object" and "properties" in read:
        read.setdefault("additionalProperties", False)
    if read.get("type") == "any":
        del read["type"]
    return read
