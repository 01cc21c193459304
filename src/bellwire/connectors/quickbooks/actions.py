"""What Bellwire does in the books: customers and documents."""

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
from bellwire.connectors.quickbooks import customers
from bellwire.connectors.quickbooks.api import Record, amount_of, ask, cents, create, number, select
from bellwire.connectors.quickbooks.credits import create_credit_memo
from bellwire.connectors.quickbooks.documents import currency_in, document_number, label, number_taken, page
from bellwire.connectors.quickbooks.faults import DUPLICATE_NUMBER
from bellwire.connectors.quickbooks.items import find_items, find_tax_codes, require_liability
from bellwire.connectors.quickbooks.lines import GIFT_CARDS, document_lines, sheet, tax_code
from bellwire.connectors.quickbooks.manifest import HOSTS, QuickBooksSettings
from bellwire.connectors.quickbooks.payments import (
    currency_of,
    deposit,
    record_payment,
    redeem_gift_card,
    require_currency,
)
from bellwire.connectors.quickbooks.work import create_work_invoice, send_invoice
from bellwire.errors import Refused
from bellwire.events import Environment, Order
from bellwire.money import Money

_NOTE = 4000


async def find_invoice(call: Call, given: CreateInvoice) -> Invoice | None:
    """The invoice of an earlier attempt."""
    found = await _find(call, "Invoice", given.order)
    return _invoice(call, found, given.order) if found else None


async def find_sales_receipt(call: Call, given: CreateSalesReceipt) -> SalesReceipt | None:
    """The sales receipt of an earlier attempt."""
    found = await _find(call, "SalesReceipt", given.order)
    return _sales_receipt(call, found, given.order) if found else None


async def look_for_invoice(call: Call, given: CreateInvoice) -> Seen | None:
    return await _look(call, "Invoice", given.order, given.order.total)


async def look_for_sales_receipt(call: Call, given: CreateSalesReceipt) -> Seen | None:
    return await _look(call, "SalesReceipt", given.order, given.order.total - paid_by_gift_card(given.order))


async def look_for_customer(call: Call, given: FindOrCreateCustomer) -> Seen | None:
    person = Person.of(given.customer)
    found = await customers.find(call, person, call.settings.home_currency)
    if found is None:
        return None
    result = BooksCustomer(id=found["Id"], name=found["DisplayName"], created=False)
    return Seen(f"customer {result.name}", person.compared(*_known_by(found)), result=result)


@action(
    FIND_OR_CREATE_CUSTOMER,
    repeat=ByKey("requestid in the query, and DisplayName is unique"),
    look=look_for_customer,
)
async def find_or_create_customer(call: Call, given: FindOrCreateCustomer) -> BooksCustomer:
    person = Person.of(given.customer)
    record, created = await customers.find_or_create(call, person, call.settings.home_currency)
    return BooksCustomer(id=record["Id"], name=record["DisplayName"], created=created)


# Requests carry a requestid too. How long QuickBooks remembers it isn't published, so a repeat looks first.
@action(CREATE_INVOICE, repeat=LookUp(find_invoice), look=look_for_invoice)
async def create_invoice(call: Call, given: CreateInvoice) -> Invoice:
    order = given.order
    body = await _document(call, order)
    body["DueDate"] = (given.due or _day(call, order)).isoformat()
    return _invoice(call, await _book(call, "Invoice", order, body), order)


@action(CREATE_SALES_RECEIPT, repeat=LookUp(find_sales_receipt), look=look_for_sales_receipt)
async def create_sales_receipt(call: Call, given: CreateSalesReceipt) -> SalesReceipt:
    """What gift cards paid is a negative line on the gift card item, so that the total is the money that came in.

    Also raises Refused (gift-cards-unknown, not-a-liability).
    https://quickbooks.intuit.com/learn-support/en-us/gift-card-payments/sell-and-redeem-gift-cards-or-certificates-in-quickbooks-online/00/190607
    """
    order = given.order
    body = await _document(call, order, paid_by_gift_card(order))
    body["PaymentRefNum"] = document_number(call, order.number)
    body |= await deposit(call)
    return _sales_receipt(call, await _book(call, "SalesReceipt", order, body), order)


