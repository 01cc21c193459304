"""Invoices for work, and sending invoices. What tax there is on work, QuickBooks works out.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote

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
from bellwire.connectors.quickbooks import customers
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
from bellwire.connectors.quickbooks.items import find_items, find_tax_codes
from bellwire.connectors.quickbooks.lines import Wanted
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.connectors.quickbooks.payments import currency_of, require_currency
from bellwire.errors import Refused
from bellwire.money import Money

_WORK = Wanted(setting="work_item")
_UNIT = Decimal("0.0000001")
"""How exact unit prices are."""
_DESCRIPTION = 4000


async def find_work_invoice(call: Call, given: CreateWorkInvoice) -> Invoice | None:
    """The invoice of an earlier attempt."""
    found = await _find(call, given)
    return _told(call, found, given) if found else None


async def look_for_work_invoice(call: Call, given: CreateWorkInvoice) -> Seen | None:
    """The invoice with this number, else the customer's newest since the day on which the flow would have made it. What
    it comes to is compared without the tax, which QuickBooks works out."""
    person = Person.of(given.customer)
    whose = await customers.find(call, person, given.currency)
    found = await look_up(call, "Invoice", given.reference, whose["Id"] if whose else "")
    if not found:
        return None
    made, currency = found[0], currency_in(call, found[0])
    result = _invoice(call, made, currency)
    theirs = Money.of(_net(made), currency)
    compared = Compared.money("total without tax", Money.of(_sum(given), given.currency), theirs)
    return Seen(f"invoice {result.number}", (compared,), result.url, result)


# Requests carry a requestid too. How long QuickBooks remembers it isn't published, so a repeat looks first.
@action(CREATE_WORK_INVOICE, repeat=LookUp(find_work_invoice), look=look_for_work_invoice)
async def create_work_invoice(call: Call, given: CreateWorkInvoice) -> Invoice:
    """Raises Refused (currency, tax-unknown, unknown-item, wrong-total, duplicate-number)."""
    settings: QuickBooksSettings = call.settings
    require_currency(given.currency, settings, f"the work {given.reference}")
    taxed = any(line.taxable for line in given.lines)
    if taxed and settings.tax_item:
        raise Refused(
            f"It isn't said how much tax there is on the work {given.reference}, and QuickBooks isn't to work it out.",
            cause="tax-unknown",
            remedy="Let the flow say `taxable: false` of its lines, or use a connection to these books that has no "
            "`tax_item`.",
        )
    items = await find_items(call, [_WORK])
    names = [settings.exempt_tax_code, *([settings.tax_code, settings.tax_rate] if taxed else [])]
    codes = await find_tax_codes(call, filter(None, names))
    customer, _ = await customers.find_or_create(call, Person.of(given.customer), given.currency)
    day = today(call)
    body: Record = {
        "DocNumber": document_number(call, given.reference),
        "TxnDate": day.isoformat(),
        "DueDate": (given.due or day).isoformat(),
        "CustomerRef": {"value": customer["Id"]},
        "Line": [
            _line(line, items[_WORK], codes[settings.tax_code if line.taxable else settings.exempt_tax_code])
            for line in given.lines
        ],
        "GlobalTaxCalculation": "TaxExcluded",
        "PrivateNote": _mark(given),
    }
    if taxed and settings.tax_rate:
        body["TxnTaxDetail"] = {"TxnTaxCodeRef": {"value": codes[settings.tax_rate]}}
    if given.memo:
        body["CustomerMemo"] = {"value": given.memo}
    if email := customers.mailable(given.customer.email):
        body["BillEmail"] = {"Address": email}
    try:
        made = await create(call, "Invoice", body | currency_of(given.currency, settings))
    except Refused as error:
        if error.cause != DUPLICATE_NUMBER:
            raise
        found = await _find(call, given)
        if found is None:
            raise number_taken(body["DocNumber"], f"the work {given.reference}", error) from error
        made = found
    return _told(call, made, given)


async def look_for_sent_invoice(call: Call, given: SendInvoice) -> Seen | None:
    """Whether the invoice was e-mailed out of QuickBooks, and to whom: what somebody mailed otherwise, it doesn't
    know."""
    found = await ask(call, "Invoice", "Id", [given.invoice_id])
    if not found or found[0].get("EmailStatus") != "EmailSent":
        return None
    invoice, to = found[0], found[0].get("BillEmail", {}).get("Address", "")
    compared = (Compared("to", given.to, to),) if given.to else ()
    result = SentInvoice(invoice_id=invoice["Id"], to=to)
    return Seen(f"the mail of invoice {label(invoice)}", compared, page(call, "Invoice", invoice), result)


@action(SEND_INVOICE, repeat=ByKey("requestid in the query"), look=look_for_sent_invoice)
async def send_invoice(call: Call, given: SendInvoice) -> SentInvoice:
    """`POST invoice/ID/send`: to any address, or to the one on the invoice. Raises Refused (no-address)."""
    to = given.to or await _address(call, given.invoice_id)
    params = {"requestid": call.uuid, "sendTo": to}
    # QuickBooks wants it so: without a body, but with a type of one.
    headers = {"Content-Type": "application/octet-stream"}
    await call.api.request("POST", f"invoice/{quote(given.invoice_id, safe='')}/send", params=params, headers=headers)
    return SentInvoice(invoice_id=given.invoice_id, to=to)


async def _address(call: Call, invoice_id: str) -> str:
    for invoice in await ask(call, "Invoice", "Id", [invoice_id]):
        if address := invoice.get("BillEmail", {}).get("Address"):
            return str(address)
    raise Refused(
        f"QuickBooks has no invoice {invoice_id} with an e-mail address to send it to.",
        cause="no-address",
        remedy="Enter the customer's address on the invoice in QuickBooks, or let the flow say it; then send it again.",
    )


async def _find(call: Call, given: CreateWorkInvoice) -> Record | None:
    return await find_marked(call, "Invoice", given.reference, _mark(given))


def _mark(given: CreateWorkInvoice) -> str:
    return f"Work {given.reference}".replace("\n", " ")


def _line(line: WorkLine, item: str, code: str) -> Record:
    """Quantity and unit price multiply to the amount, which QuickBooks checks to the cent."""
    amount = _amount(line)
    quantity, price, text = line.quantity, line.unit_price.amount.quantize(_UNIT, ROUND_HALF_UP), line.name
    if cents(quantity * price) != amount:
        quantity, price, text = Decimal(1), amount, f"{line.quantity} × {line.name}"
    return {
        "Amount": number(amount),
        "DetailType": "SalesItemLineDetail",
        "Description": text[:_DESCRIPTION],
        "SalesItemLineDetail": {
            "ItemRef": {"value": item},
            "Qty": number(quantity),
            "UnitPrice": number(price),
            "TaxCodeRef": {"value": code},
        },
    }


def _amount(line: WorkLine) -> Decimal:
    return cents(line.quantity * line.unit_price.amount)


def _told(call: Call, record: Record, given: CreateWorkInvoice) -> Invoice:
    """Raises Refused when QuickBooks came to another total before tax."""
    ours, net = _sum(given), _net(record)
    if net != ours:
        raise wrong_total(call, f"invoice {label(record)} without tax", ours, net, given.currency, record)
    return _invoice(call, record, given.currency)


def _sum(given: CreateWorkInvoice) -> Decimal:
    return sum(map(_amount, given.lines), Decimal(0))


def _net(record: Record) -> Decimal:
    return amount_of(record["TotalAmt"]) - amount_of(record.get("TxnTaxDetail", {}).get("TotalTax", 0))


def _invoice(call: Call, record: Record, currency: str) -> Invoice:
    return Invoice(
        id=record["Id"],
        number=label(record),
        total=Money.of(amount_of(record["TotalAmt"]), currency),
        customer_id=record["CustomerRef"]["value"],
        url=page(call, "Invoice", record),
    )
