"""Holds requests and answers against Stripe's own description: its table of operations, which leaves out parameters
that are maps or expansions, and the annotated fields of its objects."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from bellwire.practice import Received
from tests.shared import spec

_MAPS = {"expand", "metadata", "payment"}
"""Parameters that the table leaves out."""
_PLAIN: Mapping[str, type | tuple[type, ...]] = {"int": int, "str": str, "bool": bool, "float": (int, float)}
_NAMES = {
    "charge": "Charge",
    "dispute": "Dispute",
    "event": "Event",
    "invoice": "Invoice",
    "invoice_payment": "InvoicePayment",
    "payment_intent": "PaymentIntent",
    "refund": "Refund",
    "subscription": "Subscription",
    "webhook_endpoint": "WebhookEndpoint",
}


def problems(received: Received) -> list[str]:
    """With a request that reached the practice account, and with its answer. None: all is well."""
    place = f"{received.method} {received.path}"
    operation = _operation(received.method, received.path)
    if operation is None:
        return [f"{place}: there is no such call"]
    given = {**received.query, **dict(parse_qsl(received.body or ""))}
    found = list(_parameters(place, operation["params"], given))
    if received.status == 200 and "/account" not in received.path:
        found += _object(place, received.answer)
    return found


def event_problems(event: Any) -> list[str]:
    return [*_object("event", event), *_object(event["type"], event["data"]["object"])]


@cache
def _operations() -> list[tuple[str, re.Pattern[str], Mapping[str, Any]]]:
    return [
        (each["method"], re.compile(re.sub(r"\{[^}]+\}", "[^/]+", each["path"])), each)
        for each in spec("stripe_operations")["operations"]
    ]


def _operation(method: str, path: str) -> Mapping[str, Any] | None:
    return next((each for verb, pattern, each in _operations() if verb == method and pattern.fullmatch(path)), None)


def _parameters(place: str, known: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    for name, value in given.items():
        base = name.partition("[")[0]
        if base in _MAPS:
            continue
        if base not in known:
            yield f"{place}: there is no parameter {name}"
        elif known[base]["type"] == "integer" and not value.isdecimal():
            yield f"{place}: {name} is no integer"
        elif (allowed := known[base].get("enum")) and value not in allowed:
            yield f"{place}: {name} can't be {value}"
    for name, parameter in known.items():
        if parameter.get("required") and not any(each.partition("[")[0] == name for each in given):
            yield f"{place}: {name} is missing"


def _object(place: str, value: Any) -> Iterator[str]:
    if value.get("object") == "list":
        for each in value["data"]:
            yield from _object(place, each)
    elif value.get("deleted"):
        return
    else:
        name = _NAMES[value["object"]]
        yield from _fields(f"{place}: {name}", spec("stripe_objects")["objects"][name], value)


def _fields(place: str, described: Mapping[str, Any], value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: is no object"
        return
    fields, nested = described["fields"], described.get("nested", {})
    for name, kind in fields.items():
        if name in value:
            yield from _value(f"{place}.{name}", kind, nested, value[name])
        elif not kind.startswith("Optional["):
            yield f"{place}.{name} is missing"
    for name in value.keys() - fields.keys() - {"ended_at"}:
        yield f"{place}.{name} is unknown"


def _value(place: str, kind: str, nested: Mapping[str, Any], value: Any) -> Iterator[str]:
    outer, _, inner = kind.removesuffix("]").partition("[")
    objects = spec("stripe_objects")["objects"]
    match outer:
        case "Optional":
            if value is not None:
                yield from _value(place, inner, nested, value)
        case "ExpandableField":
            if not isinstance(value, str):
                yield from _value(place, inner, nested, value)
        case "List":
            if not isinstance(value, list):
                yield f"{place}: is no list"
            else:
                for each in value:
                    yield from _value(place, inner, nested, each)
        case "ListObject":
            for each in value["data"]:
                yield from _value(place, inner, nested, each)
        case "Literal":
            if value not in inner.split(", ") and value is not True:
                yield f"{place}: {value} isn't one of {inner[:200]}"
        case _ if outer in _PLAIN:
            if not isinstance(value, _PLAIN[outer]) or (outer == "int" and isinstance(value, bool)):
                yield f"{place}: {value!r} is no {outer}"
        case _ if outer in nested:
            yield from _fields(place, nested[outer], value)
        case _ if outer in objects and value.get("object") != "plan":
            yield from _fields(place, objects[outer], value)
