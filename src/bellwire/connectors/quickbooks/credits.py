"""What was given back of an invoice: sales and tax go down by it, and so does the money, or what is still owed.

Where the invoice is paid, the way of QuickBooks is a refund receipt: one document that takes the sale and its tax off
again, and the money from the account that it had gone to. A credit memo would be wrong there: it moves no money, so the
customer would seem to have something to their credit that they were given long ago. Where the invoice is open, no money
has come in that could be given back: there it is a credit memo, and a payment of zero that sets it against the invoice.

A refund receipt can't be linked to an invoice, so the first line of the note of each says which invoice it is for.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/refundreceipt
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditmemo
https://developer.intuit.com/app/developer/qbpayments/docs/workflows/refund-charges
"""

from dataclasses import replace
from decimal import Decimal

from bellwire.capabilities.accounting import CREATE_CREDIT_MEMO, CreateCreditMemo, CreditLine, CreditMemo
from bellwire.connectors.kit import Call, Compared, LookUp, Seen, action
from bellwire.connectors.quickbooks.api import Record, amount_of, ask, cents, create, number
from bellwire.connectors.quickbooks.documents import (
    currency_in,
    document_number,
    find_marked,
    label,
    look_up,
    number_taken,
    page,
    today,
    wrong_total,
)
from bellwire.connectors.quickbooks.faults import DUPLICATE_NUMBER
from bellwire.connectors.quickbooks.items import (
    find_account,
    find_items,
    find_tax_codes,
    find_undeposited,
    require_liability,
)
from bellwire.connectors.quickbooks.lines import GIFT_CARDS, Entry, Sheet, Wanted, sales_line
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.connectors.quickbooks.payments import (
    currency_of,
    for_a_gift_card,
    part,
    require_credits_by_hand,
    require_currency,
)
from bellwire.errors import Refused
from bellwire.money import Money

_ZERO = Decimal(0)
_NOTE = 4000
_KINDS = {"RefundReceipt": "refund receipt", "CreditMemo": "credit memo"}
_TAXED = "Tax"
"""That there is tax on an entry: which, the invoice says."""


async def find_credit_memo(call: Call, given: CreateCreditMemo) -> CreditMemo | None:
    """What an earlier attempt did to its end: a credit memo of which something is left isn't set against the invoice
    yet."""
    invoice = await _invoice(call, given)
    found = await _find(call, given, invoice)
    return _told(call, *found, given, invoice) if found and not _left(found[1]) else None


async def look_for_credit_memo(call: Call, given: CreateCreditMemo) -> Seen | None:
    """A refund receipt or credit memo with this number, else one of the invoice's customer since the day on which the
    flow would have made it; of several that with this total. Neither says which invoice it is for."""
    invoice = await _invoice(call, given)
    found = [
        (entity, record)
        for entity in ("RefundReceipt", "CreditMemo")
        for record in await look_up(call, entity, given.reference, invoice["CustomerRef"]["value"])
        if not for_a_gift_card(record)
    ]
    total = cents(given.total.amount)
    best = min(found, key=lambda each: amount_of(each[1]["TotalAmt"]) != total, default=None)
    if best is None:
        return None
    entity, record = best
    made = CreditMemo(
        id=record["Id"],
        number=label(record),
        total=Money.of(amount_of(record["TotalAmt"]), currency_in(call, record)),
        invoice_id=invoice["Id"],
        url=page(call, entity, record),
    )
    return Seen(f"{_KINDS[entity]} {made.number}", (Compared.money("total", given.total, made.total),), made.url, made)


@action(CREATE_CREDIT_MEMO, repeat=LookUp(find_credit_memo), look=look_for_credit_memo)
async def create_credit_memo(call: Call, given: CreateCreditMemo) -> CreditMemo:
    """A RefundReceipt or a CreditMemo: see above. Another run for the same `reference` finds it, and books nothing.

    Raises Refused (unknown-invoice, ambiguous-invoice, another-customer, more-than-invoiced, partly-paid, no-sku,
    auto-apply, credit-used, wrong-total, duplicate-number, currency).
    """
    require_currency(given.currency, call.settings, f"what was given back for {given.reference}")
    invoice = await _invoice(call, given)
    entity, record = await _find(call, given, invoice) or await _create(call, given, invoice)
    made = _told(call, entity, record, given, invoice)
    if _left(record):
        await _apply(call, record, invoice)
    return made


