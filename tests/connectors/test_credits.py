"""Whatever the books are, what was given back of an invoice ends with the same meaning in them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bellwire.capabilities import Given
from bellwire.capabilities.accounting import (
    CreateCreditMemo,
    CreateInvoice,
    CreditLine,
    CreditMemo,
    Invoice,
    RecordPayment,
)
from bellwire.connectors import all_connectors
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.money import Money
from bellwire.practice import Books, Credited, Fault, FaultKind, Practice
from tests.connecting import call, connection
from tests.samples import line, order, usd
from tests.strategies import CURRENCIES, SKUS

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ACTION = "accounting.create_credit_memo"
BOOKS = [connector.name for connector in all_connectors() if _ACTION in connector.actions]
_serial = count(1)


@dataclass(frozen=True)
class Desk:
    """One vendor's practice books."""

    vendor: str
    practice: Practice

    @property
    def books(self) -> Any:
        simulator = self.practice.simulators[self.vendor]
        assert isinstance(simulator, Books)
        return simulator

    async def do(self, given: Given, name: str, at: "Attempt | None" = None) -> Any:
        """Over a connection of its own: the limits of one would make many tests wait."""
        settings = {**self.books.settings, "multicurrency": True}
        made, at = connection(self.vendor, self.practice, name="books", settings=settings), at or Attempt()
        try:
            return await made.connector.actions[f"accounting.{name}"](call(made, key=at.key, again=at.again), given)
        finally:
            await made.api.close()

    async def sold(self, *, paid: str = "24.40", **changes: Any) -> Invoice:
        """The invoice of an order of 24.40, and so much paid of it."""
        made = await self.do(CreateInvoice(order=order(**{"number": f"A{next(_serial)}", **changes})), "create_invoice")
        assert isinstance(made, Invoice)
        if paid != "0":
            amount = Money.of(paid, made.total.currency)
            await self.do(
                RecordPayment(invoice_id=made.id, customer_id=made.customer_id, amount=amount), "record_payment"
            )
        return made

    async def give_back(self, credit: CreateCreditMemo, at: "Attempt | None" = None) -> CreditMemo:
        made = await self.do(credit, "create_credit_memo", at)
        assert isinstance(made, CreditMemo)
        return made

    def credited(self, reference: str) -> list[Credited]:
        return [each for each in self.books.credits() if each.reference == reference]

    def still_owed(self, invoice: Invoice) -> bool:
        (found,) = [each for each in self.books.booked() if each.id == invoice.id]
        return not found.paid


@dataclass(frozen=True)
class Attempt:
    """Of an action whose key no other has."""

    key: str = field(default_factory=lambda: f"{next(_serial):032x}")
    again: bool = False


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BOOKS)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    async with Practice([request.param]) as practice:
        practice.simulators[request.param].quotas.clear()
        yield Desk(request.param, practice)


def credit(invoice: Invoice, **changes: Any) -> CreateCreditMemo:
    """One packet of tea of two: 8.50 + 0.70 tax."""
    values = {
        "invoice_number": invoice.number,
        "lines": (CreditLine(sku="TEA-100", name="Green tea, 100 g", amount=usd("8.50"), tax=usd("0.70")),),
        "reference": f"R-{next(_serial)}",
        **changes,
    }
    return CreateCreditMemo(**values)


async def test_what_was_given_back_of_a_paid_invoice_is_paid_out(desk: Desk) -> None:
    sold = await desk.sold()
    back = credit(sold)
    made = await desk.give_back(back)
    assert (made.number, made.total, made.invoice_id) == (back.reference, usd("9.20"), sold.id)
    assert made.id in made.url
    assert desk.credited(back.reference) == [
        Credited(made.id, back.reference, sold.number, usd("9.20"), paid_out=True, left=usd("0"))
    ]


async def test_of_an_invoice_that_is_still_open_it_lowers_what_is_owed(desk: Desk) -> None:
    sold = await desk.sold(paid="0")
    back = credit(sold, invoice_number="", invoice_id=sold.id)
    made = await desk.give_back(back)
    assert desk.credited(back.reference) == [
        Credited(made.id, back.reference, sold.number, usd("9.20"), paid_out=False, left=usd("0"))
    ]
    assert desk.still_owed(sold)
    rest = RecordPayment(invoice_id=sold.id, customer_id=sold.customer_id, amount=usd("15.20"))
    await desk.do(rest, "record_payment")
    assert not desk.still_owed(sold)


async def test_all_of_an_open_invoice_leaves_nothing_to_be_paid(desk: Desk) -> None:
    sold = await desk.sold(paid="0")
    tea = CreditLine(sku="TEA-100", name="Green tea, 100 g", quantity=2, amount=usd("17.00"), tax=usd("1.40"))
    await desk.give_back(credit(sold, lines=(tea,), shipping=usd("6.00")))
    assert not desk.still_owed(sold)


