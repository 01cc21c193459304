"""Every document is valid against Shopify's own schema, as far as its names and types are known."""

import re
from functools import cache
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_schema,
    is_input_type,
    is_interface_type,
    parse,
    specified_scalar_types,
    validate,
)

from bellwire.connectors.shopify.documents import DOCUMENTS
from bellwire.practice.shopify import points, schema
from tests.shared import needs_shared, spec

pytestmark = pytest.mark.proves("spec")
_DISCOUNTS = (
    "AutomaticDiscountApplication",
    "DiscountCodeApplication",
    "ManualDiscountApplication",
    "ScriptDiscountApplication",
)
_RETURN_LINES = ("ReturnLineItem", "UnverifiedReturnLineItem")
_NAMES = [re.search(r"(?:query|mutation) (\w+)", document)[1] for document in DOCUMENTS]  # type: ignore[index]


@needs_shared
@pytest.mark.parametrize("document", DOCUMENTS, ids=_NAMES)
def test_a_document_is_valid_against_shopifys_schema(document: str) -> None:
    assert [error.message for error in validate(_vendor_schema(), parse(document))] == []


@needs_shared
def test_the_check_finds_a_field_that_doesnt_exist() -> None:
    wrong = parse('{ order(id: "1") { updatedOn } }')
    assert "updatedOn" in validate(_vendor_schema(), wrong)[0].message


@pytest.mark.parametrize("document", DOCUMENTS, ids=_NAMES)
def test_a_document_costs_no_more_than_one_query_may(document: str) -> None:
    assert points.asked(parse(document), {"first": 25}) < points.DEAREST


@needs_shared
def test_the_practice_schema_has_nothing_that_shopifys_hasnt() -> None:
    theirs = spec("shopify_admin_2026-01_types")["types"]
    for name, ours in schema.SCHEMA.type_map.items():
        if not name.startswith("__") and hasattr(ours, "fields"):
            assert set(ours.fields) <= set(theirs[name]), name


@cache
def _vendor_schema() -> GraphQLSchema:
    """Of Shopify's 4000 types those that practice has too, each with all its fields among them."""
    known = spec("shopify_admin_2026-01_types")
    everything, enums = known["types"], known["enums"]
    kept = {name for name in schema.SCHEMA.type_map if name in everything or name in enums}
    sdl = [f"scalar {name}" for name in everything["Scalars"] if name not in specified_scalar_types]
    sdl += [f"enum {name} {{ {' '.join(enums[name])} }}" for name in kept & set(enums)]
    usable = kept | set(everything["Scalars"])
    for name in kept - set(enums):
        fields = {field: t for field, t in everything[name].items() if _name(t) in usable}
        ours = schema.SCHEMA.type_map[name]
        keyword = "input" if is_input_type(ours) else "interface" if is_interface_type(ours) else "type"
        implements = "" if keyword == "input" else _implements(name, fields)
        lines = " ".join(
            f"{field}{_arguments(everything, usable, name, field)}: {_type(t)}" for field, t in fields.items()
        )
        sdl.append(f"{keyword} {name}{implements} {{ {lines} }}")
    sdl.append("schema { query: QueryRoot mutation: Mutation }")
    return build_schema("\n".join(sdl))


def _implements(name: str, fields: dict[str, str]) -> str:
    interfaces = ["DiscountApplication"] if name in _DISCOUNTS else []
    interfaces += ["ReturnLineItemType"] if name in _RETURN_LINES else []
    if fields.get("id") == "ID" and name != "Node":
        interfaces.append("Node")
    return f" implements {' & '.join(interfaces)}" if interfaces else ""


def _arguments(everything: dict[str, Any], usable: set[str], name: str, field: str) -> str:
    given = everything.get(f"{name}{field[0].upper()}{field[1:]}Args") or {}
    fields = {argument: t for argument, t in given.items() if _name(t) in usable}
    return f"({', '.join(f'{argument}: {_type(t)}' for argument, t in fields.items())})" if fields else ""


def _name(text: str) -> str:
    return text.strip("[]?")


def _type(text: str) -> str:
    """`[Order]?` → `[Order!]`."""
    name = text.removesuffix("?")
    inner = f"[{_type(name[1:-1])}]" if name.startswith("[") else name
    return inner if text.endswith("?") else f"{inner}!"
