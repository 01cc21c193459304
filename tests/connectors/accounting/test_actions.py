"""What each vendor of accounting makes of orders, on good days and bad."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from tests.connecting import call
from tests.connectors.accounting.books import (
    Company,
    Kept,
    booked,
    in_euros,
    invoice,
    known_to,
    new_call,
    new_order,
    pay,
    repeat,
    sales_receipt,
)
from tests.connectors.accounting.conftest import Connect
from tests.samples import line, usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORGOTTEN = pytest.mark.parametrize("forgotten", [False, True], ids=["its key is known", "its key is forgotten"])


class TestInvoices:
    async def test_it_is_due_on_receipt_unless_told_otherwise(self, connect: Connect, kept: Kept) -> None:
        made = await invoice(new_call(connect()), new_order())
        day, due = kept.days(made.id)
        assert due == day

    async def test_the_day_is_that_of_the_companys_own_zone(self, connect: Connect, kept: Kept) -> None:
        late = new_order(created_at=datetime(2027, 1, 1, 3, 0, tzinfo=UTC))
        made = await invoice(new_call(connect(time_zone="America/Chicago")), late)
        day, _ = kept.days(made.id)
        assert day == date(2026, 12, 31)

    async def test_a_prefix_keeps_two_shops_apart(self, connect: Connect) -> None:
        sold = new_order()
        made = await invoice(new_call(connect()), sold)
        other = await invoice(new_call(connect(number_prefix="EU-")), sold.model_copy(update={"id": "of another shop"}))
        assert (made.number, other.number) == (sold.number, f"EU-{sold.number}")

    async def test_another_total_in_the_books_is_never_taken_for_success(
        self, connect: Connect, company: Company, kept: Kept
    ) -> None:
        company.books.skewed_by = Decimal("0.01")
        sold, this = new_order(), new_call(connect())
        try:
            with pytest.raises(Refused, match=r"24\.41 USD.*24\.40 USD.*in the books as it is") as refused:
                await invoice(this, sold)
        finally:
            company.books.skewed_by = Decimal(0)
        assert refused.value.cause == "wrong-total"
        (made,) = booked(company, sold)
        # A person corrects it; sending it again then finds it.
        kept.correct(made, 24.4)
        assert (await invoice(repeat(this), sold)).id == made

    async def test_a_foreign_currency_is_refused_without_multiple_currencies(
        self, connect: Connect, company: Company
    ) -> None:
        company.received.clear()
        sold = in_euros()
        with pytest.raises(Refused, match=f"Order {sold.number} is in EUR, but the books are in USD only") as refused:
            await invoice(new_call(connect()), sold)
        assert refused.value.cause == "currency:EUR"
        assert not company.received

    async def test_a_sign_in_that_was_taken_back_is_said_plainly(self, connect: Connect, company: Company) -> None:
        company.tokens.expire()
        books = connect(credentials=known_to(company) | {"refresh_token": "long gone"})
        with pytest.raises(SignedOut, match="no longer accepts the sign-in of connection 'books'"):
            await invoice(new_call(books), new_order())


class TestSalesReceipts:
    async def test_an_account_that_does_not_exist_is_named(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="no account called 'Till'"):
            await sales_receipt(new_call(connect(deposit_account="Till")), new_order())

    @FORGOTTEN
    async def test_a_lost_answer_leaves_one_sales_receipt(
        self, connect: Connect, company: Company, kept: Kept, forgotten: bool
    ) -> None:
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=f"{kept.write} .*{kept.receipts}"))
        sold, this = new_order(), new_call(connect())
        with pytest.raises(OutcomeUnknown):
            await sales_receipt(this, sold)
        if forgotten:
            company.forget()
        again = await sales_receipt(repeat(this), sold)
        assert booked(company, sold) == [again.id]

    async def test_nothing_is_booked_while_it_is_not_known_what_a_gift_card_paid(
        self, connect: Connect, company: Company
    ) -> None:
        company.received.clear()
        with pytest.raises(Refused, match="doesn't say how much of the order gift cards paid") as refused:
            await sales_receipt(new_call(connect()), new_order(gift_cards=None))
        assert refused.value.cause == "gift-cards-unknown"
        assert "`read_order`" in refused.value.remedy
        assert not company.received


class TestPayments:
    async def test_a_payment_settles_the_invoice(self, connect: Connect, company: Company) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        payment = await pay(new_call(books), made, usd("24.40"))
        assert payment.amount == usd("24.40")
        assert [b.paid for b in company.booked() if b.id == made.id] == [True]

    async def test_a_payment_sent_twice_is_recorded_once_although_its_key_is_forgotten(
        self, connect: Connect, company: Company, kept: Kept
    ) -> None:
        books = connect()
        made, this, other = await invoice(new_call(books), new_order()), new_call(books), new_call(books)
        first = await pay(other, made, usd("5.00"))
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=f"{kept.write} .*{kept.payments}"))
        with pytest.raises(OutcomeUnknown):
            await pay(this, made, usd("5.00"))
        company.forget()
        again = await pay(repeat(this), made, usd("5.00"))
        assert again.id != first.id
        assert kept.paid_by(made.id) == [first.id, again.id]
        assert kept.owed(made.id) == 14.4

    async def test_a_foreign_currency_is_refused_without_multiple_currencies(self, connect: Connect) -> None:
        books = connect()
        made = await invoice(new_call(books), new_order())
        with pytest.raises(Refused, match="The payment is in EUR, but the books are in USD only"):
            await pay(new_call(books), made, Money.of("24.40", "EUR"))


class TestRepeats:
    @FORGOTTEN
    async def test_a_lost_answer_leaves_one_invoice(
        self, connect: Connect, company: Company, kept: Kept, forgotten: bool
    ) -> None:
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=f"{kept.write} .*{kept.invoices}"))
        sold, this = new_order(), new_call(connect())
        with pytest.raises(OutcomeUnknown):
            await invoice(this, sold)
        if forgotten:
            company.forget()
        company.received.clear()
        again = await invoice(repeat(this), sold)
        assert booked(company, sold) == [again.id]
        assert kept.written() == []

    async def test_the_key_alone_also_leaves_one_invoice(self, connect: Connect, company: Company) -> None:
        """As after a crash that forgot that there was an attempt."""
        sold, this = new_order(), new_call(connect())
        first = await invoice(this, sold)
        second = await invoice(call(this.connection, key=this.key), sold)
        assert first == second
        assert booked(company, sold) == [first.id]

    async def test_a_failure_may_be_tried_again(self, connect: Connect, company: Company, kept: Kept) -> None:
        company.faults.add(Fault(kind=FaultKind.FAILED, match=f"{kept.write} .*{kept.invoices}"))
        sold, this = new_order(), new_call(connect())
        with pytest.raises(OutcomeUnknown, match="didn't say whether"):
            await invoice(this, sold)
        again = await invoice(repeat(this), sold)
        assert booked(company, sold) == [again.id]

    async def test_a_request_to_slow_down_says_how_long(self, connect: Connect, company: Company, kept: Kept) -> None:
        slowed = Fault(kind=FaultKind.RATE_LIMITED, match=f"{kept.write} .*{kept.invoices}", seconds=0)
        company.faults.add(slowed)
        sold, this = new_order(), new_call(connect())
        with pytest.raises(Transient, match="slow down") as slow:
            await invoice(this, sold)
        assert (slow.value.cause, slow.value.retry_after) == ("rate-limited", timedelta(0))
        assert booked(company, sold) == []
        again = await invoice(this, sold)
        assert booked(company, sold) == [again.id]

    async def test_a_number_that_is_taken_by_the_orders_own_invoice_is_that_invoice(
        self, connect: Connect, company: Company
    ) -> None:
        books, sold = connect(), new_order()
        first = await invoice(new_call(books), sold)
        second = await invoice(new_call(books), sold)
        assert first == second
        assert booked(company, sold) == [first.id]

    async def test_a_number_that_is_taken_by_something_else_is_refused(self, connect: Connect) -> None:
        books, sold = connect(), new_order()
        await invoice(new_call(books), sold)
        with pytest.raises(Refused, match=f"number {sold.number} that isn't of this order") as refused:
            await invoice(new_call(books), sold.model_copy(update={"id": "another"}))
        assert refused.value.cause == "duplicate-number"
        assert "number_prefix" in refused.value.remedy


class TestSkus:
    async def test_an_unknown_sku_is_refused_with_a_way_out_and_leaves_nothing_behind(
        self, connect: Connect, company: Company, kept: Kept
    ) -> None:
        company.received.clear()
        nobody = Customer(name="Never Booked", email="never@example.com")
        sold = new_order(lines=(line(sku="TEA-500-NEW"),), customer=nobody)
        with pytest.raises(Refused) as refused:
            await invoice(new_call(connect()), sold)
        assert refused.value.sentence == f"{kept.name} has no item with the SKU TEA-500-NEW."
        assert refused.value.remedy == (
            f'Add it there, or run `bellwire records map books product TEA-500-NEW "{kept.item}"`, then send it again.'
        )
        assert refused.value.cause == "unknown-sku:TEA-500-NEW"
        assert booked(company, sold) == []
        assert kept.written() == []

    async def test_several_unknown_skus_are_all_named(self, connect: Connect) -> None:
        sold = new_order(lines=(line(sku="NO-1"), line(id="12", sku="NO-2"), line(id="13", sku="TEA-100")))
        with pytest.raises(Refused, match="no items with the SKUs NO-1, NO-2"):
            await invoice(new_call(connect()), sold)

    async def test_a_sku_mapped_to_nothing_is_refused(self, connect: Connect) -> None:
        this = new_call(connect(), mapped={("product", "TEA-500-NEW"): "White tea"})
        with pytest.raises(Refused, match="no item called 'White tea', to which the SKU TEA-500-NEW is mapped"):
            await invoice(this, new_order(lines=(line(sku="TEA-500-NEW"),)))
