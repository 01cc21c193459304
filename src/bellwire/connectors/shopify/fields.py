"""Fields of Shopify's REST shape."""

from collections.abc import Mapping
from typing import Any

from bellwire.money import Money

Body = Mapping[str, Any]


def text_of(body: Body, field: str) -> str:
    """Empty when it isn't there, or null."""
    value = body.get(field)
    return "" if value is None else str(value)


def amount_of(body: Body, field: str, currency: str) -> Money:
    """`field` in the shop's currency; zero when it isn't there."""
    both = body.get(f"{field}_set")
    if both:
        return money_of(both["shop_money"])
    # Refunds have bare JSON numbers: their shortest text is the exact amount.
    return Money.of(str(body.get(field) or 0), currency)


def price_of(entry: Body, currency: str) -> Money:
    return amount_of(entry, "price", currency)


def money_of(entry: Body) -> Money:
    return Money.of(entry["amount"], entry["currency_code"])
