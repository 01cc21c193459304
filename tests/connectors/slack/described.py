"""Holds requests and answers against Slack's own description. It is of 2021: what came since is left out."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import jsonschema

from bellwire.practice import Received
from tests.shared import spec

NEWER = {"metadata", "include_all_metadata", "response_metadata", "needed", "provided"}
_NEWER_ERRORS = {"missing_scope", "token_revoked", "token_expired", "invalid_cursor"}
_UNDESCRIBED = "/api/oauth.v2.access"


def problems(received: Received) -> Iterator[str]:
    """With a request that reached the practice workspace, and with its answer, as sentences. None: all is well."""
    if received.path == _UNDESCRIBED:
        return
    operation = _operation(received.path)
    known = {each["name"]: each for each in operation["parameters"]}
    form = isinstance(received.body, str)
    body = dict(parse_qsl(received.body)) if form else received.body
    given = {**received.query, **body}
    for name in given.keys() - NEWER:
        if name not in known:
            yield f"{received.path} has no argument {name}"
        elif not form and name in body and not _valid(given[name], {"type": known[name]["type"]}):
            yield f"{received.path}: {name} can't be {given[name]!r}"
    needed = {name for name, each in known.items() if each.get("required")} - {"token"}  # it goes as a header
    yield from (f"{received.path}: {name} is missing" for name in needed - given.keys())
    if received.status == 200 and received.answer.get("error") not in _NEWER_ERRORS:
        schema = operation["responses"]["200" if received.answer["ok"] else "default"]["schema"]
        meant = {**_any_of(schema), "definitions": _any_of(spec("slack_web_api")["definitions"])}
        found = jsonschema.Draft4Validator(meant).iter_errors(_without_newer(received.answer))
        yield from (f"{received.path} → 200: {error.message[:300]}" for error in found)


def _operation(path: str) -> dict[str, Any]:
    (found,) = spec("slack_web_api")["paths"][path.removeprefix("/api")].values()
    assert isinstance(found, dict)
    return found


def _valid(value: Any, schema: dict[str, Any]) -> bool:
    return jsonschema.Draft4Validator(schema).is_valid(value)


def _any_of(schema: Any) -> Any:
    """Slack writes `items: [A, B]` without a type where it means `anyOf: [A, B]`, and forgets empty lists."""
    if isinstance(schema, list):
        return [_any_of(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    meant = {name: _any_of(value) for name, value in schema.items() if name != "minItems"}
    if isinstance(meant.get("items"), list) and "type" not in meant:
        meant["anyOf"] = meant.pop("items")
    return meant


def _without_newer(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_newer(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _without_newer(entry) for name, entry in value.items() if name not in NEWER}
    return value
