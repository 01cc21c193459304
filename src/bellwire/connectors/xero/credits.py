"""What was given back of an invoice: sales and tax go down by it, and so does the money, or what is still owed.

In Xero it is a credit note. Where the invoice is paid, the credit note is paid out (a payment against it, from the
account that payments go to): otherwise the customer would seem to have something to their credit that they were given
long ago. Where the invoice is open, no money has come in that could be given back: there the credit note is allocated
to it. Xero takes either only once the credit note is there.

https://developer.xero.com/documentation/api/accounting/creditnotes
https://developer.xero.com/documentation/api/accounting/payments
https://github.com/waynerobinson/xeroizer/issues/196
"""

from dataclasses import replace
from decimal import Decimal

from bellwire.capabilities.accounting import CREATE_CREDIT_MEMO, CreateCreditMemo, CreditLine, CreditMemo
from bellwire.connectors.kit import Call, Compared, LookUp, Seen, action
from bellwire.connectors.xero.api import Record, amount_of, cents, create, listed, number
from bellwire.connectors.xero.documents import (
    APP,
    FOUR_DECIMALS,
    GONE,
    document_number,
    invoice_of,
    invoices_numbered,
    newest_of,
    number_taken,
    today,
    wrong_total,
)
from bellwire.connectors.xero.faults import DUPLICATE_NUMBER
from bellwire.connectors.xero.ledger import (
    deposit_account,
    find_items,
    find_tax_types,
    gift_card_account,
    gift_card_code,
)
from bellwire.connectors.xero.lines import Entry, Sheet, sales_line, with_tax
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.connectors.xero.payments import require_currency
from bellwire.errors import Refused
from bellwire.money import Money

_ZERO = Decimal(0)
_REFERENCE = 255
_DESCRIPTION = 4000
_TAXED = "Tax"
"""That there is tax on an entry: which, the invoice says."""


async def find_credit_memo(call: Call, given: CreateCreditMemo) -> CreditMemo | None:
    """What an earlier attempt did to its end: of a credit note of which something is left, nothing was paid out or
    allocated yet."""
    invoice = await _invoice(call, given)
    found = await _find(call, given, invoice)
    return _told(call, found, given, invoice) if found and not amount_of(found["RemainingCredit"]) else None


async def look_for_credit_memo(call: Call, given: CreateCreditMemo) -> Seen | None:
    """The credit note with this number, else one of the invoice's contact since the day on which the flow would have
    made it; of several that with this total."""
    invoice, total = await _invoice(call, given), cents(given.total.amount)
    found = await _numbered(call, given) or await newest_of(
        call, "CreditNotes", "ACCRECCREDIT", invoice["Contact"]["ContactID"]
    )
    best = min(found, key=lambda each: amount_of(each["Total"]) != total, default=None)
    if best is None:
        return None
    made = _credit_memo(best, invoice, best.get("CurrencyCode", call.settings.base_currency))
    compared = (Compared.money("total", given.total, made.total),)
    return Seen(f"credit note {made.number}", compared, made.url, made)


@action(CREATE_CREDIT_MEMO, repeat=LookUp(find_credit_memo), look=look_for_credit_memo)
async def create_credit_memo(call: Call, given: CreateCreditMemo) -> CreditMemo:
    """A credit note, paid out or allocated: see above. Another run for the same `reference` finds it, and books
    nothing.

    Raises Refused (unknown-invoice, ambiguous-invoice, another-customer, more-than-invoiced, partly-paid, no-sku,
    credit-used, wrong-total, duplicate-number, currency).
    """
    require_currency(given.currency, call.settings, f"what was given back for {given.reference}")
    invoice = await _invoice(call, given)
    note = await _find(call, given, invoice)
    if note is None:
        _require_one_way(given, invoice)
        note = await _create(call, given, invoice)
    made = _told(call, note, given, invoice)
    if amount_of(note["RemainingCredit"]):
        await _settle(call, given, note, invoice)
    return made


def credit_sheet(given: CreateCreditMemo, settings: XeroSettings) -> Sheet:
    """All that is given back. Raises Refused when there is a line that nothing can be found for."""
    entries = [_goods(line, settings) for line in given.lines]
    if given.shipping:
        amount, tax = cents(given.shipping.amount), _tax(given.shipping_tax)
        taxes = _TAXED if tax else ""
        entries.append(Entry("Shipping", amount, account=settings.shipping_account, taxes=taxes, tax=tax))
    tax, owed = cents(given.tax_total.amount), cents(given.total.amount)
    if settings.tax_account:
        entries = [replace(entry, taxes="", tax=_ZERO) for entry in entries]
        if tax:
            entries.append(Entry("Sales tax", tax, account=settings.tax_account))
    else:
        entries = with_tax(entries, tax, ())
    left = owed - sum((entry.net + entry.tax for entry in entries), _ZERO)
    if left:
        entries.append(Entry("Adjustment and rounding", left, account=settings.adjustment_account))
    return Sheet(tuple(entries), owed)


