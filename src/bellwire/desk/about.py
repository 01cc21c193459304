"""What an event is about, in the words of the business."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from bellwire.desk.words import money
from bellwire.events import InventoryLevel, Order, Payment, Product, Refund, Return, data_model
from bellwire.ledger import EventRow


@dataclass(frozen=True)
class About:
    """`who` and `total` are empty where there is none."""

    title: str
    who: str = ""
    total: str = ""


def about(event: EventRow) -> About:
    """Of the event's data; of its subject only when the data can't be read (purged, or of an older form)."""
    match _data(event):
        case Order() as order:
            customer = order.customer
            return About(
                f"Order {order.number}", customer.name or customer.email if customer else "", money(order.total)
            )
        case Refund() as refund:
            return About(f"Refund for order {refund.order_number or refund.order_id}", total=money(refund.amount))
        case Return(customer=customer) as found:
            return About(f"Return {found.number or found.id}", customer.name or customer.email if customer else "")
        case Payment() as payment:
            named = f"Payment for {payment.reference}" if payment.reference else "Payment"
            return About(named, payment.customer.name or payment.customer.email, money(payment.amount))
        case Product() as product:
            return About(product.name)
        case InventoryLevel() as level:
            return About(f"Stock of {level.sku or level.item_id}")
        case _:
            return About(event.subject.replace("/", " ").capitalize() or event.business_key)


def _data(event: EventRow) -> BaseModel | None:
    model: Any = data_model(event.type)
    try:
        return model.model_validate_json(event.data)  # type: ignore[no-any-return]
    except ValidationError:
        return None
