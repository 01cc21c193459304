"""A simulated Square seller: one location, the practice catalogue, its stock.

https://developer.squareup.com/reference/square/inventory-api
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.quota import Quota
from bellwire.practice.simulator import Simulator

_VERSION = "2025-08-20"

# From where to where the API moves goods.
_MOVES = {("NONE", "IN_STOCK"), ("IN_STOCK", "SOLD"), ("IN_STOCK", "WASTE"), ("UNLINKED_RETURN", "IN_STOCK")}


class _Error(Exception):
    """Square's `{"errors": [...]}`."""

    def __init__(self, status: int, code: str, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.where = status, code, detail, where

    def answer(self) -> Response:
        category = {401: "AUTHENTICATION_ERROR", 429: "RATE_LIMIT_ERROR"}.get(self.status, "INVALID_REQUEST_ERROR")
        if self.status >= 500:
            category = "API_ERROR"
        error = {"category": category, "code": self.code, "detail": self.detail}
        return _json({"errors": [error | ({"field": self.where} if self.where else {})]}, self.status)


@dataclass
class SquareSimulator(Simulator):
    """`page_size` is the most that a page of counts or of the catalogue holds."""

    vendor: ClassVar[str] = "square"
    credentials: ClassVar[Mapping[str, str]] = {"access_token": "EAAApractice"}
    settings: ClassVar[Mapping[str, Any]] = {"location_id": "LPRACTICE"}

    # Square publishes no number: this one is assumed.
    quotas: list[Quota] = field(default_factory=lambda: [Quota(20, 1)])
    page_size: int = 1000
    items: dict[str, Good] = field(default_factory=lambda: {f"VAR-{good.sku}": good for good in CATALOGUE})
    """Variation id → what it is."""
    shelf: dict[str, int] = field(
        default_factory=lambda: {f"VAR-{good.sku}": good.stock for good in CATALOGUE if good.ships}
    )
    """Variation id → how many are in stock."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    """Every adjustment that was made, oldest first."""
    _answered: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def stock(self) -> dict[str, int]:
        return {self.items[item].sku: number for item, number in self.shelf.items()}

    def state(self) -> dict[str, Any]:
        return {"stock": self.stock(), "changes": self.changes}

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/v2/locations", self._served(lambda _body: self._locations())),
            Route("/v2/catalog/search", self._served(self._search), methods=["POST"]),
            Route("/v2/inventory/counts/batch-retrieve", self._served(self._counts), methods=["POST"]),
            Route("/v2/inventory/changes/batch-create", self._served(self._change), methods=["POST"]),
        ]

    def rate_limited(self, seconds: float) -> Response:
        return _Error(429, "RATE_LIMITED", "Too many requests.").answer()

    def failed(self) -> Response:
        return _Error(500, "INTERNAL_SERVER_ERROR", "An internal error has occurred.").answer()

    def signed_out(self) -> Response:
        return _Error(401, "UNAUTHORIZED", "This request could not be authorized.").answer()

    def _served(self, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self.credentials['access_token']}":
                return self.signed_out()
            # Without a version it is the application's own.
            version = request.headers.get("square-version", _VERSION)
            try:
                if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
                    raise _Error(400, "INVALID_SQUARE_VERSION_FORMAT", f"Not a version: {version}", "Square-Version")
                return _json(answer(await _body(request)), version=version)
            except _Error as error:
                return error.answer()

        return serve

    def _locations(self) -> dict[str, Any]:
        location = {
            "id": self.settings["location_id"],
            "name": "Practice shop",
            "business_name": "Practice Tea Ltd",
            "status": "ACTIVE",
            "merchant_id": "MPRACTICE",
            "country": "US",
            "currency": "USD",
            "language_code": "en-US",
            "timezone": "America/Chicago",
        }
        return {"locations": [location]}

    def _search(self, body: dict[str, Any]) -> dict[str, Any]:
        query = body.get("query", {}).get("set_query") or {}
        if query.get("attribute_name") != "sku" or body.get("object_types") != ["ITEM_VARIATION"]:
            raise _Error(400, "BAD_REQUEST", "Practice searches item variations by a set of SKUs only.", "query")
        if len(query["attribute_values"]) > 250:
            raise _Error(400, "ARRAY_LENGTH_TOO_LONG", "At most 250 values.", "query.set_query.attribute_values")
        wanted = {value.casefold() for value in query["attribute_values"]}
        found = [_variation(item, good) for item, good in self.items.items() if good.sku.casefold() in wanted]
        return self._page("objects", found, body)

    def _counts(self, body: dict[str, Any]) -> dict[str, Any]:
        items, places = body.get("catalog_object_ids"), body.get("location_ids")
        here = places is None or self.settings["location_id"] in places
        counts = [self._count(item) for item in self.shelf if here and (items is None or item in items)]
        return self._page("counts", counts, body)

    def _change(self, body: dict[str, Any]) -> dict[str, Any]:
        key, changes = body.get("idempotency_key"), body.get("changes")
        if not key:
            raise _Error(400, "MISSING_REQUIRED_PARAMETER", "Missing required parameter.", "idempotency_key")
        if key in self._answered:
            first, answer = self._answered[key]
            if first != body:
                raise _Error(400, "IDEMPOTENCY_KEY_REUSED", "The key was used with another request.", "idempotency_key")
            return dict(answer)
        if not changes or len(changes) > 100:
            code = "ARRAY_LENGTH_TOO_LONG" if changes else "ARRAY_EMPTY"
            raise _Error(400, code, "Between 1 and 100 changes.", "changes")
        moves = [self._read(change, f"changes[{number}]") for number, change in enumerate(changes)]
        for item, quantity in moves:
            self.shelf[item] = self.shelf.get(item, 0) + quantity
        made = [{**change["adjustment"], "id": f"ADJ-{len(self.changes) + n}"} for n, change in enumerate(changes)]
        self.changes += made
        answer = {
            "counts": [self._count(item) for item in dict(moves)],
            "changes": [{"type": "ADJUSTMENT", "adjustment": adjustment} for adjustment in made],
        }
        self._answered[key] = body, answer
        return answer

    def _read(self, change: Mapping[str, Any], where: str) -> tuple[str, int]:
        """The item and how its stock changes. Nothing is changed before all of a request can be read."""
        adjustment = change.get("adjustment")
        if change.get("type") != "ADJUSTMENT" or not adjustment:
            raise _Error(400, "INVALID_VALUE", "Practice makes adjustments only.", f"{where}.type")
        for name in ("catalog_object_id", "location_id", "quantity", "from_state", "to_state", "occurred_at"):
            if not adjustment.get(name):
                raise _Error(400, "MISSING_REQUIRED_PARAMETER", "Missing required parameter.", f"{where}.{name}")
        if adjustment["catalog_object_id"] not in self.items:
            raise _Error(404, "NOT_FOUND", "Catalog object not found.", f"{where}.catalog_object_id")
        if adjustment["location_id"] != self.settings["location_id"]:
            raise _Error(404, "NOT_FOUND", "Location not found.", f"{where}.location_id")
        move = adjustment["from_state"], adjustment["to_state"]
        if move not in _MOVES:
            raise _Error(400, "INVALID_VALUE", f"No transition from {move[0]} to {move[1]}.", f"{where}.to_state")
        quantity = _quantity(adjustment["quantity"], where)
        return adjustment["catalog_object_id"], quantity if move[1] == "IN_STOCK" else -quantity

    def _count(self, item: str) -> dict[str, Any]:
        return {
            "catalog_object_id": item,
            "catalog_object_type": "ITEM_VARIATION",
            "state": "IN_STOCK",
            "location_id": self.settings["location_id"],
            "quantity": str(self.shelf.get(item, 0)),
            "calculated_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def _page(self, name: str, rows: list[Any], body: Mapping[str, Any]) -> dict[str, Any]:
        start = int(body.get("cursor") or 0)
        end = start + min(self.page_size, int(body.get("limit") or self.page_size))
        return {name: rows[start:end]} | ({"cursor": str(end)} if end < len(rows) else {})


def _variation(item: str, good: Good) -> dict[str, Any]:
    return {
        "type": "ITEM_VARIATION",
        "id": item,
        "version": 1,
        "is_deleted": False,
        "present_at_all_locations": True,
        "item_variation_data": {
            "item_id": f"ITEM-{good.sku}",
            "name": good.name,
            "sku": good.sku,
            "pricing_type": "FIXED_PRICING",
            "price_money": {"amount": int(good.price * 100), "currency": "USD"},
            "track_inventory": good.ships,
        },
    }


def _quantity(text: Any, where: str) -> int:
    """A positive decimal string. Practice sells whole things."""
    try:
        quantity = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        raise _Error(400, "EXPECTED_STRING", "Expected a decimal string.", f"{where}.quantity") from None
    if quantity <= 0 or quantity != int(quantity):
        raise _Error(400, "INVALID_VALUE", "Must be greater than 0.", f"{where}.quantity")
    return int(quantity)


async def _body(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return {}
    try:
        return dict(orjson.loads(await request.body()))
    except ValueError:
        raise _Error(400, "EXPECTED_JSON_BODY", "Expected a JSON body.") from None


def _json(value: Any, status: int = 200, version: str = _VERSION) -> Response:
    return JSONResponse(value, status, {"Square-Version": version})


SIMULATOR = SquareSimulator
