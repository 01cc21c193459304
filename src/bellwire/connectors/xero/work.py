"""Invoices for work, and sending invoices. What tax there is on work, Xero works out.

https://developer.xero.com/documentation/api/accounting/invoices
"""

from decimal import ROUND_HALF_UP, Decimal

from bellwire.capabilities.accounting import (
    CREATE_WORK_INVOICE,
    SEND_INVOICE,
    CreateWorkInvoice,
    Invoice,
    SendInvoice,
    SentInvoice,
    WorkLine,
)
from bellwire.connectors.kit import ByKey, Call, Compared, LookUp, Seen, action
from bellwire.connectors.kit.person import Person
from bellwire.connectors.xero import contacts
from bellwire.connectors.xero.api import Record, amount_of, cents, create, number, read, tell
from bellwire.connectors.xero.documents import (
    FOUR_DECIMALS,
    document_number,
    invoice_of,
    invoice_page,
    invoices_numbered,
    newest_of,
    number_taken,
    today,
    wrong_total,
)
from bellwire.connectors.xero.faults import DUPLICATE_NUMBER
from bellwire.connectors.xero.ledger import find_tax_types
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.connectors.xero.payments import require_currency
from bellwire.errors import Refused
from bellwire.money import Money

_UNIT = Decimal("0.0001")
_DESCRIPTION = 4000


async def find_work_invoice(call: Call, given: CreateWorkInvoice) -> Invoice | None:
    """The invoice of an earlier attempt."""
    found = await _find(call, given)
    return _told(call, found, given) if found else None


async def look_for_work_invoice(call: Call, given: CreateWorkInvoice) -> Seen | None:
    """The invoice with this number, else the contact's newest since the day on which the flow would have made it. What
    it comes to is compared without the tax, which Xero works out."""
    found = await invoices_numbered(call, document_number(call, given.reference))
    if not found:
        contact = await contacts.find(call, Person.of(given.customer))
        found = await newest_of(call, "Invoices", "ACCREC", contact["ContactID"] if contact else "")
    if not found:
        return None
    made, currency = found[0], found[0].get("CurrencyCode", call.settings.base_currency)
    result, theirs = _invoice(made, currency), Money.of(_net(made), currency)
    compared = Compared.money("total without tax", Money.of(_sum(given), given.currency), theirs)
    return Seen(f"invoice {result.number}", (compared,), result.url, result)


# Requests carry a key too. How long Xero remembers it isn't published, so a repeat looks first.
@action(CREATE_WORK_INVOICE, repeat=LookUp(find_work_invoice), look=look_for_work_invoice)
async def create_work_invoice(call: Call, given: CreateWorkInvoice) -> Invoice:
    """Raises Refused (currency, tax-unknown, wrong-total, duplicate-number)."""
    settings: XeroSettings = call.settings
    require_currency(given.currency, settings, f"the work {given.reference}")
    taxed = any(line.taxable for line in given.lines)
    if taxed and settings.tax_account:
        raise Refused(
            f"It isn't said how much tax there is on the work {given.reference}, and Xero isn't to work it out.",
            cause="tax-unknown",
            remedy="Let the flow say `taxable: false` of its lines, or use a connection to these books that has no "
            "`tax_account`.",
        )
    types = await find_tax_types(call, [settings.exempt_tax_rate, *([settings.tax_rate] if taxed else [])])
    contact, _ = await contacts.find_or_create(call, Person.of(given.customer))
    lines = [
        _line(line, types[settings.tax_rate if line.taxable else settings.exempt_tax_rate], settings)
        for line in given.lines
    ]
    if given.memo:
        lines.append({"Description": given.memo})
    day = today(call)
    body: Record = {
        "Type": "ACCREC",
        "InvoiceNumber": document_number(call, given.reference),
        "Contact": {"ContactID": contact["ContactID"]},
        "Date": day.isoformat(),
        "DueDate": (given.due or day).isoformat(),
        "Reference": _mark(given),
        "LineAmountTypes": "Exclusive",
        "LineItems": lines,
        "Status": "AUTHORISED",
    }
    if settings.multicurrency:
        body["CurrencyCode"] = given.currency
    try:
        made = await create(call, "Invoices", body, **FOUR_DECIMALS)
    except Refused as error:
        if error.cause != DUPLICATE_NUMBER:
            raise
        found = await _find(call, given)
        if found is None:
            raise number_taken(body["InvoiceNumber"], f"the work {given.reference}", error) from error
        made = found
    return _told(call, made, given)


