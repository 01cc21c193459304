"""Which documents of QuickBooks a credit is, and what stands on them."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from bellwire.capabilities.accounting import CreateCreditMemo, CreditLine
from bellwire.connectors.quickbooks.credits import credit_sheet
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import Tax
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import call
from tests.connectors.accounting.documents import TEA, fresh, give_back, sold
from tests.connectors.quickbooks.conftest import Connect
from tests.samples import line, usd

SETTINGS = QuickBooksSettings(realm_id="1", home_currency="USD")

module = pytest.mark.asyncio(loop_scope="module")


def amounts(company: QuickBooks, record: Any) -> list[tuple[str, float, str]]:
    """For each line: its item, amount and tax code."""
    details = [(each["SalesItemLineDetail"], each["Amount"]) for each in record["Line"]]
    items = company.books.records["Item"]
    return [(items[each["ItemRef"]["value"]]["Name"], amount, each["TaxCodeRef"]["value"]) for each, amount in details]


@module
async def test_a_paid_invoice_gets_a_refund_receipt_from_where_its_money_went(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    invoice = await sold(at)
    made = await give_back(fresh(at), invoice, shipping=usd("6.00"), reason="It came\nbroken")
    receipt = company.books.records["RefundReceipt"][made.id]
    assert made.url == f"https://app.sandbox.qbo.intuit.com/app/refundreceipt?txnId={made.id}"
    assert (receipt["TotalAmt"], receipt["TxnTaxDetail"]) == (15.2, {"TotalTax": 0.7})
    assert amounts(company, receipt) == [("Green tea, 100 g", 8.5, "TAX"), ("Shipping", 6.0, "NON")]
    account = company.books.records["Account"][receipt["DepositToAccountRef"]["value"]]
    assert account["AccountSubType"] == "UndepositedFunds"
    assert receipt["CustomerRef"] == {"value": invoice.customer_id}
    assert receipt["PrivateNote"] == f"{made.number} for invoice {invoice.number}\nIt came\nbroken"
    assert receipt["TxnDate"] == "2026-11-24"
    assert not company.books.records["CreditMemo"]


@module
async def test_the_money_is_given_back_from_the_account_that_is_set(connect: Connect, company: QuickBooks) -> None:
    bank = company.books.add("Account", Name="Till", AccountType="Bank", Classification="Asset")
    at = call(connect(deposit_account="Till"))
    made = await give_back(fresh(at), await sold(at))
    assert company.books.records["RefundReceipt"][made.id]["DepositToAccountRef"] == {"value": bank["Id"]}


@module
async def test_without_any_account_for_it_the_owner_is_told_which_setting(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    invoice = await sold(at)
    (funds,) = [a for a in company.books.records["Account"].values() if a.get("AccountSubType")]
    funds["Active"] = False
    try:
        with pytest.raises(Refused, match="no account for undeposited funds") as refused:
            await give_back(fresh(at), invoice)
    finally:
        funds["Active"] = True
    assert "`deposit_account` in [books.settings]" in refused.value.remedy


@module
async def test_an_open_invoice_gets_a_credit_memo_and_a_payment_of_nothing(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    invoice = await sold(at, paid=False)
    made = await give_back(fresh(at), invoice)
    held = company.books.records
    assert made.url.endswith(f"/creditmemo?txnId={made.id}")
    assert (held["CreditMemo"][made.id]["Balance"], held["Invoice"][invoice.id]["Balance"]) == (0, 15.2)
    (link,) = held["Invoice"][invoice.id]["LinkedTxn"]
    payment = held["Payment"][link["TxnId"]]
    assert (payment["TotalAmt"], [each["Amount"] for each in payment["Line"]]) == (0, [9.2, 9.2])


@module
async def test_where_credits_apply_themselves_an_open_invoice_is_for_a_person(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    invoice = await sold(at, paid=False)
    (preferences,) = company.books.records["Preferences"].values()
    preferences["SalesFormsPrefs"]["AutoApplyCredit"] = True
    before = len(company.credits())
    try:
        with pytest.raises(Refused, match=r"applies credits by itself, so R-.* could settle another") as refused:
            await give_back(fresh(at), invoice)
    finally:
        preferences["SalesFormsPrefs"]["AutoApplyCredit"] = False
    assert (refused.value.cause, len(company.credits())) == ("auto-apply", before)


@module
async def test_tax_is_taken_off_under_the_code_that_the_invoice_has_it_under(
    connect: Connect, company: QuickBooks
) -> None:
    """The flow doesn't know which tax it was; the shop's name of it led to a code of its own."""
    code = company.books.add("TaxCode", Name="5.0% R", Taxable=True)["Id"]
    at = call(connect(tax_codes={"VAT 5%": "5.0% R"}))
    taxed = (Tax(name="VAT 5%", rate=Decimal("0.05"), amount=usd("1.40")),)
    invoice = await sold(at, lines=(line(taxes=taxed),), taxes=taxed)
    made = await give_back(fresh(at), invoice)
    assert amounts(company, company.books.records["RefundReceipt"][made.id]) == [("Green tea, 100 g", 8.5, code)]
    part = CreditLine(sku="MUG-RED", name="Of a set", amount=usd("1.00"), tax=usd("0.05"))
    made = await give_back(fresh(at), invoice, lines=(part,))
    assert [code for _, _, code in amounts(company, company.books.records["RefundReceipt"][made.id])] == [code]


@module
async def test_where_the_invoice_has_several_codes_what_is_not_on_it_has_the_usual_one(
    connect: Connect, company: QuickBooks
) -> None:
    company.books.add("TaxCode", Name="Reduced", Taxable=True)
    at = call(connect(tax_codes={"Half": "Reduced"}))
    whole, half = (Tax(name=name, amount=usd("0.70")) for name in ("Whole", "Half"))
    lines = (line(taxes=(whole,)), line(id="12", sku="MUG-RED", total=usd("17.00"), taxes=(half,)))
    invoice = await sold(at, lines=lines, taxes=(whole, half), total=usd("41.40"))
    other = CreditLine(sku="POT-1L", name="Other", amount=usd("1.00"), tax=usd("0.05"))
    made = await give_back(fresh(at), invoice, lines=(other,))
    assert [code for _, _, code in amounts(company, company.books.records["RefundReceipt"][made.id])] == ["TAX"]


@module
async def test_a_tax_rate_that_is_set_is_that_of_the_credit_too(connect: Connect, company: QuickBooks) -> None:
    at = call(connect(tax_rate="Texas sales tax"))
    made = await give_back(fresh(at), await sold(at))
    (rate,) = [r for r in company.books.records["TaxCode"].values() if r["Name"] == "Texas sales tax"]
    detail = company.books.records["RefundReceipt"][made.id]["TxnTaxDetail"]
    assert detail == {"TotalTax": 0.7, "TxnTaxCodeRef": {"value": rate["Id"]}}


@module
async def test_a_gift_card_that_was_taken_back_lowers_what_is_owed_to_its_bearer(
    connect: Connect, company: QuickBooks
) -> None:
    card = CreditLine(sku="GIFT-25", name="Gift card", amount=usd("20.00"), gift_card=True)
    at = call(connect())
    made = await give_back(fresh(at), await sold(at), lines=(card,))
    assert amounts(company, company.books.records["RefundReceipt"][made.id]) == [("Gift cards", 20.0, "NON")]
    at = call(connect(gift_card_item="Tips"))
    with pytest.raises(Refused, match="isn't a liability"):
        await give_back(fresh(at), await sold(at), lines=(card,))


@module
async def test_a_company_that_numbers_by_itself_has_its_credit_found_by_the_day(
    connect: Connect, company: QuickBooks
) -> None:
    at = call(connect())
    invoice = await sold(at)
    (preferences,) = company.books.records["Preferences"].values()
    preferences["SalesFormsPrefs"]["CustomTxnNumbers"] = False
    before = len(company.credits())
    try:
        company.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"POST \S*/refundreceipt"))
        this, asked = fresh(at), {"invoice_number": "", "invoice_id": invoice.id, "reference": "R-by-the-day"}
        with pytest.raises(OutcomeUnknown):
            await give_back(this, invoice, **asked)
        company.forget()
        made = await give_back(dataclasses.replace(this, again=True), invoice, **asked)
    finally:
        preferences["SalesFormsPrefs"]["CustomTxnNumbers"] = True
    assert len(company.credits()) == before + 1
    assert company.books.records["RefundReceipt"][made.id]["DocNumber"] == made.number != "R-by-the-day"


@module
async def test_a_long_reference_keeps_its_end_and_its_shops_prefix(connect: Connect) -> None:
    at = call(connect(number_prefix="EU-"))
    invoice = await sold(at)
    known_by = invoice.number.removeprefix("EU-")
    made = await give_back(fresh(at), invoice, invoice_number=known_by, reference="RETURN-OF-THE-WEBSHOP-000123")
    assert made.number == "EU-THE-WEBSHOP-000123"


@module
async def test_two_invoices_with_the_same_number_have_to_be_told_apart(connect: Connect, company: QuickBooks) -> None:
    at = call(connect())
    invoice = await sold(at)
    other = await sold(at)
    company.books.records["Invoice"][other.id]["DocNumber"] = invoice.number
    with pytest.raises(Refused, match=f"2 invoices with the number {invoice.number}") as refused:
        await give_back(fresh(at), invoice)
    assert refused.value.cause == "ambiguous-invoice"
    made = await give_back(fresh(at), invoice, invoice_number="", invoice_id=invoice.id)
    assert made.invoice_id == invoice.id


def test_tax_may_be_a_line_of_its_own() -> None:
    settings = SETTINGS.model_copy(update={"tax_item": "Sales tax"})
    made_up = credit_sheet(CreateCreditMemo(invoice_number="1", lines=(TEA,), reference="R"), settings)
    assert [(entry.text, entry.amount, entry.tax) for entry in made_up.entries] == [
        ("Green tea, 100 g", Decimal("8.50"), ""),
        ("Sales tax", Decimal("0.70"), ""),
    ]
    assert (made_up.tax, made_up.total) == (Decimal(0), Decimal("9.20"))


def test_what_rounding_leaves_over_is_taken_off_again() -> None:
    third = CreditLine(sku="TEA-100", name="A third", amount=usd("0.335"))
    made_up = credit_sheet(CreateCreditMemo(invoice_number="1", lines=(third,) * 3, reference="R"), SETTINGS)
    assert [entry.amount for entry in made_up.entries] == [Decimal("0.34")] * 3 + [Decimal("-0.01")]
    assert made_up.total == Decimal("1.01")


def test_tax_that_is_said_of_no_line_is_on_all_of_them() -> None:
    bare = TEA.model_copy(update={"tax": None})
    given = CreateCreditMemo(invoice_number="1", lines=(bare,), tax=usd("0.70"), reference="R")
    made_up = credit_sheet(given, SETTINGS)
    assert ([bool(entry.tax) for entry in made_up.entries], made_up.tax) == ([True], Decimal("0.70"))


def test_a_line_without_a_sku_has_the_item_that_is_set_for_such_and_a_fee_has_its_own() -> None:
    unlisted = CreditLine(name="Gift wrap", amount=Money.of("2.00", "USD"))
    fee = CreditLine(name="Restocking", amount=Money.of("-1.00", "USD"))
    given = CreateCreditMemo(invoice_number="1", lines=(TEA, unlisted, fee), reference="R")
    for fees, item in (("", "adjustment_item"), ("Fees", "fee_item")):
        settings = SETTINGS.model_copy(update={"fallback_item": "Other goods", "fee_item": fees})
        assert [(entry.item.setting, entry.amount) for entry in credit_sheet(given, settings).entries] == [
            ("", Decimal("8.50")),
            ("fallback_item", Decimal("2.00")),
            (item, Decimal("-1.00")),
        ]
