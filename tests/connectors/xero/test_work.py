"""Invoices for work, and sending invoices."""

from datetime import date
from decimal import Decimal

import pytest

from bellwire.capabilities.accounting import SentInvoice, WorkLine
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind, Sent
from bellwire.practice.xero import Xero
from tests.connecting import call
from tests.connectors.accounting.documents import LABOUR, ROBIN, bill, fresh, send
from tests.connectors.xero.conftest import Connect
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_work_is_booked_with_the_tax_that_xero_works_out(connect: Connect, company: Xero) -> None:
    made = await bill(fresh(call(connect())), reference="B-7001", due=date(2026, 12, 8), memo="Thank you")
    assert (made.number, made.total) == ("B-7001", usd("133.30"))
    assert made.url == f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={made.id}"
    sent = company.books.records["Invoices"][made.id]
    assert (sent["DateString"], sent["DueDateString"]) == ("2026-11-24T00:00:00", "2026-12-08T00:00:00")
    assert (sent["Reference"], sent["Status"], sent["TotalTax"]) == ("Work B-7001", "AUTHORISED", 3.3)
    keys = ("Description", "Quantity", "UnitAmount", "LineAmount", "AccountCode", "TaxType")
    assert [tuple(each.get(key) for key in keys) for each in sent["LineItems"]] == [
        ("Repair of the boiler", 1.5, 60.0, 90.0, "200", "NONE"),
        ("Valve", 1.0, 40.0, 40.0, "200", "OUTPUT"),
        ("Thank you", None, None, 0.0, None, None),
    ]
    assert company.books.records["Contacts"][made.customer_id]["EmailAddress"] == ROBIN.email


async def test_work_has_an_account_of_its_own_where_one_is_set(connect: Connect, company: Xero) -> None:
    made = await bill(fresh(call(connect(work_account="260"))))
    assert [each["AccountCode"] for each in company.books.records["Invoices"][made.id]["LineItems"]] == ["260"] * 2


async def test_it_is_due_on_receipt_unless_told_otherwise(connect: Connect, company: Xero) -> None:
    sent = company.books.records["Invoices"][(await bill(fresh(call(connect())))).id]
    assert sent["DueDateString"] == sent["DateString"]


async def test_a_price_that_does_not_multiply_to_the_cent_is_one_piece(connect: Connect, company: Xero) -> None:
    odd = WorkLine(name="Metres", quantity=Decimal(99999), unit_price=usd("0.00004"), taxable=False)
    made = await bill(fresh(call(connect())), lines=(odd,))
    (line,) = company.books.records["Invoices"][made.id]["LineItems"]
    assert (line["LineAmount"], line["Quantity"], line["Description"]) == (4.0, 1.0, "99999 × Metres")


async def test_tax_that_is_a_line_elsewhere_can_not_be_worked_out(connect: Connect) -> None:
    at = call(connect(tax_account="820"))
    with pytest.raises(Refused, match="isn't said how much tax") as refused:
        await bill(fresh(at))
    assert refused.value.cause == "tax-unknown"
    assert (await bill(fresh(at), lines=(LABOUR,))).total == usd("90.00")


async def test_another_currency_has_to_be_turned_on(connect: Connect) -> None:
    euros = (WorkLine(name="Work", unit_price=Money.of("60.00", "EUR")),)
    with pytest.raises(Refused, match=r"The work B-\d+ is in EUR"):
        await bill(fresh(call(connect())), lines=euros)
    assert (await bill(fresh(call(connect(multicurrency=True))), lines=euros)).total.currency == "EUR"


async def test_a_lost_answer_leaves_one_invoice_although_the_key_is_forgotten(connect: Connect, company: Xero) -> None:
    this = fresh(call(connect()))
    company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"PUT \S*/Invoices"))
    with pytest.raises(OutcomeUnknown):
        await bill(this, reference="B-lost")
    company.forget()
    made = await bill(call(this.connection, key=this.key, again=True), reference="B-lost")
    assert [each.id for each in company.booked() if each.reference == "B-lost"] == [made.id]


async def test_another_run_for_the_same_work_finds_it_and_another_document_is_not_taken_for_it(
    connect: Connect, company: Xero
) -> None:
    at = call(connect())
    made = await bill(fresh(at), reference="B-twice")
    assert await bill(fresh(at), reference="B-twice") == made
    company.books.records["Invoices"][made.id]["Reference"] = "By hand"
    with pytest.raises(Refused, match="number B-twice that isn't of the work B-twice"):
        await bill(fresh(at), reference="B-twice")


async def test_another_total_is_never_taken_for_success(connect: Connect, company: Xero) -> None:
    at = call(connect())
    made = await bill(fresh(at), reference="B-changed")
    company.books.records["Invoices"][made.id]["Total"] = 133.31
    with pytest.raises(Refused, match=r"as 130\.01 USD, but it should come to 130\.00 USD") as refused:
        await bill(fresh(at), reference="B-changed")
    assert refused.value.cause == "wrong-total"


async def test_an_invoice_goes_to_its_contacts_own_address(connect: Connect, company: Xero) -> None:
    at = call(connect())
    made = await bill(fresh(at))
    for to in ("", "Robin@example.com"):
        assert await send(fresh(at), made.id, to) == SentInvoice(invoice_id=made.id, to="robin@example.com")
    assert [each for each in company.mailed() if each.id == made.id] == [
        Sent(made.id, made.number, "robin@example.com")
    ] * 2
    assert company.books.records["Invoices"][made.id]["SentToContact"] is True


async def test_xero_sends_to_no_other_address_and_that_is_said_before_it_is_asked(
    connect: Connect, company: Xero
) -> None:
    at = call(connect())
    made = await bill(fresh(at))
    with pytest.raises(Refused, match=r"'Robin Hill' is robin@example\.com, not kim@example\.com") as refused:
        await send(fresh(at), made.id, "kim@example.com")
    assert refused.value.cause == "another-address"
    nora = await bill(fresh(at), customer=Customer(name="Nomail Nora"))
    with pytest.raises(Refused, match="'Nomail Nora' is not known there") as refused:
        await send(fresh(at), nora.id)
    assert (refused.value.cause, "Contacts › Nomail Nora" in refused.value.remedy) == ("no-address", True)
    with pytest.raises(Refused) as refused:
        await send(fresh(at), "00000000-0000-4000-8000-999999999999")
    assert refused.value.cause == "unknown-invoice"
    assert [each for each in company.mailed() if each.id in (made.id, nora.id)] == []


async def test_a_mail_whose_answer_was_lost_is_not_sent_again(connect: Connect, company: Xero) -> None:
    this = fresh(call(connect()))
    made, once = await bill(this), fresh(this)
    company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"POST \S*/Email"))
    with pytest.raises(OutcomeUnknown):
        await send(once, made.id)
    await send(call(this.connection, key=once.key, again=True), made.id)
    assert len([each for each in company.mailed() if each.id == made.id]) == 1
