"""The calls about stock and webhooks of API 2026-07, as the vendor's pages describe them: the description in ../shared
is older than they are. https://x-series-api.lightspeedhq.com/reference"""

from typing import Any

from tests.openapi import Description

_TEXT, _NUMBER, _WHOLE, _YES = ({"type": name} for name in ("string", "number", "integer", "boolean"))
_ID = {"type": "string", "minLength": 1, "maxLength": 36}
_VERSION = {"type": ["integer", "null"]}
_WHY = {
    "enum": [
        *("DAMAGE", "EXPIRY", "INTERNAL_USE", "THEFT", "DONATION"),
        *("STOCK_FOUND", "SAMPLE_FOR_SALE", "CUSTOM"),
    ]
}
_HOOK = {
    "enum": [
        *("sale.update", "product.update", "customer.update", "inventory.update"),
        *("register_closure.create", "consignment.send", "consignment.receive"),
    ]
}


def _object(required: str, **fields: Any) -> dict[str, Any]:
    """`required` names the fields that are."""
    return {"type": "object", "properties": fields, "required": required.split()}


_CLOSED = {"additionalProperties": False}
"""Has no other fields."""


def _list(of: Any, **limits: int) -> dict[str, Any]:
    return {"type": "array", "items": of} | limits


def _json(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _query(**schemas: Any) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]


def _call(status: int, answer: Any, asked: Any = None, query: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    body = {"requestBody": _json(asked) | {"required": True}} if asked else {}
    return {"responses": {str(status): _json(answer)}, "parameters": query or []} | body


def _page(of: Any) -> dict[str, Any]:
    return _object("data version", data=_list(of), version=_object("min max", min=_VERSION, max=_VERSION))


_WANTED = _CLOSED | _object(
    "product_id outlet_id quantity reason",
    product_id=_ID,
    outlet_id=_ID,
    quantity=_TEXT | {"maxLength": 32},
    reason=_WHY,
    custom_inventory_adjustment_reason_id=_ID,
)
_MADE = _object(
    "id user_id product_id outlet_id quantity reason created_at updated_at version",
    **dict.fromkeys(("id", "user_id", "product_id", "outlet_id", "quantity", "created_at", "updated_at"), _TEXT),
    reason=_WHY,
    version=_WHOLE,
    custom_inventory_adjustment_reason_id=_TEXT,
)
_SIGN = {"enum": ["POSITIVE", "NEGATIVE"]}
_REASON = _object("name enabled type", name=_TEXT | {"maxLength": 30}, enabled=_YES, type=_SIGN)
_OWN = _object(
    "id name enabled type is_from_external_source version created_at updated_at",
    **dict.fromkeys(("id", "name", "created_at", "updated_at"), _TEXT),
    enabled=_YES,
    type=_SIGN,
    is_from_external_source=_YES,
    version=_WHOLE,
)
_LEVELS = _CLOSED | _object(
    "",
    product_ids=_list(_ID, maxItems=1000),
    location_ids=_list(_ID, maxItems=1000),
    include_inactive=_YES,
    include_composites=_YES,
    size=_WHOLE | {"maximum": 10_000},
    offset=_WHOLE,
    sort_direction={"enum": ["asc", "desc"]},
    sort_type={"enum": ["total_count", "total_cost", "average_cost", "product_name", "created_at"]},
)
_LEVEL = _object("", product_id=_TEXT, location_id=_TEXT, current_inventory_level=_NUMBER, name=_TEXT)
_WEBHOOK = _object("", id=_TEXT, retailer_id=_TEXT, active=_YES, type=_HOOK, url=_TEXT)

INVENTORY = Description(
    {
        "openapi": "3.1.0",
        "servers": [{"url": "https://example.retail.lightspeed.app/api/2026-07"}],
        "paths": {
            "/stock_adjustments": {
                "get": _call(200, _page(_MADE), query=_query(after=_WHOLE, page_size=_WHOLE | {"maximum": 1000})),
                "post": _call(
                    201,
                    _object("data", data=_list(_MADE)),
                    _CLOSED | _object("stock_adjustments", stock_adjustments=_list(_WANTED, minItems=1, maxItems=1000)),
                ),
            },
            "/custom_inventory_adjustment_reasons": {
                "get": _call(200, _page(_OWN), query=_query(after=_WHOLE, page_size=_WHOLE | {"maximum": 100})),
                "post": _call(200, _object("data", data=_OWN), _REASON),
            },
            "/inventory_levels": {"post": _call(200, _list(_LEVEL), _LEVELS)},
            "/webhooks": {
                "get": _call(200, _object("", data=_list(_WEBHOOK))),
                "post": _call(
                    201,
                    _object("", data=_WEBHOOK),
                    _object("active type url", active=_YES, type=_HOOK, url=_TEXT | {"minLength": 3}),
                ),
            },
        },
    }
)