async def test_an_invoice_that_is_open_by_less_is_for_a_person(desk: Desk) -> None:
    sold = await desk.sold(paid="20.00")
    back = credit(sold)
    with pytest.raises(Refused, match=r"4\.40 of invoice .* still to be paid.*less than the 9\.20 USD") as refused:
        await desk.give_back(back)
    assert refused.value.cause == "partly-paid"
    assert desk.credited(back.reference) == []


@pytest.mark.parametrize("paid", ["24.40", "0"])
async def test_answers_that_are_lost_double_nothing(desk: Desk, paid: str) -> None:
    """One for each request that writes, and once more when all is done; the vendor forgets the keys meanwhile."""
    sold = await desk.sold(paid=paid)
    back, this = credit(sold), Attempt()
    desk.books.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"(POST|PUT) \S*(?i:credit|refund)", times=1))
    desk.books.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"(POST|PUT) \S*(?i:payment|allocation)", times=1))
    for _ in range(3):
        with suppress(OutcomeUnknown):
            await desk.give_back(back, this)
        desk.books.forget()
        this = replace(this, again=True)
    desk.books.faults.clear()
    made = await desk.give_back(back, this)
    assert [(each.id, each.paid_out, each.left) for each in desk.credited(back.reference)] == [
        (made.id, paid != "0", usd("0"))
    ]
    assert desk.still_owed(sold) is (paid == "0")


@pytest.mark.parametrize("paid", ["24.40", "0"])
async def test_another_run_for_the_same_return_books_nothing(desk: Desk, paid: str) -> None:
    """Also where the invoice, open at first, was paid since."""
    sold = await desk.sold(paid=paid)
    back = credit(sold)
    first = await desk.give_back(back)
    if paid == "0":
        rest = RecordPayment(invoice_id=sold.id, customer_id=sold.customer_id, amount=usd("15.20"))
        await desk.do(rest, "record_payment")
    assert await desk.give_back(back) == first
    assert len(desk.credited(back.reference)) == 1


async def test_what_is_kept_needs_no_sku(desk: Desk) -> None:
    sold = await desk.sold()
    kept = CreditLine(name="Kept for restocking", amount=usd("-2.00"))
    back = credit(sold, lines=(*credit(sold).lines, kept))
    made = await desk.give_back(back)
    assert made.total == usd("7.20") == desk.credited(back.reference)[0].total


async def test_an_invoice_can_have_several_credits(desk: Desk) -> None:
    sold = await desk.sold()
    first, second = credit(sold), credit(sold)
    await desk.give_back(first)
    await desk.give_back(second)
    assert desk.credited(first.reference) != desk.credited(second.reference)


@pytest.mark.parametrize(
    ("changes", "cause", "sentence"),
    [
        ({"invoice_number": "NEVER"}, "unknown-invoice", "no invoice NEVER"),
        ({"customer_id": "999"}, "another-customer", "another c"),
        ({"lines": (CreditLine(sku="TEA-100", name="Tea", amount=usd("24.41")),)}, "more-than-invoiced", "24.41"),
        ({"lines": (CreditLine(name="Tea", amount=usd("1.00")),)}, "no-sku", "'Tea', which was given back, has no SKU"),
        ({"lines": (CreditLine(sku="NO-SUCH", name="Tea", amount=usd("1.00")),)}, "unknown-sku:NO-SUCH", "NO-SUCH"),
        (
            {"lines": (CreditLine(sku="TEA-100", name="Tea", amount=Money.of("1.00", "EUR")),)},
            "currency:EUR",
            "is in EUR, but invoice",
        ),
    ],
)
async def test_what_can_not_be_meant_is_refused_and_nothing_booked(
    desk: Desk, changes: dict[str, Any], cause: str, sentence: str
) -> None:
    back = credit(await desk.sold(), **changes)
    with pytest.raises(Refused, match=sentence) as refused:
        await desk.give_back(back)
    assert (refused.value.cause, desk.credited(back.reference)) == (cause, [])


async def test_a_number_that_another_credit_has_is_not_taken_for_this_one(desk: Desk) -> None:
    first = credit(await desk.sold())
    await desk.give_back(first)
    with pytest.raises(Refused, match=f"number {first.reference} that isn't of {first.reference}") as refused:
        await desk.give_back(credit(await desk.sold(), reference=first.reference))
    assert refused.value.cause == "duplicate-number"


async def test_another_total_in_the_books_is_never_taken_for_success(desk: Desk) -> None:
    sold = await desk.sold(paid="0")
    back = credit(sold)
    desk.books.books.skewed_by = Decimal("0.01")
    try:
        with pytest.raises(Refused, match=r"as 9\.21 USD, but it should come to 9\.20 USD") as refused:
            await desk.give_back(back)
    finally:
        desk.books.books.skewed_by = Decimal(0)
    assert refused.value.cause == "wrong-total"
    (made,) = desk.credited(back.reference)
    assert made.left == usd("9.21"), "it isn't set against the invoice before a person has looked"


