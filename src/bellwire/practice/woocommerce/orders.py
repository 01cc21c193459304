"""Orders, as the shop works them out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

from bellwire.money import digits
from bellwire.practice.roles import Sale
from bellwire.practice.woocommerce.answers import Body, now, text

ROOT = "/wp-json/wc/v3"
_RATE_ID, _TAX_LABEL = 1, "Sales tax"


def new_order(number: int, sale: Sale, products: Mapping[str, Body], ids: "count[int]", at_subtotal: bool) -> Body:
    """Amounts of lines are without tax, whatever the prices are. Coupons come off before tax; when prices include tax,
    so do they. Shipping is priced without tax. https://woocommerce.com/document/setting-up-taxes-in-woocommerce/"""
    sums = _Sums(sale, at_subtotal)
    lines = [
        sums.line(
            {
                "id": next(ids),
                "name": product["name"],
                "product_id": product["parent_id"] or product["id"],
                "variation_id": product["id"] if product["parent_id"] else 0,
                "quantity": line.quantity,
                "tax_class": "",
                "meta_data": [],
                "sku": line.sku,
            },
            gross,
            reduced,
        )
        for line, product, gross, reduced in _discounted(sale, products)
    ]
    sent = bool(sale.shipping) or any(not products[line.sku]["virtual"] for line in sale.lines)
    shipping = [sums.shipping(next(ids))] if sent else []
    tips = [sums.tip(next(ids))] if sale.tip else []
    person, placed = sale.customer, text(now() - sale.ago)
    first, _, last = person.name.partition(" ")
    address = {
        "first_name": first,
        "last_name": last,
        "company": person.company,
        "address_1": "1 Main St",
        "address_2": "",
        "city": "Austin",
        "state": "TX",
        "postcode": "78701",
        "country": "US",
        "phone": person.phone,
    }
    return {
        "id": number,
        "parent_id": 0,
        "number": sale.number,
        "order_key": f"wc_order_{number}",
        "created_via": "checkout",
        "version": "10.3.0",
        "status": "pending",
        "currency": sale.currency,
        "date_created": placed,
        "date_created_gmt": placed,
        "date_modified": placed,
        "date_modified_gmt": placed,
        "prices_include_tax": sale.taxes_included,
        "customer_id": int(person.id) if person.id.isdecimal() else 0,
        "customer_note": sale.note,
        "billing": address | {"email": person.email},
        "shipping": address if sent else dict.fromkeys(address, ""),
        "payment_method": "card",
        "payment_method_title": "Card",
        "transaction_id": "",
        "date_paid": None,
        "date_paid_gmt": None,
        "date_completed": None,
        "date_completed_gmt": None,
        "meta_data": [],
        "line_items": lines,
        "shipping_lines": shipping,
        "fee_lines": tips,
        "refunds": [],
        "needs_processing": any(
            not (products[line.sku]["virtual"] and products[line.sku]["downloadable"]) for line in sale.lines
        ),
        **sums.totals(next(ids), next(ids)),
        "_links": {"self": [{"href": f"https://tea.example{ROOT}/orders/{number}"}]},
    }