def _goods(line: CreditLine, settings: XeroSettings) -> Entry:
    sku = account = ""
    if line.gift_card:
        account = gift_card_code(settings)
    elif line.sku:
        sku = line.sku
    elif line.amount.amount < 0:
        account = settings.fee_account or settings.adjustment_account
    elif settings.fallback_account:
        account = settings.fallback_account
    else:
        raise Refused(
            f"'{line.name}', which was given back, has no SKU, so Xero can't tell which item it is.",
            cause="no-sku",
            remedy="Give it a SKU, or set `fallback_account` for the connection, then send it again.",
        )
    tax = _tax(line.tax)
    taxes = _TAXED if tax else ""
    return Entry(line.name, cents(line.amount.amount), sku, account, line.quantity, taxes=taxes, tax=tax)


def _tax(tax: Money | None) -> Decimal:
    return cents(tax.amount) if tax else _ZERO


# The invoice


async def _invoice(call: Call, given: CreateCreditMemo) -> Record:
    """The one that it is for. Raises Refused when that can't be told, or isn't what was meant."""
    if given.invoice_id:
        wanted, one = given.invoice_id, await invoice_of(call, given.invoice_id)
        found = [one] if one else []
    else:
        wanted = document_number(call, given.invoice_number)
        found = await invoices_numbered(call, wanted)
    if len(found) != 1:
        said = f"{len(found)} invoices with the number {wanted}" if found else f"no invoice {wanted}"
        raise Refused(
            f"Xero has {said}, so it can't be told what {given.reference} is to be taken off.",
            cause="ambiguous-invoice" if found else "unknown-invoice",
            remedy="Let the flow give the `invoice_id`; or book it by hand, and resolve the exception as done.",
        )
    (invoice,) = found
    label, currency = invoice["InvoiceNumber"], invoice["CurrencyCode"]
    if given.customer_id and invoice["Contact"]["ContactID"] != given.customer_id:
        raise Refused(
            f"Invoice {label} in Xero is of another contact than {given.reference}.",
            cause="another-customer",
            remedy="See whose return it is, and book it by hand.",
        )
    if currency != given.currency:
        raise Refused(
            f"{given.reference} is in {given.currency}, but invoice {label} in Xero is in {currency}.",
            cause=f"currency:{given.currency}",
        )
    total, credit = amount_of(invoice["Total"]), cents(given.total.amount)
    if credit > total:
        raise Refused(
            f"{credit:,} {currency} for {given.reference} is more than invoice {label} in Xero comes to: {total:,} "
            f"{currency}.",
            cause="more-than-invoiced",
        )
    return invoice


def _require_one_way(given: CreateCreditMemo, invoice: Record) -> None:
    owed, credit = amount_of(invoice["AmountDue"]), cents(given.total.amount)
    if _ZERO < owed < credit:
        raise Refused(
            f"{owed:,} of invoice {invoice['InvoiceNumber']} in Xero is still to be paid, which is less than the "
            f"{credit:,} {given.currency} of {given.reference}: it can't be told how much was given back.",
            cause="partly-paid",
            remedy="Record in Xero what was paid of it, then send it again; or book it by hand.",
        )


def _taxed_as(invoice: Record, exempt: str) -> dict[str, str]:
    """Item, or account where there is none → the tax type under which the invoice has it."""
    lines = invoice.get("LineItems", ())
    types = {line.get("ItemCode") or line.get("AccountCode", ""): line.get("TaxType", exempt) for line in lines}
    return {booked_on: kind for booked_on, kind in types.items() if kind != exempt}


# The credit note


async def _find(call: Call, given: CreateCreditMemo, invoice: Record) -> Record | None:
    """That of an earlier attempt, or of another run for the same reference; whose it is, its reference tells."""
    found = await _numbered(call, given)
    return next((record for record in found if record.get("Reference") == _mark(given, invoice)), None)