async def look_for_sent_invoice(call: Call, given: SendInvoice) -> Seen | None:
    """Whether the invoice was sent, as far as Xero knows: it was e-mailed from there, or somebody marked it so. Xero
    doesn't say to whom."""
    invoice = await invoice_of(call, given.invoice_id)
    if invoice is None or not invoice.get("SentToContact"):
        return None
    result = SentInvoice(invoice_id=invoice["InvoiceID"], to=given.to)
    return Seen(f"the mail of invoice {invoice['InvoiceNumber']}", (), invoice_page(result.invoice_id), result)


@action(SEND_INVOICE, repeat=ByKey("the header Idempotency-Key"), look=look_for_sent_invoice)
async def send_invoice(call: Call, given: SendInvoice) -> SentInvoice:
    """`POST Invoices/ID/Email`: to the contact's own address (and to whom of theirs the contact says), and to no other.
    Raises Refused (unknown-invoice, no-address, another-address)."""
    invoice = await invoice_of(call, given.invoice_id)
    if invoice is None:
        raise Refused(f"Xero has no invoice with the id {given.invoice_id} any more.", cause="unknown-invoice")
    contact = invoice["Contact"]["ContactID"]
    (known,) = (await read(call, "Contacts", IDs=contact, includeArchived="true", page="1"))["Contacts"]
    address, name = known.get("EmailAddress") or "", known["Name"]
    wanted = given.to or "where it is to go"
    if not address or (given.to and given.to.casefold() != address.casefold()):
        raise Refused(
            f"Xero sends invoices to the contact's own address, and that of '{name}' is "
            f"{f'{address}, not {wanted}' if address else 'not known there'}.",
            cause="another-address" if address else "no-address",
            remedy=f"Enter the address in Xero (Contacts › {name}), then send it again; or send the invoice by hand.",
        )
    await tell(call, f"Invoices/{invoice['InvoiceID']}/Email")
    return SentInvoice(invoice_id=invoice["InvoiceID"], to=address)


async def _find(call: Call, given: CreateWorkInvoice) -> Record | None:
    found = await invoices_numbered(call, document_number(call, given.reference))
    return next((record for record in found if record.get("Reference") == _mark(given)), None)


def _mark(given: CreateWorkInvoice) -> str:
    return f"Work {given.reference}"


def _line(line: WorkLine, tax_type: str, settings: XeroSettings) -> Record:
    """Quantity and unit price multiply to the amount, which Xero checks to the cent."""
    amount = _amount(line)
    quantity, price, text = line.quantity, line.unit_price.amount.quantize(_UNIT, ROUND_HALF_UP), line.name
    if cents(quantity * price) != amount:
        quantity, price, text = Decimal(1), amount, f"{line.quantity} × {line.name}"
    return {
        "Description": text[:_DESCRIPTION],
        "Quantity": number(quantity),
        "UnitAmount": number(price),
        "LineAmount": number(amount),
        "AccountCode": settings.work_account or settings.sales_account,
        "TaxType": tax_type,
    }


def _amount(line: WorkLine) -> Decimal:
    return cents(line.quantity * line.unit_price.amount)


def _told(call: Call, record: Record, given: CreateWorkInvoice) -> Invoice:
    """Raises Refused when Xero came to another total before tax."""
    ours, net = _sum(given), _net(record)
    if net != ours:
        what = f"invoice {record['InvoiceNumber']} without tax"
        raise wrong_total(call, what, ours, net, given.currency, record)
    return _invoice(record, given.currency)


def _sum(given: CreateWorkInvoice) -> Decimal:
    return sum(map(_amount, given.lines), Decimal(0))


def _net(record: Record) -> Decimal:
    return amount_of(record["Total"]) - amount_of(record["TotalTax"])


def _invoice(record: Record, currency: str) -> Invoice:
    return Invoice(
        id=record["InvoiceID"],
        number=record["InvoiceNumber"],
        total=Money.of(amount_of(record["Total"]), currency),
        customer_id=record["Contact"]["ContactID"],
        url=invoice_page(record["InvoiceID"]),
    )
