"""Ready-made canonical data, to be varied by the tests."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bellwire.events import Address, Customer, Line, Order, ShippingLine, Tax
from bellwire.events.orders import PaymentState
from bellwire.money import Money

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def usd(amount: str | Decimal) -> Money:
    return Money.of(amount, "USD")


def line(**changes: Any) -> Line:
    values: dict[str, Any] = {
        "id": "11",
        "sku": "TEA-100",
        "name": "Green tea, 100 g",
        "quantity": 2,
        "unit_price": usd("8.50"),
        "discount": usd("0"),
        "total": usd("17.00"),
        "taxes": (Tax(name="Sales tax", rate=Decimal("0.0825"), amount=usd("1.40")),),
        "product_id": "501",
        "variant_id": "601",
        "weight_grams": 120,
    }
    return Line(**(values | changes))


def order(**changes: Any) -> Order:
    """Two packets of tea with shipping and US sales tax: 17.00 + 6.00 + 1.40 = 24.40."""
    values: dict[str, Any] = {
        "id": "450789469",
        "number": "1001",
        "created_at": NOW,
        "updated_at": NOW,
        "paid_at": NOW,
        "payment": PaymentState.PAID,
        "status": "paid",
        "currency": "USD",
        "taxes_included": False,
        "customer": Customer(id="7", name="Robin Hill", email="robin@example.com", phone="+15125550123"),
        "billing": ADDRESS,
        "shipping": ADDRESS,
        "lines": (line(),),
        "shipping_lines": (ShippingLine(name="Standard", price=usd("6.00"), discount=usd("0"), total=usd("6.00")),),
        "taxes": (Tax(name="Sales tax", rate=Decimal("0.0825"), amount=usd("1.40")),),
        "tax_total": usd("1.40"),
        "tip": usd("0"),
        "adjustment": usd("0"),
        "total": usd("24.40"),
        "gift_cards": usd("0"),
        "refunded": usd("0"),
    }
    return Order(**(values | changes))


ADDRESS = Address(
    name="Robin Hill",
    line1="1 Main St",
    city="Austin",
    region="TX",
    postcode="78701",
    country="US",
    phone="+15125550123",
)