async def sign_in(call: Call) -> Account:
    """The company's name, and where its preferences and our settings disagree."""
    settings: QuickBooksSettings = call.settings
    answer = await call.api.get(f"companyinfo/{settings.realm_id}")
    company = answer.json()["CompanyInfo"]
    preferences = await select(call, "Preferences")
    return Account(
        name=company["CompanyName"],
        detail=f"company {settings.realm_id}, {company.get('Country', 'country unknown')}",
        warnings=tuple(_disagreements(preferences[0], settings)) if preferences else (),
        environment=environment_of(call.connection.base_url),
    )


def environment_of(base_url: str) -> Environment | None:
    """That of a company which answers there; None where somebody stands in for QuickBooks."""
    return next((environment for environment, host in HOSTS.items() if base_url.rstrip("/") == host), None)


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


async def _document(call: Call, order: Order, spent: Money | None = None) -> Record:
    """What invoices and sales receipts have in common; `spent` as of `sheet`. Makes the customer, if need be."""
    settings: QuickBooksSettings = call.settings
    require_currency(order.currency, settings, f"order {order.number}")
    made_up = sheet(order, settings, spent)
    items = await find_items(call, (entry.item for entry in made_up.entries))
    if made_up.gift_cards:
        await require_liability(call, items[GIFT_CARDS])
    codes = await find_tax_codes(call, [tax_code(e.tax, settings) for e in made_up.entries] + _tax_rate(settings))
    person = Person.who_ordered(order)
    customer, _ = await customers.find_or_create(call, person, order.currency)
    body: Record = {
        "DocNumber": document_number(call, order.number),
        "TxnDate": _day(call, order).isoformat(),
        "CustomerRef": {"value": customer["Id"]},
        "Line": document_lines(made_up, items, codes, settings),
        "GlobalTaxCalculation": "TaxExcluded",
        "PrivateNote": _note(order)[:_NOTE],
    }
    if made_up.tax:
        body["TxnTaxDetail"] = {"TotalTax": number(made_up.tax)}
        if settings.tax_rate:
            body["TxnTaxDetail"]["TxnTaxCodeRef"] = {"value": codes[settings.tax_rate]}
    if email := customers.mailable(person.email):
        body["BillEmail"] = {"Address": email}
    if person.billing and (place := customers.address(person.billing)):
        body["BillAddr"] = place
    if person.shipping and (place := customers.address(person.shipping)):
        body["ShipAddr"] = place
    return body | currency_of(order.currency, settings)


async def _book(call: Call, entity: str, order: Order, body: Record) -> Record:
    """Create the document, or find it where its number is taken."""
    try:
        return await create(call, entity, body)
    except Refused as error:
        if error.cause != DUPLICATE_NUMBER:
            raise
        found = await _find(call, entity, order)
        if found:
            return found
        raise number_taken(body["DocNumber"], "this order", error) from error


async def _find(call: Call, entity: str, order: Order) -> Record | None:
    """The order's document, told from others by the note. Where the company numbers documents by itself, only the day
    leads to it."""
    for field, value in (
        ("DocNumber", document_number(call, order.number)),
        ("TxnDate", _day(call, order).isoformat()),
    ):
        for record in await ask(call, entity, field, [value]):
            if record.get("PrivateNote", "").startswith(_mark(order)):
                return record
    return None


async def _look(call: Call, entity: str, order: Order, total: Money) -> Seen | None:
    """The document that has the order's number, whoever made it."""
    found = await ask(call, entity, "DocNumber", [document_number(call, order.number)])
    if not found:
        return None
    record, told = found[0], _told(call, entity, found[0])
    kind, result = ("invoice", Invoice(**told)) if entity == "Invoice" else ("sales receipt", SalesReceipt(**told))
    whose = await ask(call, "Customer", "Id", [record["CustomerRef"]["value"]])
    return Seen(
        f"{kind} {result.number}",
        (
            Compared.money("total", Money.of(cents(total.amount), total.currency), result.total),
            *(each for customer in whose for each in Person.who_ordered(order).compared(*_known_by(customer))),
        ),
        result.url,
        result,
    )


