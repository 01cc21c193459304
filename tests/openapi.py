"""Holds requests and answers against a vendor's own description: Swagger 2.0, OpenAPI 3.0 and 3.1.

Each vendor's dialect has its quirks, so the description is read as it is meant:

- `allOf` is inheritance: its members are merged, and `additionalProperties: false` closes the whole, not each member.
- `nullable` (3.0) and `x-nullable` allow null, beside a `$ref` too.
- What is `readOnly` isn't required of a request, nor `writeOnly` of an answer.
- A `$ref` that leads nowhere says nothing.
- Only schema keywords count; examples, titles and `x-` words are left out, and so are headers.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator

from bellwire.practice import Received
from tests.shared import spec

Direction = Literal["request", "answer"]

_KEYWORDS = {
    *("type", "enum", "const", "pattern", "minLength", "maxLength", "multipleOf", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "uniqueItems"),
    *("minProperties", "maxProperties", "required", "additionalProperties"),
}


class Description:
    """A vendor's description of its API. Every method gives the problems it found, as sentences; none: all is well."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._plains: dict[tuple[str, Direction], dict[str, Any]] = {}
        self._validators: dict[tuple[str, Direction], Draft202012Validator] = {}
        self._swagger = "swagger" in document
        server = (document.get("servers") or [{}])[0].get("url", "")
        self._base = (document.get("basePath") or urlsplit(server).path).rstrip("/")
        self._paths = sorted(
            (
                (re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", path.replace(".", r"\."))), path)
                for path in document["paths"]
            ),
            key=lambda entry: entry[1].count("{"),  # /labels/shipment/{id} before /labels/{id}/{what}
        )

    def problems(self, received: Received) -> list[str]:
        """With a request that reached a simulator, and with its answer."""
        call = received.method, received.path
        found = self.request(*call, received.query, received.body)
        if received.status is not None:
            found += self.answer(*call, received.status, received.answer)
        return found

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
        """`body` as JSON, or as text where it is a form; empty: none was sent."""
        place = f"{method} {path}"
        operation, template, values = self._operation(method, path)
        if operation is None:
            return [f"{place}: the description has no such call"]
        parameters = self._parameters(template, operation)
        found = list(self._values(place, "path", parameters, values))
        found += self._values(place, "query", parameters, query)
        if self._swagger:
            return found + list(self._swagger_body(place, operation, parameters, body))
        content = self._resolved(operation.get("requestBody", {}))
        if body in ("", None):
            return found + ([f"{place}: it needs a body"] if content.get("required") else [])
        schema = _json_of(content.get("content", {})) or _form_of(content.get("content", {}))
        if schema is None:
            return [*found, f"{place}: no body is described"]
        return found + self._check(place, "request", schema, _form(body) if isinstance(body, str) else body)

    def answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """`body` as JSON or text. An error that the description says nothing about is no problem."""
        place = f"{method} {path} → {status}"
        operation, _, _ = self._operation(method, path)
        if operation is None:
            return [f"{place}: the description has no such call"]
        # YAML reads a status without quotes as a number.
        answers = {str(code): told for code, told in operation["responses"].items()}
        described = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")
        if described is None:
            return [] if status >= 400 else [f"{place}: no such answer is described"]
        described = self._resolved(described)
        schema = described.get("schema") if self._swagger else _json_of(described.get("content", {}))
        return self._check(place, "answer", schema, body) if schema is not None else []

    def schema(self, name: str, value: Any, direction: Direction = "answer") -> list[str]:
        """With a value that should be one of the named schemas."""
        where = "definitions" if self._swagger else "components/schemas"
        return self._check(name, direction, {"$ref": f"#/{where}/{name}"}, value)

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any] | None, str, dict[str, str]]:
        below = path.removeprefix(self._base) if path.startswith(self._base + "/") else path
        for pattern, template in self._paths:
            match = pattern.fullmatch(below)
            operation = self._document["paths"][template].get(method.lower())
            if match and operation:
                names = re.findall(r"\{([^}]+)\}", template)
                return operation, template, dict(zip(names, map(unquote, match.groups()), strict=True))
        return None, "", {}

    def _parameters(self, template: str, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
        given = [*self._document["paths"][template].get("parameters", []), *operation.get("parameters", [])]
        return [self._resolved(parameter) for parameter in given]

    def _values(
        self, place: str, where: str, parameters: list[dict[str, Any]], values: Mapping[str, str]
    ) -> Iterator[str]:
        known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == where}
        for name, parameter in known.items():
            if parameter.get("required") and name not in values:
                yield f"{place}: {where} parameter {name} is missing"
        for name, value in values.items():
            if name not in known:
                yield f"{place}: there is no {where} parameter {name}"
                continue
            schema = known[name].get("schema") or known[name]
            yield from self._check(f"{place}: {name}", "request", schema, self._read(schema, value))

    def _swagger_body(
        self, place: str, operation: Mapping[str, Any], parameters: list[dict[str, Any]], body: Any
    ) -> Iterator[str]:
        whole = next((parameter for parameter in parameters if parameter["in"] == "body"), None)
        if whole:
            yield from self._check(place, "request", whole["schema"], body)
            return
        fields = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "formData"}
        sent: Mapping[str, Any] = body if isinstance(body, dict) else dict(parse_qsl(str(body or "")))
        for name, field in fields.items():
            if field.get("required") and name not in sent:
                yield f"{place}: field {name} is missing"
        for name, value in sent.items():
            if name not in fields:
                yield f"{place}: there is no field {name}"
            elif isinstance(value, str):
                read = self._read(fields[name], value)
                yield from self._check(f"{place}: {name}", "request", _bare(fields[name]), read)
            elif fields[name].get("type") != "string":  # JSON in place of text: lists and objects stay as they are
                yield from self._check(f"{place}: {name}", "request", _bare(fields[name]), value)

    def _read(self, schema: Mapping[str, Any], text: str) -> Any:
        """A parameter's text as the type that is described."""
        kind = self._flat(schema, "request").get("type")
        if kind == "integer" and re.fullmatch(r"-?\d+", text):
            return int(text)
        if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text)
        if kind == "boolean" and text in ("true", "false", "0", "1"):
            return text in ("true", "1")
        return text.split(",") if kind == "array" else text

    def _check(self, place: str, direction: Direction, schema: Mapping[str, Any], value: Any) -> list[str]:
        return [
            f"{place}: {'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}"
            for error in self._validator(schema, direction).iter_errors(value)
        ]

    def _validator(self, schema: Mapping[str, Any], direction: Direction) -> Draft202012Validator:
        """Made once for each schema: to make it plain takes longer than to check a value."""
        key = repr(schema), direction
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(self._plain(schema, direction))
        return self._validators[key]

    def _plain(self, schema: Mapping[str, Any], direction: Direction) -> dict[str, Any]:
        """As plain JSON Schema. What it refers to stands in its place; where that refers to itself, it contains
        itself."""
        if "$ref" in schema:
            return _nullable(schema, self._referred_to(schema["$ref"], direction))
        flat = self._flat(schema, direction)
        plain = {key: value for key, value in flat.items() if key in _KEYWORDS}
        for bound in ("Minimum", "Maximum"):  # 3.0 says whether, 3.1 says where
            if plain.get(f"exclusive{bound}") is True:
                plain[f"exclusive{bound}"] = plain.pop(bound.lower())
            elif plain.get(f"exclusive{bound}") is False:
                del plain[f"exclusive{bound}"]
        if "properties" in flat:
            plain["properties"] = {name: self._plain(each, direction) for name, each in flat["properties"].items()}
        if isinstance(flat.get("items"), dict):
            plain["items"] = self._plain(flat["items"], direction)
        if isinstance(plain.get("additionalProperties"), dict):
            plain["additionalProperties"] = self._plain(plain["additionalProperties"], direction)
        for choice in ("anyOf", "oneOf"):
            if choice in flat:
                plain[choice] = [self._plain(member, direction) for member in flat[choice]]
        return _nullable(flat, plain)

    def _referred_to(self, reference: str, direction: Direction) -> dict[str, Any]:
        key = reference, direction
        if key not in self._plains:
            self._plains[key] = {}  # it may refer to itself
            self._plains[key] |= self._plain(self._resolved({"$ref": reference}), direction)
        return self._plains[key]

    def _flat(self, schema: Mapping[str, Any], direction: Direction) -> dict[str, Any]:
        """One schema in place of `$ref` and `allOf`."""
        schema = self._resolved(schema)
        flat: dict[str, Any] = {"properties": {}, "required": []}
        for part in [*(self._flat(member, direction) for member in schema.get("allOf", [])), schema]:
            inherited = flat["properties"], flat["required"], flat.get("additionalProperties")
            flat |= part
            flat["properties"] = inherited[0] | part.get("properties", {})
            required = part.get("required")
            flat["required"] = [*inherited[1], *(required if isinstance(required, list) else [])]
            if inherited[2] is False:
                flat["additionalProperties"] = False
        hidden = "readOnly" if direction == "request" else "writeOnly"
        flat["required"] = [
            name for name in flat["required"] if not self._marked(flat["properties"].get(name, {}), hidden)
        ]
        return {key: value for key, value in flat.items() if value or key not in ("properties", "required")}

    def _marked(self, schema: Mapping[str, Any], mark: str) -> bool:
        return bool(schema.get(mark) or self._resolved(schema).get(mark))

    def _resolved(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self._document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
            schema = found
        return dict(schema)


@cache
def described(name: str) -> Description:
    """A vendor's description in ../shared/specs, by its file name without endings; needs `needs_shared`."""
    return Description(spec(name))


def _nullable(schema: Mapping[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    if schema.get("nullable") or schema.get("x-nullable"):
        return {"anyOf": [{"type": "null"}, plain]}
    return plain


def _bare(field: Mapping[str, Any]) -> dict[str, Any]:
    """The schema part of a Swagger parameter, whose `required` is a boolean."""
    return {key: value for key, value in field.items() if key != "required"}


def _json_of(content: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((entry.get("schema") for kind, entry in content.items() if "json" in kind), None)


def _form_of(content: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((entry.get("schema") for kind, entry in content.items() if "form" in kind), None)


def _form(body: str) -> dict[str, str]:
    return dict(parse_qsl(body, keep_blank_values=True))
