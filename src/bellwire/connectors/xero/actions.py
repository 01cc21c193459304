"""What Bellwire does in the books: contacts, invoices and money received."""

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bellwire.capabilities.accounting import (
    CREATE_INVOICE,
    CREATE_SALES_RECEIPT,
    FIND_OR_CREATE_CUSTOMER,
    BooksCustomer,
    CreateInvoice,
    CreateSalesReceipt,
    FindOrCreateCustomer,
    Invoice,
    SalesReceipt,
)
from bellwire.connectors.kit import Account, ByKey, Call, Compared, LookUp, Seen, action
from bellwire.connectors.kit.books import paid_by_gift_card
from bellwire.connectors.kit.person import Person
from bellwire.connectors.xero import contacts
from bellwire.connectors.xero.api import Record, amount_of, cents, create, listed, read
from bellwire.connectors.xero.credits import create_credit_memo
from bellwire.connectors.xero.documents import (
    APP,
    FOUR_DECIMALS,
    GONE,
    document_number,
    invoice_page,
    invoices_numbered,
    number_taken,
)
from bellwire.connectors.xero.faults import DUPLICATE_NUMBER
from bellwire.connectors.xero.ledger import deposit_account, find_items, find_tax_types, gift_card_account
from bellwire.connectors.xero.lines import document_lines, sheet, tax_rate
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.connectors.xero.payments import record_payment, redeem_gift_card, require_currency
from bellwire.connectors.xero.work import create_work_invoice, send_invoice
from bellwire.errors import Refused, SignedOut
from bellwire.events import Environment, Order
from bellwire.money import Money


async def find_invoice(call: Call, given: CreateInvoice) -> Invoice | None:
    """The invoice of an earlier attempt."""
    found = await _find_invoice(call, given.order)
    return _invoice(call, found, given.order) if found else None


async def find_sales_receipt(call: Call, given: CreateSalesReceipt) -> SalesReceipt | None:
    """The money received of an earlier attempt; whose it is, its reference tells."""
    where = f'Type=="RECEIVE" AND Date=={_as_filter(_day(call, given.order))}'
    for record in await listed(call, "BankTransactions", where):
        if record.get("Reference") == _mark(given.order) and record.get("Status") not in GONE:
            return _sales_receipt(call, record, given.order)
    return None


async def look_for_invoice(call: Call, given: CreateInvoice) -> Seen | None:
    """The invoice that has the order's number, whoever made it."""
    order, found = given.order, await invoices_numbered(call, document_number(call, given.order.number))
    if not found:
        return None
    record, whose = found[0], found[0]["Contact"]
    result = Invoice(
        id=record["InvoiceID"],
        number=record["InvoiceNumber"],
        url=invoice_page(record["InvoiceID"]),
        **_told(record, record.get("CurrencyCode", call.settings.base_currency)),
    )
    return Seen(
        f"invoice {result.number}",
        (
            Compared.money("total", Money.of(cents(order.total.amount), order.currency), result.total),
            *Person.who_ordered(order).compared(whose.get("Name", ""), whose.get("EmailAddress", "")),
        ),
        result.url,
        result,
    )


async def look_for_sales_receipt(call: Call, given: CreateSalesReceipt) -> Seen | None:
    """Money received on the order's day with its number in the reference, whoever booked it. On another day, or without
    the number, it isn't found: a receipt has no number of its own in Xero."""
    order = given.order
    for record in await listed(call, "BankTransactions", f'Type=="RECEIVE" AND Date=={_as_filter(_day(call, order))}'):
        reference = str(record.get("Reference") or "")
        if record.get("Status") in GONE or order.number not in re.findall(r"[\w-]+", reference):
            continue
        told, ours = _told(record, record.get("CurrencyCode", order.currency)), order.total - paid_by_gift_card(order)
        made = record["BankTransactionID"]
        result = SalesReceipt(id=made, number=document_number(call, order.number), url=_receipt_page(made), **told)
        compared = Compared.money("total", Money.of(cents(ours.amount), ours.currency), result.total)
        whose = record["Contact"]
        who = Person.who_ordered(order).compared(whose.get("Name", ""), whose.get("EmailAddress", ""))
        return Seen(f"the receipt '{reference}'", (compared, *who), result.url, result)
    return None


async def look_for_customer(call: Call, given: FindOrCreateCustomer) -> Seen | None:
    person = Person.of(given.customer)
    found = await contacts.find(call, person)
    if found is None:
        return None
    result = BooksCustomer(id=found["ContactID"], name=found["Name"], created=False)
    compared = person.compared(found["Name"], found.get("EmailAddress") or "")
    return Seen(f"contact {result.name}", compared, result=result)


