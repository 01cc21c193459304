"""Forms as events: fields that are named as the data dictionary names them, all others as answers."""

import secrets
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bellwire.clock import system_clock
from bellwire.connectors.form.fields import Fields, fields, parse_local
from bellwire.connectors.form.manifest import FormSettings
from bellwire.connectors.form.returns import fact_of, return_of
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.errors import CannotNormalise
from bellwire.events import Address, Answer, Booking, Customer, Delivery, Lead, Return, what_is_wrong

_PERSON = ("name", "email", "phone", "company")
_ADDRESS = ("line1", "line2", "city", "region", "postcode", "country")
_ENVELOPE = ("id", "type", "created_at", "zone")
_EVERY = {*_ENVELOPE, *_PERSON, *_ADDRESS}
_LEAD = {*_EVERY, "message", "source"}
_BOOKING = {*_EVERY, "service", "start", "end", "location", "staff", "notes"}


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The enquiry, the booking or the return. Raises CannotNormalise, naming the field, when it isn't one."""
    settings = connection.settings
    assert isinstance(settings, FormSettings)
    try:
        filled = fields(delivery)
        event_type = filled.get("type", settings.event_type)
        zone = ZoneInfo(filled.get("zone", settings.zone))
        form_id = filled.get("id") or body_hash(delivery)[:32]
        created = parse_local(filled["created_at"], zone) if "created_at" in filled else delivery.received_at
        data: Lead | Booking | Return
        thing, fact = form_id, "created"
        if event_type == "lead.created":
            data = _lead(filled, settings, form_id, created)
        elif event_type == "booking.created":
            data = _booking(filled, settings, form_id, created, zone)
        elif event_type in ("return.created", "return.received"):
            thing, fact = fact_of(filled, event_type, form_id)
            customer = Customer(**_only(filled, _PERSON))
            data = return_of(filled, event_type, thing, customer, _EVERY, created)
        else:
            raise ValueError(f"type is {event_type!r}, and may be {', '.join(TRIGGERS.event_types)}")
    except (ValidationError, KeyError, ValueError, OverflowError) as error:
        raise CannotNormalise(
            f"The form can't be read: {what_is_wrong(error)}.",
            remedy="Have the website's form mended; docs/forms.md has its fields. Whoever filled it in has to be "
            "answered by hand.",
        ) from error
    subject = f"{event_type.partition('.')[0]}/{thing}"
    event = event_of(
        connection,
        event_type,
        key=f"{subject}/{fact}",
        subject=subject,
        time=created,
        data=data,
    )
    return Normalised((event,))


def _lead(filled: Fields, settings: FormSettings, form_id: str, created: datetime) -> Lead:
    return Lead(
        id=form_id,
        **_only(filled, (*_PERSON, "message")),
        address=_address(filled),
        source=filled.get("source", settings.source),
        answers=_answers(filled, _LEAD),
        created_at=created,
    )


def _booking(filled: Fields, settings: FormSettings, form_id: str, created: datetime, zone: tzinfo) -> Booking:
    start = parse_local(filled["start"], zone)
    end = parse_local(filled["end"], zone) if "end" in filled else start + timedelta(minutes=settings.minutes)
    if end <= start:
        raise ValueError("`end` isn't after `start`")
    return Booking(
        id=form_id,
        service=filled.get("service") or settings.service or filled["service"],
        start=start,
        end=end,
        zone=filled.get("zone", settings.zone),
        customer=Customer(**_only(filled, _PERSON)),
        address=_address(filled),
        **_only(filled, ("location", "notes")),
        staff=(filled["staff"],) if "staff" in filled else (),
        answers=_answers(filled, _BOOKING),
        updated_at=created,
    )


def _only(filled: Fields, names: tuple[str, ...]) -> dict[str, str]:
    return {name: filled[name] for name in names if name in filled}


def _address(filled: Fields) -> Address | None:
    found = _only(filled, _ADDRESS)
    return Address(**found) if found else None


def _answers(filled: Fields, known: set[str]) -> tuple[Answer, ...]:
    return tuple(Answer(question=name, answer=text) for name, text in filled.items() if name not in known)


def _sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    form = {
        "id": secrets.token_hex(8),
        "type": event_type,
        "name": "Robin Hill",
        "email": "robin@example.com",
        "phone": "+15125550123",
    }
    if event_type.startswith("return."):
        form |= {"return_id": f"R-{form['id']}", "order_number": "1001", "sku": "TEA-100", "reason": "unwanted"}
        form |= {"condition": "sellable"} if event_type == "return.received" else {}
    elif event_type == "booking.created":
        day = (system_clock() + timedelta(days=7)).astimezone(UTC).date()
        form |= {"service": "Boiler service", "start": f"{day}T09:30", "notes": "The bell is broken."}
    else:
        form |= {"message": "Please call me about a boiler.", "How did you hear of us?": "From a neighbour"}
    return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()


TRIGGERS = Triggers(
    event_types=("lead.created", "booking.created", "return.created", "return.received"),
    normalise=normalise,
    sample=_sample,
)