def _invoice(call: Call, record: Record, order: Order) -> Invoice:
    return Invoice(**_checked(call, record, order, "invoice", order.total))


def _sales_receipt(call: Call, record: Record, order: Order) -> SalesReceipt:
    return SalesReceipt(**_checked(call, record, order, "sales receipt", order.total - paid_by_gift_card(order)))


def _checked(call: Call, record: Record, order: Order, kind: str, total: Money) -> dict[str, Any]:
    """The result's fields. Raises Refused when QuickBooks came to another total.

    The document is left as it is: taking off again what is in the books is for a person to decide.
    """
    ours, theirs = cents(total.amount), amount_of(record["TotalAmt"])
    known = label(record)
    if ours != theirs:
        raise Refused(
            f"QuickBooks booked {kind} {known} as {theirs:,} {order.currency}, but for order {order.number} it should "
            f"come to {ours:,} {order.currency}. The {kind} is in the books as it is.",
            cause="wrong-total",
            detail=f"{kind} {record['Id']}: TotalAmt {record['TotalAmt']}, {record.get('TxnTaxDetail')}",
            remedy=f"Correct its total in QuickBooks, then send it again. If the tax is what differs, set `tax_rate` "
            f"or `tax_item` in [{call.connection.name}.settings] of connections.toml.",
        )
    return _told(call, kind.replace(" ", ""), record)


def _told(call: Call, entity: str, record: Record) -> dict[str, Any]:
    """The fields of a document's result."""
    return {
        "id": record["Id"],
        "number": label(record),
        "total": Money.of(amount_of(record["TotalAmt"]), currency_in(call, record)),
        "customer_id": record["CustomerRef"]["value"],
        "url": page(call, entity, record),
    }


def _known_by(customer: Record) -> tuple[str, str]:
    """Name and address."""
    return customer["DisplayName"], customer.get("PrimaryEmailAddr", {}).get("Address", "")


def _tax_rate(settings: QuickBooksSettings) -> list[str]:
    return [settings.tax_rate] if settings.tax_rate else []


def _day(call: Call, order: Order) -> Any:
    return order.created_at.astimezone(ZoneInfo(call.settings.time_zone)).date()


def _mark(order: Order) -> str:
    return f"Order {order.number} ({order.id})"


def _note(order: Order) -> str:
    """For the owner's eyes; `_find` knows the document by how it begins."""
    said = [_mark(order)]
    if order.gift_cards is None:
        said.append("Paid by gift card in part")
    elif order.gift_cards:
        said.append(f"Paid by gift card: {order.gift_cards}")
    if cents(order.total.amount) != order.total.amount:
        said.append(f"The shop's total is {order.total}; QuickBooks keeps two decimals")
    if order.note:
        said.append(order.note)
    return "\n".join(said)


def _disagreements(preferences: Record, settings: QuickBooksSettings) -> list[str]:
    currency, sales = preferences.get("CurrencyPrefs", {}), preferences.get("SalesFormsPrefs", {})
    home = currency.get("HomeCurrency", {}).get("value", settings.home_currency)
    said = []
    if home != settings.home_currency:
        said.append(f"The books are kept in {home}, but `home_currency` says {settings.home_currency}.")
    if settings.multicurrency and currency.get("MultiCurrencyEnabled") is False:
        said.append("`multicurrency` is set, but Multicurrency isn't turned on in QuickBooks.")
    if settings.show_discounts and sales.get("AllowDiscount") is False:
        said.append("Discounts are turned off in QuickBooks: turn them on there, or set `show_discounts = false`.")
    if sales.get("CustomTxnNumbers") is False:
        said.append(
            "Custom transaction numbers are turned off in QuickBooks, so that invoices won't carry the order's number."
        )
    if sales.get("AutoApplyCredit"):
        said.append(
            "'Automatically apply credits' is on in QuickBooks: turn it off if customers can pay with gift cards."
        )
    return said