def credit_sheet(given: CreateCreditMemo, settings: QuickBooksSettings) -> Sheet:
    """All that is given back. Raises Refused when there is a line that no item can be found for."""
    entries = [_goods(line, settings) for line in given.lines]
    if given.shipping:
        taxed = _TAXED if given.shipping_tax else ""
        entries.append(Entry(Wanted(setting="shipping_item"), "Shipping", cents(given.shipping.amount), tax=taxed))
    tax, owed = cents(given.tax_total.amount), cents(given.total.amount)
    if settings.tax_item:
        entries = [replace(entry, tax="") for entry in entries]
        if tax:
            entries.append(Entry(Wanted(setting="tax_item"), "Sales tax", tax))
        tax = _ZERO
    elif tax and not any(entry.tax for entry in entries):
        entries = [replace(entry, tax=_TAXED) for entry in entries]
    left = owed - tax - sum((entry.amount for entry in entries), _ZERO)
    if left:
        entries.append(Entry(Wanted(setting="adjustment_item"), "Adjustment and rounding", left))
    return Sheet(tuple(entries), tax, owed)


def _goods(line: CreditLine, settings: QuickBooksSettings) -> Entry:
    if line.gift_card:
        item = GIFT_CARDS
    elif line.sku:
        item = Wanted(sku=line.sku)
    elif line.amount.amount < 0:
        item = Wanted(setting="fee_item" if settings.fee_item else "adjustment_item")
    elif settings.fallback_item:
        item = Wanted(setting="fallback_item")
    else:
        raise Refused(
            f"'{line.name}', which was given back, has no SKU, so QuickBooks can't tell which item it is.",
            cause="no-sku",
            remedy="Give it a SKU, or set `fallback_item` for the connection, then send it again.",
        )
    return Entry(item, line.name, cents(line.amount.amount), line.quantity, tax=_TAXED if line.tax else "")


# The invoice


async def _invoice(call: Call, given: CreateCreditMemo) -> Record:
    """The one that it is for. Raises Refused when that can't be told, or isn't what was meant."""
    wanted = given.invoice_id or document_number(call, given.invoice_number)
    found = await ask(call, "Invoice", "Id" if given.invoice_id else "DocNumber", [wanted])
    if len(found) != 1:
        said = f"{len(found)} invoices with the number {wanted}" if found else f"no invoice {wanted}"
        raise Refused(
            f"QuickBooks has {said}, so it can't be told what {given.reference} is to be taken off.",
            cause="ambiguous-invoice" if found else "unknown-invoice",
            remedy="Let the flow give the `invoice_id`; or book it by hand, and resolve the exception as done.",
        )
    (invoice,) = found
    if given.customer_id and invoice["CustomerRef"]["value"] != given.customer_id:
        raise Refused(
            f"Invoice {label(invoice)} in QuickBooks is of another customer than {given.reference}.",
            cause="another-customer",
            remedy="See whose return it is, and book it by hand.",
        )
    currency = invoice.get("CurrencyRef", {}).get("value", call.settings.home_currency)
    if currency != given.currency:
        raise Refused(
            f"{given.reference} is in {given.currency}, but invoice {label(invoice)} in QuickBooks is in {currency}.",
            cause=f"currency:{given.currency}",
        )
    total, credit = amount_of(invoice["TotalAmt"]), cents(given.total.amount)
    if credit > total:
        raise Refused(
            f"{credit:,} {currency} for {given.reference} is more than invoice {label(invoice)} in QuickBooks comes "
            f"to: {total:,} {currency}.",
            cause="more-than-invoiced",
        )
    return invoice


def _taxed_as(invoice: Record, exempt: str) -> dict[str, str]:
    """Item → the tax code under which the invoice has it."""
    details = [line["SalesItemLineDetail"] for line in invoice["Line"] if "SalesItemLineDetail" in line]
    codes = {each["ItemRef"]["value"]: each.get("TaxCodeRef", {}).get("value", exempt) for each in details}
    return {item: code for item, code in codes.items() if code != exempt}


# The documents


async def _find(call: Call, given: CreateCreditMemo, invoice: Record) -> tuple[str, Record] | None:
    """That of an earlier attempt, or of another run for the same reference."""
    for entity in ("RefundReceipt", "CreditMemo"):
        if record := await find_marked(call, entity, given.reference, _mark(given, invoice)):
            return entity, record
    return None


