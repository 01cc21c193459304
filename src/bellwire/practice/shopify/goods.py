"""Products and what is in stock of them, as Shopify lists and sends them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.shopify import nodes, sales, schema

Body = dict[str, Any]
Levels = dict[tuple[int, str], Body]
"""Inventory item and location → its level, in the REST shape."""

LOCATION = "655441491"


def products(now: str) -> dict[str, Body]:
    """One product with one variant for each good."""
    return {
        str(sales.FIRST_PRODUCT + index): {
            "id": sales.FIRST_PRODUCT + index,
            "title": good.name,
            "status": "active",
            "updated_at": now,
            "tags": [],
            "variants": [
                {
                    "id": sales.FIRST_VARIANT + index,
                    "sku": good.sku,
                    "title": "Default Title",
                    "price": str(good.price),
                    "barcode": None,
                    "inventory_item_id": sales.FIRST_ITEM + index,
                    "inventory_management": "shopify" if good.ships else None,
                }
            ],
        }
        for index, good in enumerate(CATALOGUE)
    }


def levels(now: str) -> Levels:
    return {
        (sales.FIRST_ITEM + index, LOCATION): level(sales.FIRST_ITEM + index, LOCATION, good.stock, now)
        for index, good in enumerate(CATALOGUE)
        if good.ships
    }


def level(item_id: int, location_id: str, available: int, now: str) -> Body:
    return {
        "inventory_item_id": item_id,
        "location_id": int(location_id),
        "available": available,
        "updated_at": now,
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{location_id}?inventory_item_id={item_id}",
    }


def rest(product: Body, stock: Levels) -> Body:
    """As webhooks carry it."""
    variants = [entry | {"inventory_quantity": _quantity(entry, stock)} for entry in product["variants"]]
    gid = f"gid://shopify/Product/{product['id']}"
    return product | {"tags": ", ".join(product["tags"]), "variants": variants, "admin_graphql_api_id": gid}


def product_node(product: Body, stock: Levels) -> Body:
    return nodes.product_node(product) | {
        "status": product["status"].upper(),
        "updatedAt": product["updated_at"],
        "variants": schema.numbered(product["variants"], lambda entry: _variant_node(entry, stock)),
    }


def find_products(every: Mapping[str, Body], stock: Levels, info: Any, query: str = "", **page: Any) -> Body:
    found = sorted(changed(every.values(), query), key=by_update)
    return schema.connection(
        (by_update(product), lambda product=product: product_node(product, stock))  # type: ignore[misc]
        for product in found
    )(info, **page)


def find_variants(every: Mapping[str, Body], info: Any, query: str = "", **page: Any) -> Body:
    """By the beginning of the SKU, whatever the case: the real search finds more than what is exact, too."""
    wanted = re.fullmatch(r'sku:"(.*)"', query)
    words = re.sub(r"\\(.)", r"\1", wanted[1]).lower() if wanted else ""
    found = [product for product in every.values() if product["variants"][0]["sku"].lower().startswith(words)]
    return schema.numbered(found, nodes.variant_node)(info, **page)


def find_locations(stock: Levels, info: Any, query: str | None = None, **page: Any) -> Body:
    wanted = (query or "").removeprefix("id:")
    known = sorted({location for _, location in stock} | {LOCATION})
    found = [location for location in known if wanted in ("", location)]
    return schema.numbered(found, lambda location: _location(location, stock))(info, **page)


def changed(bodies: Any, query: str) -> list[Body]:
    """Those that changed at the time that a search names, or later."""
    wanted = re.fullmatch(r"updated_at:>='([^']+)'", query)
    since = datetime.fromisoformat(wanted[1]) if wanted else datetime.min.replace(tzinfo=UTC)
    return [body for body in bodies if datetime.fromisoformat(body["updated_at"]) >= since]


def by_update(body: Body) -> str:
    return f"{datetime.fromisoformat(body['updated_at']).timestamp():020.6f}/{body['id']}"


def _variant_node(entry: Body, stock: Levels) -> Body:
    item = {"tracked": entry["inventory_management"] is not None, "legacyResourceId": str(entry["inventory_item_id"])}
    return {
        "legacyResourceId": str(entry["id"]),
        "sku": entry["sku"],
        "title": entry["title"],
        "barcode": entry["barcode"],
        "inventoryQuantity": _quantity(entry, stock),
        "inventoryItem": item,
    }


def _quantity(variant: Body, stock: Levels) -> int:
    """Over all locations."""
    item: int = variant["inventory_item_id"]
    return sum(entry["available"] for (item_id, _), entry in stock.items() if item_id == item)


def _location(location: str, stock: Levels) -> Body:
    def find(info: Any, query: str = "", **page: Any) -> Body:
        here: Sequence[Body] = changed((entry for (_, place), entry in stock.items() if place == location), query)
        return schema.numbered(here, _level_node)(info, **page)

    return {"id": schema.gid("Location", location), "legacyResourceId": location, "inventoryLevels": find}


def _level_node(body: Body) -> Body:
    return {
        "updatedAt": body["updated_at"],
        "item": {"legacyResourceId": str(body["inventory_item_id"])},
        "quantities": lambda _info, names: [
            {"name": name, "quantity": body["available"]} for name in names if name == "available"
        ],
    }
