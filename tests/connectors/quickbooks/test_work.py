"""Invoices for work, and sending invoices."""

from datetime import date
from decimal import Decimal

import pytest

from bellwire.capabilities.accounting import SentInvoice, WorkLine
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind, Sent
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import call
from tests.connectors.accounting.documents import LABOUR, ROBIN, bill, fresh, send
from tests.connectors.quickbooks.conftest import Connect
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_work_is_booked_with_the_tax_that_quickbooks_works_out(connect: Connect, company: QuickBooks) -> None:
    made = await bill(fresh(call(connect())), reference="B-7001", due=date(2026, 12, 8), memo="Thank you")
    assert (made.number, made.total) == ("B-7001", usd("133.30"))
    assert made.url == f"https://app.sandbox.qbo.intuit.com/app/invoice?txnId={made.id}"
    sent = company.books.records["Invoice"][made.id]
    assert (sent["TxnDate"], sent["DueDate"], sent["CustomerMemo"]) == (
        "2026-11-24",
        "2026-12-08",
        {"value": "Thank you"},
    )
    (services,) = [item for item in company.books.records["Item"].values() if item["Name"] == "Services"]
    assert [(line["Amount"], line["Description"], line["SalesItemLineDetail"]) for line in sent["Line"]] == [
        (
            90.0,
            "Repair of the boiler",
            {"ItemRef": {"value": services["Id"]}, "Qty": 1.5, "UnitPrice": 60.0, "TaxCodeRef": {"value": "NON"}},
        ),
        (
            40.0,
            "Valve",
            {"ItemRef": {"value": services["Id"]}, "Qty": 1.0, "UnitPrice": 40.0, "TaxCodeRef": {"value": "TAX"}},
        ),
    ]
    assert company.books.records["Customer"][made.customer_id]["PrimaryEmailAddr"] == {"Address": ROBIN.email}


async def test_it_is_due_on_receipt_unless_told_otherwise(connect: Connect, company: QuickBooks) -> None:
    sent = company.books.records["Invoice"][(await bill(fresh(call(connect())))).id]
    assert sent["DueDate"] == sent["TxnDate"] == "2026-11-24"


async def test_work_that_is_exempt_needs_no_tax_code_that_is_not_there(connect: Connect) -> None:
    made = await bill(fresh(call(connect(tax_code="20.0% S"))), lines=(LABOUR,))
    assert made.total == usd("90.00")


async def test_a_tax_rate_that_is_set_is_named(connect: Connect, company: QuickBooks) -> None:
    made = await bill(fresh(call(connect(tax_rate="Texas sales tax"))))
    detail = company.books.records["Invoice"][made.id]["TxnTaxDetail"]
    (rate,) = [r for r in company.books.records["TaxCode"].values() if r["Name"] == "Texas sales tax"]
    assert detail == {"TxnTaxCodeRef": {"value": rate["Id"]}, "TotalTax": 3.3}


async def test_a_price_that_does_not_multiply_to_the_cent_is_one_piece(connect: Connect, company: QuickBooks) -> None:
    odd = WorkLine(name="Metres", quantity=Decimal(99999999), unit_price=usd("0.00000004"), taxable=False)
    made = await bill(fresh(call(connect())), lines=(LABOUR, odd))
    (_, line) = company.books.records["Invoice"][made.id]["Line"]
    assert (line["Amount"], line["SalesItemLineDetail"]["Qty"], line["Description"]) == (
        4.0,
        1.0,
        "99999999 × Metres",
    )


async def test_tax_that_is_a_line_elsewhere_can_not_be_worked_out(connect: Connect) -> None:
    at = call(connect(tax_item="Sales tax"))
    with pytest.raises(Refused, match="isn't said how much tax") as refused:
        await bill(fresh(at))
    assert refused.value.cause == "tax-unknown"
    assert (await bill(fresh(at), lines=(LABOUR,))).total == usd("90.00")


async def test_an_item_that_is_missing_is_named_with_its_setting(connect: Connect) -> None:
    with pytest.raises(Refused, match="no item called 'Labour'") as refused:
        await bill(fresh(call(connect(work_item="Labour"))))
    assert "`work_item` in [books.settings]" in refused.value.remedy


async def test_another_currency_has_to_be_turned_on(connect: Connect) -> None:
    euros = (WorkLine(name="Work", unit_price=Money.of("60.00", "EUR")),)
    with pytest.raises(Refused, match=r"The work B-\d+ is in EUR"):
        await bill(fresh(call(connect())), lines=euros)
    assert (await bill(fresh(call(connect(multicurrency=True))), lines=euros)).total.currency == "EUR"


async def test_a_lost_answer_leaves_one_invoice_although_the_key_is_forgotten(
    connect: Connect, company: QuickBooks
) -> None:
    this = fresh(call(connect()))
    company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"POST \S*/invoice"))
    with pytest.raises(OutcomeUnknown):
        await bill(this, reference="B-lost")
    company.forget()
    made = await bill(call(this.connection, key=this.key, again=True), reference="B-lost")
    assert [each.id for each in company.booked() if each.reference == "B-lost"] == [made.id]


async def test_another_run_for_the_same_work_finds_it_and_another_document_is_not_taken_for_it(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    made = await bill(fresh(at), reference="B-twice")
    assert await bill(fresh(at), reference="B-twice") == made
    company.books.records["Invoice"][made.id]["PrivateNote"] = "By hand"
    with pytest.raises(Refused, match="number B-twice that isn't of the work B-twice"):
        await bill(fresh(at), reference="B-twice")


async def test_another_total_is_never_taken_for_success(connect: Connect, company: QuickBooks) -> None:
    company.books.skewed_by = Decimal("0.01")
    try:
        with pytest.raises(Refused, match=r"as 130\.01 USD, but it should come to 130\.00 USD") as refused:
            await bill(fresh(call(connect())))
    finally:
        company.books.skewed_by = Decimal(0)
    assert refused.value.cause == "wrong-total"


async def test_an_invoice_goes_to_the_address_that_is_said_or_else_to_its_own(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    made = await bill(fresh(at))
    assert await send(fresh(at), made.id) == SentInvoice(invoice_id=made.id, to="robin@example.com")
    assert await send(fresh(at), made.id, "kim+bills@example.com") == SentInvoice(
        invoice_id=made.id, to="kim+bills@example.com"
    )
    assert [each for each in company.mailed() if each.id == made.id] == [
        Sent(made.id, made.number, "robin@example.com"),
        Sent(made.id, made.number, "kim+bills@example.com"),
    ]


async def test_an_invoice_without_any_address_is_not_sent(connect: Connect, company: QuickBooks) -> None:
    at = call(connect())
    made = await bill(fresh(at), customer=Customer(name="Nomail Nora"))
    with pytest.raises(Refused, match="with an e-mail address") as refused:
        await send(fresh(at), made.id)
    assert refused.value.cause == "no-address"
    with pytest.raises(Refused) as refused:
        await send(fresh(at), "9999", "kim@example.com")
    assert refused.value.cause == "inactive-record"
    assert [each for each in company.mailed() if each.id in (made.id, "9999")] == []


async def test_a_mail_whose_answer_was_lost_is_not_sent_again(connect: Connect, company: QuickBooks) -> None:
    this = fresh(call(connect()))
    made = await bill(this)
    company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"POST \S*/send"))
    once = fresh(this)
    with pytest.raises(OutcomeUnknown):
        await send(once, made.id)
    await send(call(this.connection, key=once.key, again=True), made.id)
    assert len([each for each in company.mailed() if each.id == made.id]) == 1