async def _numbered(call: Call, given: CreateCreditMemo) -> list[Record]:
    """The credit notes to customers under the number that ours would have."""
    found = await listed(call, "CreditNotes", f'CreditNoteNumber=="{_number(call, given)}"')
    return [record for record in found if record["Type"] == "ACCRECCREDIT" and record["Status"] not in GONE]


async def _create(call: Call, given: CreateCreditMemo, invoice: Record) -> Record:
    settings: XeroSettings = call.settings
    made_up = credit_sheet(given, settings)
    items = await find_items(call, (entry.sku for entry in made_up.entries if entry.sku))
    if any(line.gift_card for line in given.lines):
        await gift_card_account(call)
    types = await find_tax_types(call, (settings.exempt_tax_rate, settings.tax_rate))
    exempt = types[settings.exempt_tax_rate]
    known = _taxed_as(invoice, exempt)
    # What isn't on the invoice by itself, such as a part of it under another name, is taxed as the whole of it is.
    usual = next(iter(known.values())) if len(set(known.values())) == 1 else types[settings.tax_rate]

    def tax_type(entry: Entry) -> str:
        booked_on = items[entry.sku].code if entry.sku else entry.account
        return known.get(booked_on, usual) if entry.taxes else exempt

    lines = [sales_line(entry, items, tax_type(entry), settings) for entry in made_up.entries]
    if given.reason:
        lines.append({"Description": given.reason[:_DESCRIPTION]})
    body: Record = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": _number(call, given),
        "Contact": {"ContactID": invoice["Contact"]["ContactID"]},
        "Date": today(call).isoformat(),
        "Reference": _mark(given, invoice),
        "LineAmountTypes": "Exclusive",
        "LineItems": lines,
        "Status": "AUTHORISED",
    }
    if settings.multicurrency:
        body["CurrencyCode"] = given.currency
    try:
        return await create(call.part("credit note"), "CreditNotes", body, **FOUR_DECIMALS)
    except Refused as error:
        if error.cause != DUPLICATE_NUMBER:
            raise
        if record := await _find(call, given, invoice):
            return record
        raise number_taken(body["CreditNoteNumber"], given.reference, error) from error


async def _settle(call: Call, given: CreateCreditMemo, note: Record, invoice: Record) -> None:
    """Pay the whole credit note out, or allocate it to the invoice."""
    left, owed = amount_of(note["RemainingCredit"]), amount_of(invoice["AmountDue"])
    if left != amount_of(note["Total"]) or _ZERO < owed < left:
        label = invoice["InvoiceNumber"]
        raise Refused(
            f"Credit note {note['CreditNoteNumber']} in Xero can't be settled with invoice {label} any more: {left:,} "
            f"of the one is left, and {owed:,} of the other.",
            cause="credit-used",
            remedy="See in Xero what became of both, and settle the credit note by hand; then resolve the exception as "
            "done.",
        )
    body: Record = {"Date": today(call).isoformat(), "Amount": number(left)}
    note_id = note["CreditNoteID"]
    if owed:
        body["Invoice"] = {"InvoiceID": invoice["InvoiceID"]}
        await create(call.part("allocation"), "Allocations", body, below=f"CreditNotes/{note_id}")
        return
    account = await deposit_account(call)
    body |= {
        "CreditNote": {"CreditNoteID": note_id},
        "Account": {"AccountID": account["AccountID"]},
        "Reference": _mark(given, invoice),
    }
    await create(call.part("payment"), "Payments", body)


def _number(call: Call, given: CreateCreditMemo) -> str:
    """Without what can't be looked for."""
    return document_number(call, given.reference.replace('"', "'").replace("\\", "/"))


def _mark(given: CreateCreditMemo, invoice: Record) -> str:
    """What the credit note is known by."""
    return f"{given.reference} for invoice {invoice['InvoiceNumber']}"[:_REFERENCE]


def _told(call: Call, record: Record, given: CreateCreditMemo, invoice: Record) -> CreditMemo:
    """Raises Refused when Xero came to another total."""
    ours, theirs, label = cents(given.total.amount), amount_of(record["Total"]), record["CreditNoteNumber"]
    if ours != theirs:
        raise wrong_total(call, f"the credit note {label}", ours, theirs, given.currency, record)
    return _credit_memo(record, invoice, given.currency)


def _credit_memo(record: Record, invoice: Record, currency: str) -> CreditMemo:
    made = record["CreditNoteID"]
    return CreditMemo(
        id=made,
        number=record["CreditNoteNumber"],
        total=Money.of(amount_of(record["Total"]), currency),
        invoice_id=invoice["InvoiceID"],
        url=f"{APP}/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={made}",
    )