@action(
    FIND_OR_CREATE_CUSTOMER,
    repeat=ByKey("the header Idempotency-Key, and the name of a contact is unique"),
    look=look_for_customer,
)
async def find_or_create_customer(call: Call, given: FindOrCreateCustomer) -> BooksCustomer:
    record, created = await contacts.find_or_create(call, Person.of(given.customer))
    return BooksCustomer(id=record["ContactID"], name=record["Name"], created=created)


# Requests carry a key too. How long Xero remembers it isn't published, so a repeat looks first.
@action(CREATE_INVOICE, repeat=LookUp(find_invoice), look=look_for_invoice)
async def create_invoice(call: Call, given: CreateInvoice) -> Invoice:
    """`PUT Invoices`: https://developer.xero.com/documentation/api/accounting/invoices"""
    order, settings = given.order, call.settings
    body = await _document(call, order, discounts=settings.show_discounts)
    body |= {
        "Type": "ACCREC",
        "InvoiceNumber": document_number(call, order.number),
        "DueDate": (given.due or _day(call, order)).isoformat(),
    }
    if settings.multicurrency:
        body["CurrencyCode"] = order.currency
    try:
        made = await create(call, "Invoices", body, **FOUR_DECIMALS)
    except Refused as error:
        if error.cause != DUPLICATE_NUMBER:
            raise
        found = await _find_invoice(call, order)
        if found is None:
            raise number_taken(body["InvoiceNumber"], "this order", error) from error
        made = found
    return _invoice(call, made, order)


@action(CREATE_SALES_RECEIPT, repeat=LookUp(find_sales_receipt), look=look_for_sales_receipt)
async def create_sales_receipt(call: Call, given: CreateSalesReceipt) -> SalesReceipt:
    """Xero's receipt is money received on a bank account. What gift cards paid is a negative line on their account, so
    that the total is the money that came in.

    `PUT BankTransactions`: https://developer.xero.com/documentation/api/accounting/banktransactions
    Also raises Refused (gift-cards-unknown, no-money, not-a-liability, currency).
    """
    order, spent = given.order, paid_by_gift_card(given.order)
    require_currency(order.currency, call.settings, f"order {order.number}")
    if not order.total - spent:
        raise Refused(
            f"No money came in for order {order.number}, and Xero has no receipt without money.",
            cause="no-money",
            remedy="Let the flow create an invoice for such an order, or book it by hand; then resolve it as done.",
        )
    account = await _deposit(call, order)
    if spent:
        await gift_card_account(call)
    body = await _document(call, order, spent, discounts=False)
    body |= {"Type": "RECEIVE", "BankAccount": {"AccountID": account["AccountID"]}}
    return _sales_receipt(call, await create(call, "BankTransactions", body, **FOUR_DECIMALS), order)


async def sign_in(call: Call) -> Account:
    """The organisation's name, and where its settings and ours disagree. Raises SignedOut when the sign-in doesn't
    reach it, with those that it does reach."""
    settings: XeroSettings = call.settings
    reached = (await call.api.get("/connections")).json()
    if all(each["tenantId"] != settings.tenant_id for each in reached):
        names = ", ".join(f"{each['tenantName']} ({each['tenantId']})" for each in reached) or "none"
        raise SignedOut(
            f"The sign-in doesn't reach the organisation {settings.tenant_id}. It reaches: {names}.",
            cause="no-access",
            remedy=f"Set `tenant_id` in [{call.connection.name}.settings] of connections.toml to one of these, or "
            "connect the organisation in Xero.",
        )
    (organisation,) = (await read(call, "Organisation"))["Organisations"]
    kind = "demo company" if organisation.get("IsDemoCompany") else "organisation"
    return Account(
        name=organisation["Name"],
        detail=f"{kind} {settings.tenant_id}, {organisation.get('CountryCode', 'country unknown')}",
        warnings=tuple(_disagreements(call, organisation)),
        # There is no other sandbox. Trial organisations aren't told from others: only demo companies are.
        environment=Environment.SANDBOX if organisation.get("IsDemoCompany") else None,
    )


ACTIONS = (
    find_or_create_customer,
    create_invoice,
    record_payment,
    redeem_gift_card,
    create_sales_receipt,
    create_credit_memo,
    create_work_invoice,
    send_invoice,
)


