"""An order of the REST API v3 (webhooks carry the same) as a canonical one.

Whatever `prices_include_tax` says, `total` and `subtotal` of every line, fee and shipping line are without tax, and the
order's `total` is with it: so `taxes_included` is always false. A shop that rounds at the subtotal shows line amounts
that don't add up to its total by some cents; that difference is the `adjustment`.

WooCommerce has no gift cards of its own: an order has one way of paying, and `total` is what was paid by it. So
`gift_cards` is always zero; what plugins add about theirs is in their own words.

https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties
https://github.com/woocommerce/woocommerce/issues/62846 (without tax)
https://github.com/woocommerce/woocommerce/issues/25720 (roundings)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from html import unescape
from typing import Any

from bellwire.clock import parse_utc
from bellwire.connectors.woocommerce.manifest import ShopSettings
from bellwire.errors import CannotNormalise
from bellwire.events import (
    Address,
    Customer,
    Discount,
    Fee,
    Line,
    Order,
    OrderPayment,
    Refund,
    ShippingLine,
    Tax,
    what_is_wrong,
)
from bellwire.events.orders import PaymentState
from bellwire.money import Money, total

DRAFTS = frozenset({"auto-draft", "checkout-draft"})
"""A cart that is still being filled, or an order that somebody is typing in."""
CALLED_OFF = frozenset({"cancelled", "trash"})
_UNPAID = frozenset({"pending", "on-hold", "failed"})


def read_order(body: Mapping[str, Any], settings: ShopSettings) -> Order:
    """Raises CannotNormalise when the body isn't an order, or has amounts that can't be held."""
    try:
        return _Reader(body, settings).order()
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise CannotNormalise(
            f"Order {body.get('id', 'without an id')} can't be read: {what_is_wrong(error)}.",
            remedy="A plugin of the shop may have changed what orders look like; the order is kept as it came.",
        ) from error


def time_of(body: Mapping[str, Any], *fields: str) -> datetime | None:
    """The first of `fields` that holds a time; they are in UTC without saying so."""
    text = next((body[field] for field in fields if body.get(field)), None)
    return parse_utc(text) if text else None


@dataclass(frozen=True)
class _Reader:
    body: Mapping[str, Any]
    settings: ShopSettings

    def order(self) -> Order:
        body = self.body
        lines = tuple(self._line(item) for item in body["line_items"])
        shipping = tuple(self._shipping(item) for item in body.get("shipping_lines", ()))
        whole, tax_total = self._money(body["total"]), self._money(body["total_tax"])
        tip = self._sum(fee["total"] for fee in body.get("fee_lines", ()) if self._is_tip(fee))
        fees = tuple(self._fee(fee) for fee in body.get("fee_lines", ()) if not self._is_tip(fee))
        named = self._sum(item["total"] for item in (*body["line_items"], *body.get("shipping_lines", ())))
        modified = time_of(body, "date_modified_gmt", "date_created_gmt")
        created = time_of(body, "date_created_gmt", "date_modified_gmt")
        if modified is None or created is None:
            raise ValueError("it has no time")
        return Order(
            id=str(body["id"]),
            number=str(body.get("number") or body["id"]).removeprefix("#"),
            created_at=created,
            updated_at=modified,
            paid_at=time_of(body, "date_paid_gmt"),
            cancelled_at=modified if body["status"] in CALLED_OFF else None,
            payment=self._payment(whole),
            status=body["status"],
            currency=body["currency"],
            taxes_included=False,
            customer=self._customer(),
            billing=_address(body.get("billing") or {}),
            shipping=_address(body.get("shipping") or {}),
            lines=lines,
            shipping_lines=shipping,
            fees=fees,
            discounts=tuple(
                Discount(code=coupon["code"], name=coupon["code"], amount=self._money(coupon["discount"]))
                for coupon in body.get("coupon_lines", ())
            ),
            taxes=self._taxes(),
            tax_total=tax_total,
            tip=tip,
            adjustment=whole - named - total((fee.total for fee in fees), whole.currency) - tip - tax_total,
            total=whole,
            gift_cards=self._money(0),
            refunded=self._refunded,
            refunds=tuple(self._refund(refund, modified) for refund in body.get("refunds", ())),
            note=body.get("customer_note") or "",
            source=body.get("created_via") or "",
            payment_method=unescape(body.get("payment_method_title") or body.get("payment_method") or ""),
            payments=self._payments(whole),
        )

    def _payments(self, whole: Money) -> tuple[OrderPayment, ...]:
        """One at most. What its id is to the processor, the payment method's plugin decides: of a card it is the charge
        as a rule."""
        paid_at = time_of(self.body, "date_paid_gmt")
        if paid_at is None or not whole:
            return ()
        return (
            OrderPayment(
                gateway=self.body.get("payment_method") or "",
                payment_id=self.body.get("transaction_id") or "",
                amount=whole,
                paid_at=paid_at,
            ),
        )

    def _line(self, item: Mapping[str, Any]) -> Line:
        quantity = Decimal(str(item["quantity"]))
        if quantity != int(quantity):
            raise CannotNormalise(
                f"Order {self.body['id']} has {quantity} of '{item['name']}'; only whole pieces can be counted.",
                remedy="A plugin of the shop sells by weight or length: take this order by hand.",
            )
        after = self._money(item["total"])
        before = max(after, self._money(item["subtotal"]))
        sku = item.get("sku") or ""  # null once the product is deleted
        return Line(
            id=str(item["id"]),
            sku=sku,
            name=unescape(item["name"]),
            quantity=int(quantity),
            unit_price=_each(before, int(quantity)),
            discount=before - after,
            total=after,
            taxes=self._line_taxes(item),
            product_id=_id(item.get("product_id")),
            variant_id=_id(item.get("variation_id")),
            ships=sku not in self.settings.digital_skus and self.body.get("needs_processing") is not False,
        )

    def _shipping(self, item: Mapping[str, Any]) -> ShippingLine:
        price = self._money(item["total"])
        return ShippingLine(
            name=unescape(item.get("method_title") or ""),
            price=price,
            discount=self._money(0),
            total=price,
            taxes=self._line_taxes(item),
        )

    def _fee(self, fee: Mapping[str, Any]) -> Fee:
        name = unescape(fee.get("name") or "Fee")
        return Fee(name=name, total=self._money(fee["total"]), taxes=self._line_taxes(fee))

    @cached_property
    def _rates(self) -> dict[int, tuple[str, Decimal | None]]:
        """Rate id → label and fraction."""
        return {rate["rate_id"]: (_tax_name(rate), _fraction(rate)) for rate in self.body.get("tax_lines", ())}

    def _line_taxes(self, item: Mapping[str, Any]) -> tuple[Tax, ...]:
        return tuple(
            Tax(name=name, rate=rate, amount=self._money(tax["total"]).rounded())
            for tax in item.get("taxes", ())
            for name, rate in [self._rates.get(tax["id"], ("Tax", None))]
            if tax["total"]
        )

    def _taxes(self) -> tuple[Tax, ...]:
        """By label; a label that stands for several rates has none."""
        amounts: dict[str, Money] = {}
        rates: dict[str, set[Decimal | None]] = {}
        for line in self.body.get("tax_lines", ()):
            name = _tax_name(line)
            amount = self._sum([line["tax_total"], line["shipping_tax_total"]])
            amounts[name] = amounts.get(name, self._money(0)) + amount
            rates.setdefault(name, set()).add(_fraction(line))
        return tuple(
            Tax(name=name, rate=next(iter(rates[name])) if len(rates[name]) == 1 else None, amount=amount)
            for name, amount in amounts.items()
        )

    def _is_tip(self, fee: Mapping[str, Any]) -> bool:
        return (fee.get("name") or "").strip().casefold() in {name.casefold() for name in self.settings.tip_fees}

    @cached_property
    def _refunded(self) -> Money:
        """Totals of refunds are negative, and with tax."""
        return -self._sum(refund["total"] for refund in self.body.get("refunds", ()))

    def _refund(self, refund: Mapping[str, Any], seen: datetime) -> Refund:
        """Where the order doesn't say when, it is the time of the state that first showed it."""
        return Refund(
            id=str(refund["id"]),
            order_id=str(self.body["id"]),
            order_number=str(self.body.get("number") or self.body["id"]),
            created_at=time_of(refund, "date_created_gmt") or seen,
            amount=-self._money(refund["total"]),
            reason=unescape(refund.get("reason") or ""),
        )

    def _payment(self, whole: Money) -> PaymentState:
        status = self.body["status"]
        if status == "refunded" or (self._refunded and self._refunded >= whole):
            return PaymentState.REFUNDED
        if self._refunded:
            return PaymentState.PARTLY_REFUNDED
        if status == "failed":
            return PaymentState.FAILED
        if self.body.get("date_paid_gmt") and status not in _UNPAID:
            return PaymentState.PAID
        return PaymentState.VOIDED if status in CALLED_OFF else PaymentState.PENDING

    def _customer(self) -> Customer | None:
        billing = self.body.get("billing") or {}
        customer = Customer(
            id=_id(self.body.get("customer_id")),
            name=_name(billing),
            email=billing.get("email") or "",
            phone=billing.get("phone") or "",
            company=billing.get("company") or "",
        )
        return customer if customer != Customer() else None

    def _money(self, amount: Any) -> Money:
        return Money.of(str(amount or 0), self.body["currency"])

    def _sum(self, amounts: Iterable[Any]) -> Money:
        return total((self._money(amount) for amount in amounts), self.body["currency"])


