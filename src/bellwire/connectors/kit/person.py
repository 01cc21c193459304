"""The person behind an order, for vendors that keep customers."""

from dataclasses import dataclass

from bellwire.connectors.kit.looking import Compared
from bellwire.events import Address, Customer, Order


@dataclass(frozen=True)
class Person:
    """Who buys, as far as an order says."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    billing: Address | None = None
    shipping: Address | None = None

    @classmethod
    def of(cls, customer: Customer) -> "Person":
        return cls(customer.name, customer.company, customer.email, customer.phone)

    @classmethod
    def who_ordered(cls, order: Order) -> "Person":
        """Gaps in the customer's record are filled from the addresses."""
        customer = order.customer or Customer()
        places = [place for place in (order.billing, order.shipping) if place]

        def first(field: str) -> str:
            values = (getattr(source, field) for source in (customer, *places))
            return next((value for value in values if value), "")

        billing = order.billing or order.shipping
        return cls(first("name"), first("company"), customer.email, first("phone"), billing, order.shipping)

    def compared(self, name: str, email: str) -> tuple[Compared, ...]:
        """With whom a vendor names: by the address, if both say one, else by the name, if we know it."""
        if self.email and email:
            return (Compared("customer", self.email, email),)
        return (Compared("customer", self.name, name),) if self.name else ()