async def _document(call: Call, order: Order, spent: Money | None = None, *, discounts: bool) -> Record:
    """What invoices and receipts have in common; `spent` as of `sheet`. Makes the contact, if need be."""
    settings: XeroSettings = call.settings
    require_currency(order.currency, settings, f"order {order.number}")
    made_up = sheet(order, settings, spent)
    items = await find_items(call, (entry.sku for entry in made_up.entries if entry.sku))
    types = await find_tax_types(call, (tax_rate(entry.taxes, settings) for entry in made_up.entries))
    contact, _ = await contacts.find_or_create(call, Person.who_ordered(order))
    return {
        "Contact": {"ContactID": contact["ContactID"]},
        "Date": _day(call, order).isoformat(),
        "Reference": _mark(order),
        "LineAmountTypes": "Exclusive",
        "LineItems": document_lines(made_up, items, types, settings, discounts=discounts),
        "Status": "AUTHORISED",
    }


async def _deposit(call: Call, order: Order) -> Record:
    """The bank account that takes an order's money. Raises Refused when it is another kind of account, or kept in
    another currency: that is the currency of all that it receives."""
    account = await deposit_account(call)
    where = f"Name another in `deposit_account` in [{call.connection.name}.settings] of connections.toml."
    if account.get("Type") != "BANK":
        raise Refused(
            f"Xero's account '{account['Name']}' isn't a bank account, so no receipt can be booked on it.",
            cause="not-a-bank-account",
            remedy=where,
        )
    currency = account.get("CurrencyCode", call.settings.base_currency)
    if currency != order.currency:
        raise Refused(
            f"Order {order.number} is in {order.currency}, but Xero's account '{account['Name']}' is in {currency}.",
            cause=f"currency:{order.currency}",
            remedy=where + " Or book it by hand.",
        )
    return account


async def _find_invoice(call: Call, order: Order) -> Record | None:
    """The order's invoice, told from another's of the same number by its reference."""
    found = await invoices_numbered(call, document_number(call, order.number))
    return next((record for record in found if record.get("Reference") == _mark(order)), None)


def _invoice(call: Call, record: Record, order: Order) -> Invoice:
    label, url = record["InvoiceNumber"], invoice_page(record["InvoiceID"])
    told = _checked(call, record, order, f"invoice {label}", order.total)
    return Invoice(id=record["InvoiceID"], number=label, url=url, **told)


def _sales_receipt(call: Call, record: Record, order: Order) -> SalesReceipt:
    made, label = record["BankTransactionID"], document_number(call, order.number)
    told = _checked(call, record, order, f"the receipt '{record['Reference']}'", order.total - paid_by_gift_card(order))
    return SalesReceipt(id=made, number=label, url=_receipt_page(made), **told)


def _receipt_page(transaction_id: str) -> str:
    return f"{APP}/Bank/ViewTransaction.aspx?bankTransactionID={transaction_id}"


def _checked(call: Call, record: Record, order: Order, what: str, total: Money) -> dict[str, Any]:
    """The same of what was made. Raises Refused when Xero came to another total.

    The document is left as it is: taking off again what is in the books is for a person to decide.
    """
    ours, theirs = cents(total.amount), amount_of(record["Total"])
    if ours != theirs:
        raise Refused(
            f"Xero booked {what} as {theirs:,} {order.currency}, but for order {order.number} it should come to "
            f"{ours:,} {order.currency}. It is in the books as it is.",
            cause="wrong-total",
            detail=f"Total {record['Total']}, TotalTax {record.get('TotalTax')}",
            remedy="Correct its total in Xero, then send it again. If the tax is what differs, set `tax_rate` or "
            f"`tax_account` in [{call.connection.name}.settings] of connections.toml.",
        )
    return _told(record, order.currency)


def _told(record: Record, currency: str) -> dict[str, Any]:
    """What results have in common."""
    return {"total": Money.of(amount_of(record["Total"]), currency), "customer_id": record["Contact"]["ContactID"]}


def _day(call: Call, order: Order) -> date:
    return order.created_at.astimezone(ZoneInfo(call.settings.time_zone)).date()


def _as_filter(day: date) -> str:
    return f"DateTime({day.year}, {day.month:02}, {day.day:02})"


def _mark(order: Order) -> str:
    """What the document is known by."""
    return f"Order {order.number} ({order.id})"


def _disagreements(call: Call, organisation: Record) -> list[str]:
    settings: XeroSettings = call.settings
    base, demo = organisation.get("BaseCurrency"), bool(organisation.get("IsDemoCompany"))
    said = []
    if base and base != settings.base_currency:
        said.append(f"The books are kept in {base}, but `base_currency` says {settings.base_currency}.")
    if call.connection.environment is Environment.SANDBOX and not demo:
        said.append("This isn't Xero's demo company: what is tried out here stands in real books.")
    if call.connection.environment is Environment.PRODUCTION and demo:
        said.append("This is Xero's demo company, which Xero empties every few weeks.")
    return said