@dataclass
class _Sums:
    """Adds up an order. Taxes round half down when prices include them, so that net and tax give the price again."""

    sale: Sale
    at_subtotal: bool
    nets: list[Decimal] = field(default_factory=list)
    taxes: list[Decimal] = field(default_factory=list)
    discounts: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    shipping_net: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)

    def line(self, item: Body, gross: Decimal, reduced: Decimal) -> Body:
        """`gross` is the price of all pieces, `reduced` the same after coupons, both as the shop's prices are."""
        subtotal, subtotal_tax = self._split(gross)
        net, tax = self._split(reduced)
        self.nets.append(net)
        self.taxes.append(tax)
        self.discounts.append((subtotal - net, subtotal_tax - tax))
        return item | {
            "subtotal": self._amount(subtotal),
            "subtotal_tax": self._amount(subtotal_tax),
            "total": self._amount(net),
            "total_tax": self._amount(tax),
            "taxes": self._tax_entries(tax, subtotal_tax),
            "price": float(net / item["quantity"]) if item["quantity"] else 0,
        }

    def shipping(self, number: int) -> Body:
        self.shipping_net = self._round(self.sale.shipping)
        self.shipping_tax = self._tax(self.shipping_net * self.sale.tax_rate)
        return {
            "id": number,
            "method_title": "Flat rate" if self.shipping_net else "Free shipping",
            "method_id": "flat_rate" if self.shipping_net else "free_shipping",
            "total": self._amount(self.shipping_net),
            "total_tax": self._amount(self.shipping_tax),
            "taxes": self._tax_entries(self.shipping_tax, self.shipping_tax),
            "meta_data": [],
        }

    def tip(self, number: int) -> Body:
        self.fees += self._round(self.sale.tip)
        return {
            "id": number,
            "name": "Tip",
            "tax_class": "",
            "tax_status": "none",
            "amount": str(self.sale.tip),
            "total": self._amount(self.fees),
            "total_tax": self._amount(Decimal(0)),
            "taxes": [],
            "meta_data": [],
        }

    def totals(self, tax_line: int, coupon_line: int) -> Body:
        goods = sum(self.nets, Decimal(0)) if self.at_subtotal else sum(map(self._round, self.nets), Decimal(0))
        cart_tax, shipping_tax = self._round_tax(sum(self.taxes, Decimal(0))), self._round_tax(self.shipping_tax)
        discount, discount_tax = (sum(part, Decimal(0)) for part in zip(*self.discounts, strict=True))
        amount = self._amount
        return {
            "discount_total": amount(discount),
            "discount_tax": amount(discount_tax),
            "shipping_total": amount(self.shipping_net),
            "shipping_tax": amount(shipping_tax),
            "cart_tax": amount(cart_tax),
            "total_tax": amount(cart_tax + shipping_tax),
            "total": amount(goods + self.fees + self.shipping_net + cart_tax + shipping_tax),
            "tax_lines": [
                {
                    "id": tax_line,
                    "rate_code": "US-TX-SALES TAX-1",
                    "rate_id": _RATE_ID,
                    "label": _TAX_LABEL,
                    "compound": False,
                    "tax_total": amount(cart_tax),
                    "shipping_tax_total": amount(shipping_tax),
                    "rate_percent": float(self.sale.tax_rate * 100),
                    "meta_data": [],
                }
            ]
            if self.sale.tax_rate
            else [],
            "coupon_lines": [
                {
                    "id": coupon_line,
                    "code": "welcome",
                    "discount": amount(discount),
                    "discount_tax": amount(discount_tax),
                    "meta_data": [],
                }
            ]
            if discount
            else [],
        }

    def _split(self, price: Decimal) -> tuple[Decimal, Decimal]:
        """Net, not rounded, and tax."""
        if not self.sale.taxes_included:
            return price, self._tax(price * self.sale.tax_rate)
        net = price / (1 + self.sale.tax_rate)
        return net, self._tax(price - net)

    def _tax(self, tax: Decimal) -> Decimal:
        return tax if self.at_subtotal else self._round_tax(tax)

    def _tax_entries(self, tax: Decimal, subtotal: Decimal) -> list[Body]:
        return [{"id": _RATE_ID, "total": str(tax), "subtotal": str(subtotal)}] if self.sale.tax_rate else []

    def _round_tax(self, tax: Decimal) -> Decimal:
        return tax.quantize(self._unit, ROUND_HALF_DOWN if self.sale.taxes_included else ROUND_HALF_UP)

    def _round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self._unit, ROUND_HALF_UP)

    def _amount(self, amount: Decimal) -> str:
        return str(self._round(amount) + 0)

    @property
    def _unit(self) -> Decimal:
        return Decimal(1).scaleb(-digits(self.sale.currency))


def _discounted(sale: Sale, products: Mapping[str, Body]) -> list[tuple[Any, Body, Decimal, Decimal]]:
    """Line, product, price of all its pieces, and the same after coupons. A coupon for the whole cart is shared out
    evenly by piece, what is left over cent by cent; no line becomes negative."""
    unit = Decimal(1).scaleb(-digits(sale.currency))
    gross = [Decimal(products[line.sku]["price"]).quantize(unit, ROUND_HALF_UP) * line.quantity for line in sale.lines]
    reduced = [max(price - line.discount, Decimal(0)) for price, line in zip(gross, sale.lines, strict=True)]
    left = min(sale.order_discount.quantize(unit), sum(reduced, Decimal(0)))
    while left > 0:
        open_lines = [i for i, amount in enumerate(reduced) if amount > 0]
        pieces = sum(sale.lines[i].quantity for i in open_lines)
        each = (left / pieces) // unit * unit
        for i in open_lines:
            share = min(each * sale.lines[i].quantity or unit, reduced[i], left)
            reduced[i] -= share
            left -= share
    return [
        (line, products[line.sku], price, after) for line, price, after in zip(sale.lines, gross, reduced, strict=True)
    ]