async def _create(call: Call, given: CreateCreditMemo, invoice: Record) -> tuple[str, Record]:
    owed, credit = amount_of(invoice["Balance"]), cents(given.total.amount)
    if _ZERO < owed < credit:
        raise Refused(
            f"{owed:,} of invoice {label(invoice)} in QuickBooks is still to be paid, which is less than the "
            f"{credit:,} {given.currency} of {given.reference}: it can't be told how much was given back.",
            cause="partly-paid",
            remedy="Record in QuickBooks what was paid of it, then send it again; or book it by hand.",
        )
    entity = "CreditMemo" if owed else "RefundReceipt"
    body = await _document(call, given, invoice)
    if owed:
        await require_credits_by_hand(call, given.reference)
    else:
        account = call.settings.deposit_account
        paid_from = await find_account(call, account) if account else await find_undeposited(call)
        body["DepositToAccountRef"] = {"value": paid_from}
    try:
        # One requestid for two records would give the first one's answer to the other.
        return entity, await create(call.part(entity), entity, body)
    except Refused as error:
        if error.cause != DUPLICATE_NUMBER:
            raise
        if record := await find_marked(call, entity, given.reference, _mark(given, invoice)):
            return entity, record
        raise number_taken(body["DocNumber"], given.reference, error) from error


async def _document(call: Call, given: CreateCreditMemo, invoice: Record) -> Record:
    settings: QuickBooksSettings = call.settings
    made_up = credit_sheet(given, settings)
    items = await find_items(call, (entry.item for entry in made_up.entries))
    if GIFT_CARDS in items:
        await require_liability(call, items[GIFT_CARDS])
    codes = await find_tax_codes(
        call, [name for name in (settings.exempt_tax_code, settings.tax_code, settings.tax_rate) if name]
    )
    exempt = codes[settings.exempt_tax_code]
    known = _taxed_as(invoice, exempt)
    # What isn't on the invoice by itself, such as a part of it under another name, is taxed as the whole of it is.
    usual = next(iter(known.values())) if len(set(known.values())) == 1 else codes[settings.tax_code]
    body: Record = {
        "DocNumber": document_number(call, given.reference),
        "TxnDate": today(call).isoformat(),
        "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
        "Line": [
            sales_line(entry, items[entry.item], known.get(items[entry.item], usual) if entry.tax else exempt)
            for entry in made_up.entries
        ],
        "GlobalTaxCalculation": "TaxExcluded",
        "PrivateNote": _note(given, invoice)[:_NOTE],
    }
    if any(entry.tax for entry in made_up.entries):
        body["TxnTaxDetail"] = {"TotalTax": number(made_up.tax)}
        if settings.tax_rate:
            body["TxnTaxDetail"]["TxnTaxCodeRef"] = {"value": codes[settings.tax_rate]}
    return body | currency_of(given.currency, settings)


async def _apply(call: Call, memo: Record, invoice: Record) -> None:
    """Set the whole credit memo against the invoice."""
    left, owed = _left(memo), amount_of(invoice["Balance"])
    if left != amount_of(memo["TotalAmt"]) or owed < left:
        raise Refused(
            f"Credit memo {label(memo)} in QuickBooks can't be set against invoice {label(invoice)} any more: "
            f"{left:,} of the one is left, and {owed:,} of the other.",
            cause="credit-used",
            remedy="See in QuickBooks what became of both, and settle the credit memo by hand; then resolve the "
            "exception as done.",
        )
    body: Record = {
        "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
        "TotalAmt": 0,
        "TxnDate": today(call).isoformat(),
        "Line": [part(left, "Invoice", invoice["Id"]), part(left, "CreditMemo", memo["Id"])],
        "PrivateNote": f"Bellwire {call.key}",
    }
    currency = invoice.get("CurrencyRef", {}).get("value", call.settings.home_currency)
    await create(call, "Payment", body | currency_of(currency, call.settings))


def _left(record: Record) -> Decimal:
    """Of a credit memo; of a refund receipt it is nothing."""
    return amount_of(record.get("Balance", 0))


def _mark(given: CreateCreditMemo, invoice: Record) -> str:
    return f"{given.reference} for invoice {label(invoice)}".replace("\n", " ")


def _note(given: CreateCreditMemo, invoice: Record) -> str:
    """For the owner's eyes; it is known by its first line."""
    said = [_mark(given, invoice)]
    if cents(given.total.amount) != given.total.amount:
        said.append(f"{given.total} was given back; QuickBooks keeps two decimals")
    if given.reason:
        said.append(given.reason)
    return "\n".join(said)


def _told(call: Call, entity: str, record: Record, given: CreateCreditMemo, invoice: Record) -> CreditMemo:
    """Raises Refused when QuickBooks came to another total."""
    ours, theirs = cents(given.total.amount), amount_of(record["TotalAmt"])
    if ours != theirs:
        what = f"the {_KINDS[entity]} {label(record)}"
        raise wrong_total(call, what, ours, theirs, given.currency, record)
    return CreditMemo(
        id=record["Id"],
        number=label(record),
        total=Money.of(theirs, given.currency),
        invoice_id=invoice["Id"],
        url=page(call, entity, record),
    )
