"""Orders of every shape that a shop can send, for hypothesis.

Each keeps the identity of `bellwire.events.orders` to the minor unit of its currency. All that is drawn is drawn in
minor units, as whole numbers, so that nothing here can round differently from the code under test.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import cycle, islice

from hypothesis import strategies as st

from bellwire.events import Address, Customer, Discount, Fee, Line, Order, ShippingLine, Tax
from bellwire.events.orders import PaymentState
from bellwire.money import Money, digits, total
from bellwire.practice import CATALOGUE

CURRENCIES = ("USD", "EUR", "JPY", "KWD")
"""With two decimals, none and three."""

SKUS = tuple(good.sku for good in CATALOGUE if good.in_books)
"""What practice books, tills and warehouses all know."""

TRICKY_NAMES = (
    "Robin Hill",
    'Zoë O\'Brien & Søn: "Tee" <b>',
    "山田 太郎",
    "مريم",
    "Tab\tand\nnewline",
    "back\\slash",
    "🫖 🍵",
    "x" * 600,
)

_RATES = (("State tax", "0.0625"), ("County tax", "0.02"), ("City tax", "0.00375"), ("VAT 20%", "0.2"))

# Built once, as building a strategy takes hypothesis longer than drawing from it.
_words = st.one_of(
    st.sampled_from(TRICKY_NAMES),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30),
)
_maybe_words = st.just("") | _words
_yes_or_no = st.booleans()
_phones = st.sampled_from(("", "+15125550123"))
_long_phones = st.sampled_from(("", "+15125550123", "+49 (0)30 / 901 820 - extension 12345678901234567890"))
_companies = st.sampled_from(("", "Hill & Co"))
_either_companies = st.sampled_from(("", "Hill & Co", "合同会社 茶"))
_first_lines = st.sampled_from(("", "1 Main St", "北海道札幌市中央区 1-2-3", "L" * 700))
_second_lines = st.sampled_from(("", "Apt 4"))
_cities = st.sampled_from(("", "Austin", "Köln"))
_regions = st.sampled_from(("", "TX"))
_postcodes = st.sampled_from(("", "78701", "SW1A 1AA"))
_countries = st.sampled_from(("", "US", "DE", "JP", "KW"))
_guests = st.integers(1, 40)
_rates = st.lists(st.sampled_from(_RATES), unique=True, max_size=3)
_tips = st.sampled_from((0, 0, 1, 350, 100_000))
_minutes = st.integers(0, 500_000)
_numbers = st.integers(1, 10**9)
_payments = st.sampled_from(("", "card", "gift card"))
_quantities = st.sampled_from((1, 1, 2, 3, 7, 12, 1000))
_prices = st.just(0) | st.integers(1, 250_000)
_parts = st.sampled_from((1, 1, 1, 8))
_kinds = st.sampled_from(("good", "good", "digital", "gift card"))
_products = st.sampled_from(("", "501"))
_variants = st.sampled_from(("", "601"))
_weights = st.sampled_from((0, 120))
_freights = st.sampled_from((0, 1, 600, 1995))
_freight_names = st.sampled_from(("Standard", "Express ⚡"))
_fees = st.sampled_from((0, 1, 350, 1999))
_fee_names = st.sampled_from(("Gift wrap", "Duty 🛃"))


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    """Anything from a full record to a guest of whom nothing is known."""
    number = draw(_guests)
    return Customer(
        id=draw(st.sampled_from(("", str(number)))),
        name=draw(_maybe_words),
        email=draw(st.sampled_from(("", f"guest{number}@example.com", f"o'guest+{number}@exämple.org"))),
        phone=draw(_long_phones),
        company=draw(_either_companies),
    )


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    """Complete, in any script, or with gaps."""
    return Address(
        name=draw(_maybe_words),
        company=draw(_companies),
        line1=draw(_first_lines),
        line2=draw(_second_lines),
        city=draw(_cities),
        region=draw(_regions),
        postcode=draw(_postcodes),
        country=draw(_countries),
        phone=draw(_phones),
    )


_maybe_customer = st.none() | customers()
_maybe_address = st.none() | addresses()


@st.composite
def orders(
    draw: st.DrawFn,
    *,
    currencies: Sequence[str] = CURRENCIES,
    skus: Sequence[str] = SKUS,
    max_lines: int = 250,
    taxes_included: bool | None = None,
    ships: bool | None = None,
) -> Order:
    """A paid order. `ships` False: digital goods and gift cards only; True: at least one line is sent.

    `skus` is what its lines are drawn from; put "" among them for lines without a SKU.
    """
    currency = draw(st.sampled_from(tuple(currencies)))
    inclusive = draw(_yes_or_no) if taxes_included is None else taxes_included
    rates = draw(_rates)
    taxes = [(name, Decimal(rate)) for name, rate in rates]
    shipping_goods = draw(_yes_or_no) if ships is None else ships
    lines = draw(_lines(currency, taxes, inclusive, skus, max_lines, shipping_goods))
    if ships:
        lines = (lines[0].model_copy(update={"ships": True, "gift_card": False}), *lines[1:])
    parcels = draw(st.lists(_shipping(currency, taxes, inclusive), max_size=2)) if shipping_goods else []
    fees = draw(st.lists(_fee(currency, taxes, inclusive), max_size=2))
    parts: list[Line | ShippingLine | Fee] = [*lines, *parcels, *fees]
    tax_total = total((tax.amount for part in parts for tax in part.taxes), currency)
    goods = total((part.total for part in parts), currency)
    before = goods if inclusive else goods + tax_total
    tip = Money.from_minor(draw(_tips), currency)
    least = -min(before.minor, 500)
    adjustment = Money.from_minor(draw(st.one_of(st.just(0), st.integers(least, 500))), currency)
    owed = before + tip + adjustment
    reduced: list[Line | ShippingLine] = [*lines, *parcels]
    reductions = total((part.discount for part in reduced), currency)
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(_minutes))
    number = draw(_numbers)
    return Order(
        id=str(450_000_000 + number),
        number=str(number),
        created_at=created,
        updated_at=created + timedelta(minutes=3),
        paid_at=created + timedelta(minutes=2),
        payment=PaymentState.PAID,
        status="paid",
        currency=currency,
        taxes_included=inclusive,
        customer=draw(_maybe_customer),
        billing=draw(_maybe_address),
        shipping=draw(_maybe_address) if shipping_goods else None,
        lines=lines,
        shipping_lines=tuple(parcels),
        fees=tuple(fees),
        discounts=(Discount(code="TEATIME", amount=reductions),) if reductions else (),
        taxes=_by_name(parts, currency),
        tax_total=tax_total,
        tip=tip,
        adjustment=adjustment,
        total=owed,
        gift_cards=Money.from_minor(draw(st.one_of(st.just(0), st.integers(0, owed.minor))), currency),
        refunded=Money.zero(currency),
        note=draw(_maybe_words),
        payment_method=draw(_payments),
    )


@st.composite
def _lines(
    draw: st.DrawFn,
    currency: str,
    taxes: Sequence[tuple[str, Decimal]],
    inclusive: bool,
    skus: Sequence[str],
    max_lines: int,
    ships: bool,
) -> tuple[Line, ...]:
    # A long order repeats a few lines: 250 different ones would be more than hypothesis can shrink.
    few = draw(st.lists(_line(currency, taxes, inclusive, skus, ships), min_size=1, max_size=min(6, max_lines)))
    count = draw(st.sampled_from((len(few),) * 12 + (min(40, max_lines), max_lines)))
    repeated = islice(cycle(few), max(count, len(few)))
    return tuple(line.model_copy(update={"id": str(11 + index)}) for index, line in enumerate(repeated))


@st.composite
def _line(
    draw: st.DrawFn,
    currency: str,
    taxes: Sequence[tuple[str, Decimal]],
    inclusive: bool,
    skus: Sequence[str],
    ships: bool,
) -> Line:
    quantity = draw(_quantities)
    # Some shops keep more decimals for a unit than the currency has: 3 for 10.00.
    unit = Decimal(draw(_prices)) / draw(_parts)
    gross = _whole(unit * quantity)
    discount = draw(st.one_of(st.just(0), st.integers(0, gross), st.just(gross)))
    kind = draw(_kinds)
    gift_card = kind == "gift card"
    taxed = bool(taxes) and not gift_card and draw(_yes_or_no)
    amount = gross - discount
    return Line(
        id="1",
        sku=draw(st.sampled_from(tuple(skus))),
        name=draw(_words),
        quantity=quantity,
        unit_price=Money.of(unit.scaleb(-digits(currency)), currency),
        discount=Money.from_minor(discount, currency),
        total=Money.from_minor(amount, currency),
        taxes=_taxes(amount, taxes, inclusive, currency) if taxed else (),
        product_id=draw(_products),
        variant_id=draw(_variants),
        ships=ships and kind == "good",
        gift_card=gift_card,
        weight_grams=draw(_weights),
    )


@st.composite
def _shipping(draw: st.DrawFn, currency: str, taxes: Sequence[tuple[str, Decimal]], inclusive: bool) -> ShippingLine:
    price = draw(_freights)
    discount = draw(st.sampled_from((0, price)))
    taxed = bool(taxes) and draw(_yes_or_no)
    return ShippingLine(
        name=draw(_freight_names),
        price=Money.from_minor(price, currency),
        discount=Money.from_minor(discount, currency),
        total=Money.from_minor(price - discount, currency),
        taxes=_taxes(price - discount, taxes, inclusive, currency) if taxed else (),
    )


@st.composite
def _fee(draw: st.DrawFn, currency: str, taxes: Sequence[tuple[str, Decimal]], inclusive: bool) -> Fee:
    amount = draw(_fees)
    taxed = bool(taxes) and draw(_yes_or_no)
    return Fee(
        name=draw(_fee_names),
        total=Money.from_minor(amount, currency),
        taxes=_taxes(amount, taxes, inclusive, currency) if taxed else (),
    )


def _taxes(amount: int, taxes: Sequence[tuple[str, Decimal]], inclusive: bool, currency: str) -> tuple[Tax, ...]:
    """Each tax of a line, rounded by itself as shops do it."""
    base = amount / (1 + sum((rate for _, rate in taxes), Decimal())) if inclusive else Decimal(amount)
    return tuple(
        Tax(name=name, rate=rate, amount=Money.from_minor(_whole(base * rate), currency)) for name, rate in taxes
    )


def _by_name(parts: Sequence[Line | ShippingLine | Fee], currency: str) -> tuple[Tax, ...]:
    every = [tax for part in parts for tax in part.taxes]
    return tuple(
        Tax(name=name, rate=rate, amount=total((t.amount for t in every if t.name == name), currency))
        for name, rate in dict.fromkeys((tax.name, tax.rate) for tax in every)
    )


def _whole(units: Decimal) -> int:
    return int(units.quantize(Decimal(1), ROUND_HALF_UP))
