"""Books in practice: what the tests of accounting do with them, and what they have to know of a vendor.

Each vendor of accounting says that in `tests/connectors/VENDOR/accounting.py`, as `BOOKS`.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from itertools import count
from typing import Any, ClassVar, Protocol, runtime_checkable

from bellwire.capabilities import Given, Result
from bellwire.capabilities.accounting import (
    BooksCustomer,
    CreateInvoice,
    CreateSalesReceipt,
    FindOrCreateCustomer,
    Invoice,
    Payment,
    RecordPayment,
    RedeemedGiftCard,
    RedeemGiftCard,
    SalesReceipt,
)
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Call, Connection
from bellwire.events import Customer, Order
from bellwire.money import Money
from bellwire.practice import Books, Faults, Received
from tests.connecting import call
from tests.samples import line, order

VENDORS = [each.name for each in all_connectors() if "accounting" in each.manifest.capabilities]

_serial = count(1)


@runtime_checkable
class Company(Books, Protocol):
    """A practice company with its books."""

    credentials: ClassVar[Mapping[str, str]]
    faults: Faults
    received: deque[Received]
    books: Any
    """Has `skewed_by`: what is added to every total, unasked."""
    tokens: Any
    """Has `access` and `refresh`, the tokens that are taken, and `expire`."""

    def forget(self) -> None:
        """No key of a request is known any more."""


@dataclass(frozen=True)
class Kept(ABC):
    """The books that a vendor keeps, and what it calls things."""

    company: Any

    name: ClassVar[str]
    """The vendor's, in sentences."""
    root: ClassVar[str]
    """The path of the books."""
    write: ClassVar[str]
    """The method of all requests that write in them."""
    invoices: ClassVar[str]
    receipts: ClassVar[str]
    payments: ClassVar[str]
    """The ends of the paths to which each is written."""
    guest: ClassVar[str]
    """The setting that names the customer of whom nothing is known."""
    item: ClassVar[str]
    """What an owner may map a SKU to."""
    longest_name: ClassVar[int]
    """Of a customer, in characters."""

    @abstractmethod
    def days(self, invoice: str) -> tuple[date, date]:
        """The day that an invoice is of, and the one by which it is due."""

    @abstractmethod
    def correct(self, invoice: str, total: float) -> None:
        """Give an invoice another total, as a person does."""

    @abstractmethod
    def owed(self, invoice: str) -> float: ...

    @abstractmethod
    def paid_by(self, invoice: str) -> list[str]:
        """The ids of the payments of an invoice, as they came."""

    def written(self) -> list[Received]:
        asked: Iterable[Received] = self.company.received
        return [each for each in asked if each.method == self.write and each.path.startswith(self.root)]


def kept_by(vendor: str) -> type[Kept]:
    found: type[Kept] = import_module(f"tests.connectors.{vendor}.accounting").BOOKS
    return found


def known_to(company: Company) -> dict[str, str]:
    """Credentials as they are by now: other tests renew them."""
    access = next(iter(company.tokens.access), "expired")
    return {**company.credentials, "access_token": access, "refresh_token": company.tokens.refresh[-1]}


def booked(company: Company, order: Order) -> list[str]:
    return [each.id for each in company.booked() if each.reference == order.number]


def new_order(**changes: Any) -> Order:
    """An order of 24.40 with a number that no other test uses."""
    return order(**{"number": f"A{next(_serial)}", **changes})


def in_euros(**changes: Any) -> Order:
    zero = Money.zero("EUR")
    goods = line(unit_price=Money.of("8.50", "EUR"), discount=zero, total=Money.of("17.00", "EUR"), taxes=())
    amounts = {"currency": "EUR", "tax_total": zero, "tip": zero, "adjustment": zero, "gift_cards": zero}
    empty: dict[str, Any] = {"shipping_lines": (), "taxes": (), "refunded": zero}
    return new_order(lines=(goods,), total=Money.of("17.00", "EUR"), **amounts, **empty, **changes)


def new_call(books: Connection, **changes: Any) -> Call:
    return call(books, key=f"{next(_serial):032x}", **changes)


def repeat(this: Call) -> Call:
    """The same again, after an attempt of which it isn't known what became of it."""
    return call(this.connection, key=this.key, again=True)


async def do(call: Call, name: str, given: Given) -> Result:
    return await call.connection.connector.actions[f"accounting.{name}"](call, given)


async def find(books: Connection, **who: str) -> BooksCustomer:
    given = FindOrCreateCustomer(customer=Customer(**who))
    result = await do(new_call(books), "find_or_create_customer", given)
    assert isinstance(result, BooksCustomer)
    return result


async def invoice(call: Call, order: Order, **given: Any) -> Invoice:
    result = await do(call, "create_invoice", CreateInvoice(order=order, **given))
    assert isinstance(result, Invoice)
    return result


async def sales_receipt(call: Call, order: Order) -> SalesReceipt:
    result = await do(call, "create_sales_receipt", CreateSalesReceipt(order=order))
    assert isinstance(result, SalesReceipt)
    return result


async def pay(call: Call, invoice: Invoice, amount: Money) -> Payment:
    given = RecordPayment(invoice_id=invoice.id, customer_id=invoice.customer_id, amount=amount, reference="1001")
    result = await do(call, "record_payment", given)
    assert isinstance(result, Payment)
    return result


async def redeem(call: Call, invoice: Invoice, amount: Money) -> RedeemedGiftCard:
    given = RedeemGiftCard(invoice_id=invoice.id, customer_id=invoice.customer_id, amount=amount, reference="1001")
    result = await do(call, "redeem_gift_card", given)
    assert isinstance(result, RedeemedGiftCard)
    return result
