"""What a credit is in Xero, and what stands on it."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from bellwire.capabilities.accounting import CreateCreditMemo, CreditLine, RecordPayment
from bellwire.connectors.xero.credits import credit_sheet
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import Tax
from bellwire.practice import Fault, FaultKind
from bellwire.practice.xero import Xero
from tests.connecting import call
from tests.connectors.accounting.documents import TEA, fresh, give_back, sold
from tests.connectors.xero.conftest import Connect
from tests.samples import line, usd

SETTINGS = XeroSettings.model_validate(dict(Xero.settings))

module = pytest.mark.asyncio(loop_scope="module")


def note_of(company: Xero, made: Any) -> Any:
    return company.books.records["CreditNotes"][made.id]


def lines_of(company: Xero, made: Any) -> list[tuple[str, str, float, float, str]]:
    """For each line: its item, account, amount, tax and tax type."""
    keys = ("ItemCode", "AccountCode", "LineAmount", "TaxAmount", "TaxType")
    return [tuple(each.get(key, "") for key in keys) for each in note_of(company, made)["LineItems"]]


@module
async def test_a_paid_invoice_gets_a_credit_note_that_is_paid_out(connect: Connect, company: Xero) -> None:
    at = call(connect())
    invoice = await sold(at)
    made = await give_back(fresh(at), invoice, shipping=usd("6.00"), reason="It came broken")
    note = note_of(company, made)
    assert made.url == f"https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={made.id}"
    assert (note["Type"], note["Status"], note["Total"], note["TotalTax"]) == ("ACCRECCREDIT", "PAID", 15.2, 0.7)
    assert (note["Reference"], note["DateString"]) == (
        f"{made.number} for invoice {invoice.number}",
        "2026-11-24T00:00:00",
    )
    assert note["Contact"]["ContactID"] == invoice.customer_id
    assert lines_of(company, made)[:2] == [
        ("TEA-100", "200", 8.5, 0.7, "OUTPUT"),
        ("", "260", 6.0, 0.0, "NONE"),
    ]
    assert note["LineItems"][2]["Description"] == "It came broken"
    (payment,) = [p for p in company.books.records["Payments"].values() if "CreditNote" in p]
    assert (payment["Amount"], payment["Account"]["Code"], payment["PaymentType"]) == (15.2, "090", "ARCREDITPAYMENT")
    assert company.books.records["Invoices"][invoice.id]["AmountCredited"] == 0


@module
async def test_an_open_invoice_has_the_credit_note_allocated_to_it(connect: Connect, company: Xero) -> None:
    at = call(connect())
    invoice = await sold(at, paid=False)
    made = await give_back(fresh(at), invoice)
    note, kept = note_of(company, made), company.books.records["Invoices"][invoice.id]
    assert (note["RemainingCredit"], note["Status"], note["Payments"]) == (0, "PAID", [])
    assert [(each["Amount"], each["Invoice"]["InvoiceID"]) for each in note["Allocations"]] == [(9.2, invoice.id)]
    assert (kept["AmountDue"], kept["AmountCredited"], kept["Status"]) == (15.2, 9.2, "AUTHORISED")


@module
async def test_the_same_requests_again_are_answered_and_do_nothing(connect: Connect, company: Xero) -> None:
    """Each has a key of its own: one for two would be refused."""
    at = call(connect())
    invoice, this = await sold(at), fresh(at)
    made = await give_back(this, invoice, reference="R-keyed")
    note_of(company, made)["Reference"] = "not to be found"
    note_of(company, made)["RemainingCredit"] = 9.2
    held = len(company.books.records["Payments"])
    assert await give_back(this, invoice, reference="R-keyed") == made
    assert len(company.books.records["Payments"]) == held


@module
async def test_a_credit_note_whose_invoice_was_paid_meanwhile_is_paid_out(connect: Connect, company: Xero) -> None:
    at = call(connect())
    invoice, this = await sold(at, paid=False), fresh(at)
    company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"PUT \S*/CreditNotes(?!\S)"))
    with pytest.raises(OutcomeUnknown):
        await give_back(this, invoice, reference="R-meanwhile")
    payment = RecordPayment(invoice_id=invoice.id, customer_id=invoice.customer_id, amount=usd("24.40"))
    await at.connection.connector.actions["accounting.record_payment"](fresh(at), payment)
    await give_back(dataclasses.replace(this, again=True), invoice, reference="R-meanwhile")
    assert [(each.paid_out, each.left) for each in company.credits() if each.reference == "R-meanwhile"] == [
        (True, usd("0"))
    ]


@module
async def test_tax_is_taken_off_under_the_rate_that_the_invoice_has_it_under(connect: Connect, company: Xero) -> None:
    """The flow doesn't know which tax it was; the shop's name of it led to a rate of its own."""
    rates = company.books.tax_rates
    rates.append({**rates[0], "Name": "Reduced", "TaxType": "REDUCED", "EffectiveRate": 5.0, "DisplayTaxRate": 5.0})
    at = call(connect(tax_rates={"VAT 5%": "Reduced"}))
    taxed = (Tax(name="VAT 5%", rate=Decimal("0.05"), amount=usd("1.40")),)
    invoice = await sold(at, lines=(line(taxes=taxed),), taxes=taxed)
    part = CreditLine(sku="MUG-RED", name="Of a set", amount=usd("1.00"), tax=usd("0.05"))
    made = await give_back(fresh(at), invoice, lines=(TEA, part))
    assert [kind for *_, kind in lines_of(company, made)] == ["REDUCED", "REDUCED"]


@module
async def test_where_the_invoice_has_several_rates_what_is_not_on_it_has_the_usual_one(
    connect: Connect, company: Xero
) -> None:
    rates = company.books.tax_rates
    rates.append({**rates[0], "Name": "Half rate", "TaxType": "HALF"})
    at = call(connect(tax_rates={"Half": "Half rate"}))
    whole, half = (Tax(name=name, amount=usd("0.70")) for name in ("Whole", "Half"))
    lines = (line(taxes=(whole,)), line(id="12", sku="MUG-RED", total=usd("17.00"), taxes=(half,)))
    invoice = await sold(at, lines=lines, taxes=(whole, half), total=usd("41.40"))
    other = CreditLine(sku="POT-1L", name="Other", amount=usd("1.00"), tax=usd("0.05"))
    mug = CreditLine(sku="MUG-RED", name="Mug", amount=usd("1.00"), tax=usd("0.05"))
    made = await give_back(fresh(at), invoice, lines=(other, mug))
    assert [kind for *_, kind in lines_of(company, made)] == ["OUTPUT", "HALF"]


@module
async def test_a_gift_card_that_was_taken_back_lowers_what_is_owed_to_its_bearer(
    connect: Connect, company: Xero
) -> None:
    card = CreditLine(sku="GIFT-25", name="Gift card", amount=usd("20.00"), gift_card=True)
    at = call(connect())
    made = await give_back(fresh(at), await sold(at), lines=(card,))
    assert lines_of(company, made) == [("", "835", 20.0, 0.0, "NONE")]
    at = call(connect(gift_card_account="260"))
    with pytest.raises(Refused, match="isn't a liability"):
        await give_back(fresh(at), await sold(at), lines=(card,))


@module
async def test_a_reference_that_can_not_be_looked_for_is_told_by_a_number_that_can(
    connect: Connect, company: Xero
) -> None:
    at = call(connect(number_prefix="EU-"))
    invoice, odd = await sold(at), 'R\\7 "late"'
    known_by = invoice.number.removeprefix("EU-")
    made = await give_back(fresh(at), invoice, invoice_number=known_by, reference=odd)
    assert made.number == "EU-R/7 'late'"
    assert await give_back(fresh(at), invoice, invoice_number=known_by, reference=odd) == made


@module
async def test_a_credit_note_that_was_voided_is_not_taken_for_one(connect: Connect, company: Xero) -> None:
    at = call(connect())
    invoice = await sold(at)
    first = await give_back(fresh(at), invoice, reference="R-voided")
    note_of(company, first)["Status"] = "VOIDED"
    second = await give_back(fresh(at), invoice, reference="R-voided")
    assert first.id != second.id


@module
async def test_an_invoice_that_was_voided_can_not_be_credited(connect: Connect, company: Xero) -> None:
    at = call(connect())
    invoice = await sold(at)
    company.books.records["Invoices"][invoice.id]["Status"] = "VOIDED"
    for asked in ({}, {"invoice_number": "", "invoice_id": invoice.id}):
        with pytest.raises(Refused, match="no invoice") as refused:
            await give_back(fresh(at), invoice, **asked)
        assert refused.value.cause == "unknown-invoice"


def test_tax_may_be_a_line_of_its_own() -> None:
    settings = SETTINGS.model_copy(update={"tax_account": "820"})
    made_up = credit_sheet(CreateCreditMemo(invoice_number="1", lines=(TEA,), reference="R"), settings)
    assert [(entry.account, entry.amount, entry.tax) for entry in made_up.entries] == [
        ("", Decimal("8.50"), Decimal(0)),
        ("820", Decimal("0.70"), Decimal(0)),
    ]


def test_what_rounding_leaves_over_is_taken_off_again() -> None:
    third = CreditLine(sku="TEA-100", name="A third", amount=usd("0.335"))
    made_up = credit_sheet(CreateCreditMemo(invoice_number="1", lines=(third,) * 3, reference="R"), SETTINGS)
    assert [entry.amount for entry in made_up.entries] == [Decimal("0.34")] * 3 + [Decimal("-0.01")]
    assert made_up.entries[-1].account == "860"


def test_tax_that_is_said_of_no_line_is_shared_by_all_of_them() -> None:
    bare = TEA.model_copy(update={"tax": None})
    given = CreateCreditMemo(invoice_number="1", lines=(bare, bare), tax=usd("0.71"), reference="R")
    assert [entry.tax for entry in credit_sheet(given, SETTINGS).entries] == [Decimal("0.36"), Decimal("0.35")]


def test_a_line_without_a_sku_has_the_account_that_is_set_for_such_and_a_fee_has_its_own() -> None:
    unlisted, fee = CreditLine(name="Gift wrap", amount=usd("2.00")), CreditLine(name="Restocking", amount=usd("-1.00"))
    given = CreateCreditMemo(invoice_number="1", lines=(TEA, unlisted, fee), reference="R")
    for fees, account in (("", SETTINGS.adjustment_account), ("270", "270")):
        settings = SETTINGS.model_copy(update={"fallback_account": "260", "fee_account": fees})
        assert [(entry.account, entry.amount) for entry in credit_sheet(given, settings).entries] == [
            ("", Decimal("8.50")),
            ("260", Decimal("2.00")),
            (account, Decimal("-1.00")),
        ]
