"""The books."""

import re
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bellwire.money import Money
from bellwire.practice.roles.messages import Sent
from bellwire.practice.roles.selling import Sale


@dataclass(frozen=True)
class Booked:
    """An invoice or sales receipt in simulated books. `reference` is the order's number, `total` what the sale comes
    to, whether money or gift cards paid it."""

    id: str
    reference: str
    total: Money
    paid: bool
    tax: Money | None = field(default=None, compare=False)
    """What of the total is tax; None where the simulated books don't tell."""


@dataclass(frozen=True)
class Credited:
    """What simulated books hold of something that was given back of an invoice. `reference` is what people know it by,
    e.g. the return's number; `total` is with tax."""

    id: str
    reference: str
    invoice: str
    """The invoice's number."""
    total: Money
    paid_out: bool
    """Whether money was given back; else it was set against what was still to be paid."""
    left: Money
    """What of it is neither yet."""


def credited_for(text: str) -> tuple[str, str] | None:
    """Reference and invoice's number of a credit whose mark is `R-7 for invoice 1001`; None: it is something
    else, such as a gift card."""
    found = re.match(r"(.+) for invoice (.+)$", text.partition("\n")[0])
    return (found[1], found[2]) if found else None


@runtime_checkable
class Books(Protocol):
    def book(self, sale: Sale, total: Money) -> str:
        """What a person booked long ago: an invoice with the sale's number, paid, that comes to `total`; what that is
        beyond goods and shipping is tax. Gives the invoice's id."""

    def booked(self) -> list[Booked]: ...

    def credits(self) -> list[Credited]:
        """All that was given back of invoices."""

    def mailed(self) -> list["Sent"]:
        """The invoices that it was told to e-mail: one for each time; `reference` is the invoice's number, `text` the
        address."""

    def item_for(self, sku: str) -> str | None:
        """What a person would map the SKU to: the id of an item that exists, else None."""