def _id(number: Any) -> str:
    """Ids are 0 where there is none: a guest, a product without variations."""
    return str(number) if number else ""


def _each(amount: Money, quantity: int) -> Money:
    """A share that multiplies back exactly where there is one, else to the millionth."""
    if quantity == 0:
        return amount
    share = amount.amount / quantity
    even = Money.of(share, amount.currency).rounded()
    return even if even * quantity == amount else Money.of(round(share, 6), amount.currency)


def _tax_name(line: Mapping[str, Any]) -> str:
    return unescape(line.get("label") or line.get("rate_code") or "Tax")


def _fraction(line: Mapping[str, Any]) -> Decimal | None:
    """Shops before WooCommerce 3.7 don't say the rate."""
    percent = line.get("rate_percent")
    return None if percent is None else Decimal(str(percent)) / 100


def _name(person: Mapping[str, Any]) -> str:
    return f"{person.get('first_name') or ''} {person.get('last_name') or ''}".strip()


def _address(given: Mapping[str, Any]) -> Address | None:
    """None when nothing is filled in, as the shipping address of an order that isn't sent."""
    address = Address(
        name=_name(given),
        company=given.get("company") or "",
        line1=given.get("address_1") or "",
        line2=given.get("address_2") or "",
        city=given.get("city") or "",
        region=given.get("state") or "",
        postcode=given.get("postcode") or "",
        country=given.get("country") or "",
        phone=given.get("phone") or "",
    )
    # A country alone is the shop's default, not an address.
    return address if address.model_copy(update={"country": "", "region": ""}) != Address() else None
