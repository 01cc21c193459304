"""Products as the shop shows them."""

from decimal import Decimal

from bellwire.practice.catalogue import Good
from bellwire.practice.woocommerce.answers import Body, now, text


def new_product(number: int, name: str, good: Good | None = None) -> Body:
    made = text(now())
    return {
        "id": number,
        "name": name,
        "type": "simple",
        "status": "publish",
        "date_created_gmt": made,
        "date_modified_gmt": made,
        "sku": good.sku if good else "",
        "price": str(good.price) if good else "",
        "regular_price": str(good.price) if good else "",
        "virtual": bool(good and not good.ships),
        "downloadable": False,
        "manage_stock": bool(good and good.ships),
        "stock_quantity": good.stock if good and good.ships else None,
        "stock_status": "instock",
        "weight": str(Decimal(good.weight_grams) / 1000) if good else "",
        "parent_id": 0,
        "categories": [],
        "tags": [],
        "attributes": [],
        "variations": [],
        "meta_data": [],
    }
