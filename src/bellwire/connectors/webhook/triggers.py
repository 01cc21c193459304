"""Deliveries of unknown senders as events: typed where the type is in the dictionary, free-form otherwise."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bellwire.clock import parse_time
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of
from bellwire.connectors.webhook.manifest import WebhookSettings
from bellwire.connectors.webhook.samples import sample
from bellwire.errors import CannotNormalise
from bellwire.events import (
    DICTIONARY,
    Delivery,
    FreeForm,
    InventoryLevel,
    Order,
    Product,
    Refund,
    Return,
    data_model,
)

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The one event of a delivery. Raises CannotNormalise, naming the field, when it isn't what its type promises."""
    settings = connection.settings
    assert isinstance(settings, WebhookSettings)
    body = _body(delivery)
    event_type = settings.event_type or _event_type(body, settings)
    data = _data(event_type, body, settings)
    assert connection.webhook is not None
    delivery_id = connection.webhook.delivery_id(delivery)
    subject, key = _identity(event_type, data, delivery_id)
    if settings.subject_field:
        subject = str(_wanted(body, settings.subject_field))
    return Normalised(
        (
            event_of(
                connection,
                event_type,
                key=key,
                subject=subject,
                time=_time(body, settings.time_field) or delivery.received_at,
                version=getattr(data, "updated_at", None) if data_model(event_type) is not FreeForm else None,
                data=data,
            ),
        )
    )


def _body(delivery: Delivery) -> dict[str, Any]:
    try:
        body = delivery.json
    except ValueError as error:
        raise CannotNormalise("The body isn't JSON.", remedy="Let the sender send JSON.") from error
    if not isinstance(body, dict):
        raise CannotNormalise("The body isn't a JSON object.", remedy="Let the sender send one event at a time.")
    return body


def _event_type(body: dict[str, Any], settings: WebhookSettings) -> str:
    found = _wanted(body, settings.type_field)
    event_type = found.lower() if isinstance(found, str) else ""
    if not _TYPE.fullmatch(event_type):
        raise CannotNormalise(
            f"`{settings.type_field}` is {found!r}, and an event type is written like `order.paid`.",
            remedy="Set event_type (what every delivery is) or type_field for this connection in connections.toml.",
        )
    return event_type


def _data(event_type: str, body: dict[str, Any], settings: WebhookSettings) -> BaseModel:
    place = settings.data_field or "body"
    given = _wanted(body, settings.data_field) if settings.data_field else _without_envelope(event_type, body, settings)
    if not isinstance(given, dict):
        raise CannotNormalise(f"`{place}` isn't an object with fields.", remedy=_PLACE_OF_DATA)
    try:
        data = data_model(event_type).model_validate(given)
    except ValidationError as error:
        raise CannotNormalise(_wrong_fields(event_type, place, error), remedy=_SEE_DICTIONARY) from error
    return data if isinstance(data, FreeForm) else _checked(data)


def _without_envelope(event_type: str, body: dict[str, Any], settings: WebhookSettings) -> dict[str, Any]:
    """A body that is the data itself, less what says type and time about typed data."""
    model = data_model(event_type)
    envelope = {settings.type_field, settings.time_field, settings.subject_field} - model.model_fields.keys()
    return body if model is FreeForm else {name: value for name, value in body.items() if name not in envelope}


def _checked(data: BaseModel) -> BaseModel:
    """The data with its times in UTC. An order has to add up, or the books wouldn't."""
    moved = {}
    for name in _times_of(type(data)):
        time: datetime | None = getattr(data, name)
        if time is None:
            continue
        offset = time.utcoffset()
        if offset is None:
            raise CannotNormalise(
                f"`{name}` says no time zone.", remedy="Let the sender write times like 2026-11-24T09:30:00Z."
            )
        if offset:
            moved[name] = time.astimezone(UTC)
    if moved:
        data = data.model_copy(update=moved)
    if isinstance(data, Order):
        try:
            computed = data.computed_total
        except ValueError as error:
            raise CannotNormalise(f"The order mixes currencies: {error}.", remedy=_SEE_DICTIONARY) from error
        if computed != data.total:
            raise CannotNormalise(
                f"Order {data.number} doesn't add up: its lines, shipping, fees, taxes, tip and adjustment make "
                f"{computed}, and `total` says {data.total}.",
                remedy="Let the sender put what is left over into `adjustment`.",
            )
    return data


@cache
def _times_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Its fields that are times."""
    fields = model.model_fields.items()
    return tuple(name for name, field in fields if datetime in (field.annotation, *get_args(field.annotation)))


def _wrong_fields(event_type: str, place: str, error: ValidationError) -> str:
    wrong = [f"`{'.'.join(map(str, (place, *one['loc'])))}`: {one['msg']}" for one in error.errors()]
    more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return f"This isn't the data of an {event_type} event. {'; '.join(wrong[:3])}{more}."


def _identity(event_type: str, data: BaseModel, delivery_id: str) -> tuple[str, str]:
    """Subject and business key (without the connection): of the fact itself where the data tells it from others, so
    that two deliveries of it are one; of the delivery otherwise."""
    thing, _, fact = event_type.partition(".")
    match data:
        case Order(id=order_id, updated_at=updated_at):
            subject = f"order/{order_id}"
            state = f"/{updated_at.isoformat()}" if DICTIONARY[event_type].state else ""
            return subject, f"{subject}/{fact}{state}"
        case Refund(id=refund_id, order_id=order_id):
            return f"order/{order_id}", f"refund/{refund_id}"
        case Return(id=return_id):
            return f"return/{return_id}", f"return/{return_id}/{fact}"
        case Product(id=product_id, updated_at=updated_at):
            return f"product/{product_id}", f"product/{product_id}/updated/{updated_at.isoformat()}"
        case InventoryLevel(item_id=item_id, location_id=location_id, updated_at=updated_at):
            subject = f"inventory/{item_id}/{location_id}"
            return subject, f"{subject}/updated/{updated_at.isoformat()}"
    own_id = getattr(data, "id", None)
    subject = f"{thing}/{delivery_id if own_id is None else own_id}"
    if isinstance(data, FreeForm):
        return subject, delivery_id
    if DICTIONARY[event_type].state:
        return subject, f"{subject}/{fact}/{data.updated_at.isoformat()}"  # type: ignore[attr-defined]
    # Whatever else happens to a thing may happen again; it begins once.
    return subject, f"{subject}/{fact}" if fact == "created" else delivery_id


def _time(body: dict[str, Any], path: str) -> datetime | None:
    given = _found(body, path)
    if given is None:
        return None
    try:
        return parse_time(given) if isinstance(given, str) else datetime.fromtimestamp(given, UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise CannotNormalise(
            f"`{path}` is {given!r}, which isn't a time with its zone.",
            remedy="Let the sender write it like 2026-11-24T09:30:00Z, or set time_field in connections.toml.",
        ) from error


def _wanted(body: dict[str, Any], path: str) -> Any:
    found = _found(body, path)
    if found is None:
        raise CannotNormalise(
            f"The body has no `{path}`.", remedy="Set where it stands for this connection in connections.toml."
        )
    return found


def _found(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


_PLACE_OF_DATA = "Set data_field for this connection in connections.toml; empty, if the whole body is the data."
_SEE_DICTIONARY = "`bellwire dictionary` shows the fields; let the sender fill them, or give the event another type."

TRIGGERS = Triggers(event_types=(*DICTIONARY, "*"), normalise=normalise, sample=sample)
