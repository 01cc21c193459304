"""What the practice database holds: models, their fields, and the records that it starts with."""

from collections.abc import Mapping
from typing import Any

from bellwire.practice.catalogue import CATALOGUE, GOODS

Row = dict[str, Any]

UNITS, PACK, USD, EUR, COMPANY, BOT, TEA_IMPORTS, POTTERY = 1, 2, 1, 2, 1, 6, 9, 11
SUPPLIERS, CUSTOMERS, STOCK, INCOMING = 4, 5, 8, 1
_SIX = 6.0

FIELDS: dict[str, Mapping[str, str]] = {
    "product.product": {"default_code": "", "name": "", "product_tmpl_id": "product.template", "uom_id": "uom.uom"},
    "product.template": {"name": ""},
    "product.supplierinfo": {
        **dict.fromkeys(("sequence", "min_qty", "price", "discount", "delay", "date_start", "date_end"), ""),
        "partner_id": "res.partner",
        "product_id": "product.product",
        "product_tmpl_id": "product.template",
        "currency_id": "res.currency",
        "product_uom_id": "uom.uom",
    },
    "purchase.order": {
        **dict.fromkeys(("name", "origin", "partner_ref", "state", "amount_total", "note", "order_line"), ""),
        "partner_id": "res.partner",
        "currency_id": "res.currency",
    },
    "purchase.order.line": {
        **dict.fromkeys(("name", "product_qty", "product_uom_qty", "qty_received", "price_unit", "date_planned"), ""),
        "order_id": "purchase.order",
        "product_id": "product.product",
        "product_uom_id": "uom.uom",
    },
    "res.company": {"name": ""},
    "res.currency": {"name": ""},
    "res.partner": {"name": ""},
    "res.users": {"login": "", "name": "", "company_id": "res.company"},
    "res.users.apikeys": {"name": "", "scope": "", "expiration_date": "", "user_id": "res.users"},
    "stock.location": {"name": "", "usage": ""},
    "stock.move.line": {
        **dict.fromkeys(("quantity", "quantity_product_uom", "state"), ""),
        "picking_id": "stock.picking",
        "product_id": "product.product",
    },
    "stock.picking": {
        **dict.fromkeys(("name", "origin", "state", "date_done"), ""),
        "partner_id": "res.partner",
        "purchase_id": "purchase.order",
        "location_id": "stock.location",
    },
    "uom.uom": {"name": "", "factor": ""},
}
"""Model → field → the model that it refers to; empty: it is a value. All have `id`, `active`, `create_date` and
`write_date` too."""

COMMON = ("id", "active", "create_date", "write_date")


def product_id(sku: str) -> int:
    """What the practice database calls a good."""
    return 200 + next(index for index, good in enumerate(CATALOGUE) if good.sku == sku)


def rows() -> dict[str, dict[int, Row]]:
    """Model → id → record, without the fields that all have."""
    held: dict[str, dict[int, Row]] = {model: {} for model in FIELDS}
    held["res.company"][COMPANY] = {"name": "Practice Tea Ltd"}
    held["res.users"][BOT] = {"login": "bellwire", "name": "Bellwire", "company_id": COMPANY}
    held["res.currency"] |= {USD: {"name": "USD"}, EUR: {"name": "EUR"}}
    held["res.partner"] |= {TEA_IMPORTS: {"name": "Hill Tea Imports"}, POTTERY: {"name": "Clay & Co"}}
    held["uom.uom"] |= {UNITS: {"name": "Units", "factor": 1.0}, PACK: {"name": "Pack of 6", "factor": _SIX}}
    held["stock.location"] |= {
        SUPPLIERS: {"name": "Vendors", "usage": "supplier"},
        CUSTOMERS: {"name": "Customers", "usage": "customer"},
        STOCK: {"name": "Stock", "usage": "internal"},
    }
    for index, good in enumerate(CATALOGUE):
        template, product = 100 + index, 200 + index
        held["product.template"][template] = {"name": good.name}
        held["product.product"][product] = {
            "default_code": good.sku,
            "name": good.name,
            "product_tmpl_id": template,
            "uom_id": UNITS,
        }
        if not good.ships or good.sku.startswith("SCOOP"):
            continue  # Nobody supplies these.
        held["product.supplierinfo"][300 + index] = terms_of(good.sku, held["product.product"][product])
    return held


def terms_of(sku: str, product: Row) -> Row:
    """On which a supplier usually sells a good."""
    pottery, half = sku.startswith(("MUG", "POT")), float(GOODS[sku].price) / 2
    return {
        "partner_id": POTTERY if pottery else TEA_IMPORTS,
        "product_tmpl_id": product["product_tmpl_id"],
        "product_id": False,
        "sequence": 1,
        "min_qty": 2.0 if pottery else 12.0,
        "price": round(half * _SIX if pottery else half, 2),
        "discount": 0.0,
        "delay": 21 if pottery else 7,
        "currency_id": USD,
        "product_uom_id": PACK if pottery else UNITS,
        "date_start": False,
        "date_end": False,
    }