async def test_a_credit_that_somebody_used_otherwise_is_for_a_person(desk: Desk) -> None:
    sold = await desk.sold(paid="0")
    back, this = credit(sold), Attempt()
    desk.books.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"(POST|PUT) \S*(?i:creditmemo|creditnotes)(?!\S)"))
    with pytest.raises(OutcomeUnknown):
        await desk.give_back(back, this)
    desk.books.faults.clear()
    most = RecordPayment(invoice_id=sold.id, customer_id=sold.customer_id, amount=usd("20.00"))
    await desk.do(most, "record_payment")
    with pytest.raises(Refused, match=r"any more: 9\.20 of the one is left, and 4\.40 of the other") as refused:
        await desk.give_back(back, replace(this, again=True))
    assert refused.value.cause == "credit-used"


_quick = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@st.composite
def given_back(draw: st.DrawFn, currencies: Sequence[str] = CURRENCIES) -> CreateCreditMemo:
    """Any split of amounts and taxes that comes to more than nothing; also in more decimals than the currency has, as
    a share of a discount is."""
    currency = draw(st.sampled_from(tuple(currencies)))

    def money(least: int, most: int) -> Money:
        units = Decimal(draw(st.integers(least, most))) / draw(st.sampled_from((1, 1, 1, 8)))
        return Money.from_minor(1, currency) * units

    def line() -> CreditLine:
        return CreditLine(
            sku=draw(st.sampled_from(SKUS)),
            name="Something",
            quantity=draw(st.sampled_from((1, 2, 3, 7, 1000))),
            amount=money(-200, 100_000),
            tax=draw(st.none()) if draw(st.booleans()) else money(-20, 20_000),
            gift_card=draw(st.sampled_from((False, False, False, True))),
        )

    lines = tuple(line() for _ in range(draw(st.integers(0, 5))))
    shipping = money(1, 2000) if not lines or draw(st.booleans()) else None
    try:
        return CreateCreditMemo(
            invoice_number="later",
            lines=lines,
            shipping=shipping,
            shipping_tax=money(0, 200) if draw(st.booleans()) else None,
            tax=money(0, 99) if draw(st.booleans()) else None,
            reference="later",
        )
    except ValidationError:
        assume(False)
        raise


def cents(amount: Decimal) -> Decimal:
    """What the books can keep of it: the third decimal of a dinar is lost."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def thirds(currency: str, tax: str | None = None) -> CreateCreditMemo:
    """Amounts whose cents don't add up to the cents of their sum."""
    one = CreditLine(
        sku="TEA-100",
        name="A third",
        amount=Money.of("0.335", currency),
        tax=Money.of(tax, currency) if tax else None,
    )
    return CreateCreditMemo(invoice_number="later", lines=(one, one, one), reference="later")


@_quick
@given(back=given_back())
@example(back=thirds("USD"))
@example(back=thirds("KWD", "0.005"))
@example(back=thirds("JPY", "0.334"))
async def test_the_total_is_what_was_given_back_however_it_is_split(desk: Desk, back: CreateCreditMemo) -> None:
    assume(cents(back.total.amount) > 0)
    most = Money.of(10_000_000, back.currency)
    tea = line(total=most, unit_price=most, discount=Money.zero(back.currency), quantity=1, taxes=())
    nothing = {each: Money.zero(back.currency) for each in ("tax_total", "tip", "adjustment", "gift_cards", "refunded")}
    sold = await desk.sold(
        paid="10000000",
        currency=back.currency,
        lines=(tea,),
        shipping_lines=(),
        taxes=(),
        total=most,
        customer=None,
        **nothing,
    )
    asked = {"invoice_number": sold.number, "reference": f"R-{next(_serial)}"}
    made = await desk.give_back(CreateCreditMemo(**{**back.__dict__, **asked}))
    (booked,) = desk.credited(asked["reference"])
    expected = Money.of(cents(back.total.amount), back.currency)
    assert (made.total, booked.total, booked.paid_out, booked.left) == (expected, expected, True, expected - expected)
    assert cents(tax_of(desk, made)) == cents(back.tax_total.amount)


def tax_of(desk: Desk, made: CreditMemo) -> Decimal:
    """What the books hold as tax, by whatever name."""
    records = [each for kind in desk.books.books.records.values() for each in kind.values()]
    (found,) = [each for each in records if made.id in (each.get("CreditNoteID"), each.get("Id"))]
    return Decimal(str(found.get("TotalTax", found.get("TxnTaxDetail", {}).get("TotalTax", 0))))
