"""An order as the books take it, whoever keeps them."""

from bellwire.errors import Refused
from bellwire.events import Order
from bellwire.money import Money


def prefixed(number: str, prefix: str, longest: int) -> str:
    """What the document of an order's number, or of another reference, is called, in at most `longest` characters (the
    prefix has fewer). Where the number is too long, its last characters are kept: they tell documents apart."""
    return prefix + number[len(prefix) - longest :]


def paid_by_gift_card(order: Order) -> Money:
    """What gift cards paid. Raises Refused (gift-cards-unknown) while that isn't known."""
    try:
        return order.paid_by_gift_card
    except ValueError as error:
        raise Refused(
            f"Order {order.number} can't be booked as a sales receipt: {error}.",
            cause="gift-cards-unknown",
            remedy="Let the flow ask the shop first (`read_order`, as the template order_to_cash does) and book the "
            "order that it answers with, then send it again; or book it by hand.",
        ) from error
