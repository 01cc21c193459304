"""The books: customers, invoices, payments."""

from datetime import date

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.orders import Customer, Order
from bellwire.money import Money


class FindOrCreateCustomer(Given):
    customer: Customer


class BooksCustomer(Result):
    id: str
    name: str
    created: bool
    """Whether it was new to the books. Not after an attempt whose answer was lost: by then it is there."""


class CreateInvoice(Given):
    order: Order
    """Lines, discounts, shipping, fees, tax, tip and adjustment are all booked: the invoice's total is the order's."""
    due: date | None = None
    """When it is to be paid; None: on receipt."""


class Invoice(Result):
    id: str
    number: str
    total: Money
    customer_id: str
    url: str = ""


class RecordPayment(Given):
    invoice_id: str
    customer_id: str
    amount: Money
    reference: str = Field(default="", max_length=21)
    """What the payment is known by, e.g. the order's number."""


class Payment(Result):
    id: str
    amount: Money


class RedeemGiftCard(Given):
    """The part of an invoice that gift cards paid: less is owed to their bearers, and no money came in."""

    invoice_id: str
    customer_id: str
    amount: Money
    reference: str = Field(default="", max_length=21)
    """What it is known by, e.g. the order's number."""


class RedeemedGiftCard(Result):
    id: str
    amount: Money


class CreateSalesReceipt(Given):
    order: Order
    """Booked as in an invoice. What gift cards paid is taken off, so that the total is what came in as money; while the
    order doesn't say how much that is, it is refused."""


class SalesReceipt(Result):
    id: str
    number: str
    total: Money
    customer_id: str
    url: str = ""


FIND_OR_CREATE_CUSTOMER = Operation(
    "accounting", "find_or_create_customer", FindOrCreateCustomer, BooksCustomer, Effect.RECORD,
    "Find the customer in the books, or add them",
)  # fmt: skip
CREATE_INVOICE = Operation(
    "accounting", "create_invoice", CreateInvoice, Invoice, Effect.MONEY, "Create the invoice in the books"
)
RECORD_PAYMENT = Operation(
    "accounting", "record_payment", RecordPayment, Payment, Effect.MONEY, "Record that the invoice is paid"
)
REDEEM_GIFT_CARD = Operation(
    "accounting", "redeem_gift_card", RedeemGiftCard, RedeemedGiftCard, Effect.MONEY,
    "Settle the part that gift cards paid",
)  # fmt: skip
CREATE_SALES_RECEIPT = Operation(
    "accounting", "create_sales_receipt", CreateSalesReceipt, SalesReceipt, Effect.MONEY,
    "Book the sale as a receipt, paid at once",
)  # fmt: skip

OPERATIONS = (FIND_OR_CREATE_CUSTOMER, CREATE_INVOICE, RECORD_PAYMENT, REDEEM_GIFT_CARD, CREATE_SALES_RECEIPT)
