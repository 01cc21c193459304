"""The books: customers, invoices, payments, credit memos."""

from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.orders import Customer, Order
from bellwire.money import Money, total


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


class CreditLine(Given):
    """What came back, or what the refund is lower by: a restocking fee has a negative amount, and needs no SKU."""

    sku: str = ""
    name: str = Field(min_length=1)
    quantity: int = Field(default=1, gt=0)
    amount: Money
    """Of the whole quantity, after discounts and without tax."""
    tax: Money | None = None
    gift_card: bool = False
    """Whether a gift card was taken back: less is owed to its bearer, and no sale is reversed."""


class CreateCreditMemo(Given):
    """The reversal of what was given back of an invoice: sales and tax go down by it.

    Where the invoice is paid, the money is booked as given back, from the account that payments go to. Where it is
    still open by as much as the credit at least, the credit is set against it. Where it is open by less, it is refused:
    which part was given back, a person has to say.
    """

    invoice_number: str = ""
    """What the invoice is known by: the number of its order, or the reference of its work."""
    invoice_id: str = ""
    """The books' id of it, in place of the number."""
    customer_id: str = ""
    """The books' id of whose invoice it is, to be sure; empty: whoever's it is."""
    lines: tuple[CreditLine, ...] = ()
    shipping: Money | None = None
    """What was given back of shipping, without tax."""
    shipping_tax: Money | None = None
    tax: Money | None = None
    """Tax that is said neither of a line nor of shipping."""
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by, e.g. the return's number; it is found again by it."""
    reason: str = ""

    @property
    def currency(self) -> str:
        return self._amounts[0].currency

    @property
    def tax_total(self) -> Money:
        return total((each for each in (*(line.tax for line in self.lines), *self._rest) if each), self.currency)

    @property
    def total(self) -> Money:
        """What the credit memo comes to: all amounts and taxes."""
        return total(self._amounts, self.currency) + self.tax_total

    @property
    def _amounts(self) -> tuple[Money, ...]:
        return (*(line.amount for line in self.lines), *((self.shipping,) if self.shipping else ()))

    @property
    def _rest(self) -> tuple[Money | None, ...]:
        return self.shipping_tax, self.tax

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if bool(self.invoice_number) == bool(self.invoice_id):
            raise ValueError("either invoice_number or invoice_id is needed")
        if not self._amounts:
            raise ValueError("lines or shipping are needed")
        if self.tax_total.amount < 0 or self.total.amount <= 0:
            raise ValueError(f"{self.total} with {self.tax_total} tax can't be given back")
        return self


class CreditMemo(Result):
    id: str
    number: str
    total: Money
    invoice_id: str
    url: str = ""


class WorkLine(Given):
    name: str = Field(min_length=1)
    quantity: Decimal = Field(default=Decimal(1), gt=0, max_digits=12, decimal_places=4)
    """E.g. hours."""
    unit_price: Money
    """Without tax."""
    taxable: bool = True


class CreateWorkInvoice(Given):
    """An invoice for work, not for a shop's order. What tax there is on taxable lines, the books work out."""

    customer: Customer
    """Found in the books as `find_or_create_customer` does, or added."""
    lines: tuple[WorkLine, ...] = Field(min_length=1)
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by, e.g. the job's number; it is found again by it."""
    due: date | None = None
    """When it is to be paid; None: on receipt."""
    memo: str = Field(default="", max_length=1000)
    """What the customer reads on it."""

    @property
    def currency(self) -> str:
        return self.lines[0].unit_price.currency

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        total((line.unit_price for line in self.lines), self.currency)
        return self


class SendInvoice(Given):
    invoice_id: str = Field(min_length=1)
    to: str = ""
    """The address; empty: the one that the books have for it."""


class SentInvoice(Result):
    invoice_id: str
    to: str


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
CREATE_CREDIT_MEMO = Operation(
    "accounting", "create_credit_memo", CreateCreditMemo, CreditMemo, Effect.MONEY,
    "Book what was given back of an invoice",
)  # fmt: skip
CREATE_WORK_INVOICE = Operation(
    "accounting", "create_work_invoice", CreateWorkInvoice, Invoice, Effect.MONEY, "Create the invoice for work done"
)
SEND_INVOICE = Operation(
    "accounting", "send_invoice", SendInvoice, SentInvoice, Effect.MESSAGE, "Have the books e-mail the invoice"
)

OPERATIONS = (
    FIND_OR_CREATE_CUSTOMER,
    CREATE_INVOICE,
    RECORD_PAYMENT,
    REDEEM_GIFT_CARD,
    CREATE_SALES_RECEIPT,
    CREATE_CREDIT_MEMO,
    CREATE_WORK_INVOICE,
    SEND_INVOICE,
)
