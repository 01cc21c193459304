"""A website for practice: it posts what people fill in. Nothing is asked of it."""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from starlette.routing import BaseRoute

from bellwire.events import Address, Answer, Booking, Customer, Fact, Lead, Return
from bellwire.practice.simulator import Simulator, Webhook

_SECRET = "practice-form-secret"  # noqa: S105 - practice only


@dataclass
class Website(Simulator):
    vendor: ClassVar[str] = "form"
    credentials: ClassVar[Mapping[str, str]] = {"webhook_secret": _SECRET}

    sent: list[dict[str, str]] = field(default_factory=list)
    """The fields of each form."""

    def routes(self) -> Sequence[BaseRoute]:
        return []

    def state(self) -> dict[str, Any]:
        return {"sent": self.sent}

    def tell(self, event_type: str, fact: Fact) -> Webhook:
        """The form with which somebody would say so, by docs/forms.md. Two of one fact are one form, sent twice. Raises
        ValueError when there is no form for it."""
        match fact:
            case Lead():
                filled = _lead(fact)
            case Booking():
                filled = _booking(fact)
            case Return():
                filled = _return(fact, received=event_type == "return.received")
            case _:
                raise ValueError(f"no form says {event_type}")
        form = {name: text for name, text in {"type": event_type, **filled}.items() if text}
        self.sent.append(form)
        body = urlencode(form).encode()
        signature = hmac.digest(_SECRET.encode(), body, "sha256").hex()
        content_type = "application/x-www-form-urlencoded"
        return Webhook(event_type, {"Content-Type": content_type, "X-Form-Signature": signature}, body)


SIMULATOR = Website


def _lead(lead: Lead) -> dict[str, str]:
    own = {"message": lead.message, "source": lead.source, **_address(lead.address), **_answers(lead.answers)}
    return {"id": lead.id, "created_at": _written(lead.created_at), **_person(lead), **own}


def _booking(booking: Booking) -> dict[str, str]:
    return {
        "id": booking.id,
        "created_at": _written(booking.updated_at),
        **_person(booking.customer),
        **_address(booking.address),
        "service": booking.service,
        "start": _written(booking.start),
        "end": _written(booking.end),
        "zone": booking.zone,
        "location": booking.location,
        "staff": ", ".join(booking.staff),
        "notes": booking.notes,
        **_answers(booking.answers),
    }


def _return(back: Return, *, received: bool) -> dict[str, str]:
    shipping = {None: "", True: "yes", False: "no"}[back.refund_shipping]
    return {
        # Each parcel has a form of its own.
        "id": back.number or back.id,
        "created_at": _written(back.updated_at),
        **_person(back.customer or Customer()),
        "return_id": back.id,
        "parcel": back.number.removeprefix(f"{back.id}/") if back.number.startswith(f"{back.id}/") else "",
        "order_id": back.order_id,
        "order_number": back.order_number,
        "refund_shipping": shipping,
        "payment_id": back.payment_id,
        "notes": back.notes,
        **dict(_lines(back, received=received)),
    }


def _lines(back: Return, *, received: bool) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(back.lines, 1):
        yield f"sku_{number}", line.sku
        yield f"product_{number}", line.name
        yield f"line_id_{number}", line.line_id
        yield f"quantity_{number}", str(line.quantity)
        yield f"reason_{number}", line.reason
        yield f"condition_{number}", line.condition if received else ""


def _person(who: Lead | Customer) -> dict[str, str]:
    return {"name": who.name, "email": who.email, "phone": who.phone, "company": who.company}


def _address(where: Address | None) -> dict[str, str]:
    names = ("line1", "line2", "city", "region", "postcode", "country")
    return {name: getattr(where, name) for name in names} if where else {}


def _answers(given: Sequence[Answer]) -> dict[str, str]:
    return {each.question: each.answer for each in given}


def _written(time: datetime) -> str:
    return time.isoformat()
