"""What stands in the fields of a form, whether it came as a form or as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery

Fields = Mapping[str, str]
"""By name; none is blank."""


def fields(delivery: Delivery) -> Fields:
    """All that were filled in, as text. Raises ValueError when it isn't fields with texts."""
    given = delivery.form if delivery.is_form else delivery.json
    if not isinstance(given, Mapping):
        raise ValueError("the body isn't an object with fields")
    texts = {name: _text(name, value) for name, value in given.items()}
    return {name: text for name, text in texts.items() if text}


def delivery_id(delivery: Delivery) -> str:
    """The field `id`, which is the same when a form is sent twice; without it, what all its bytes come to."""
    try:
        filled = fields(delivery)
    except ValueError:
        filled = {}
    return f"{filled.get('type', '')}/{filled['id']}" if "id" in filled else body_hash(delivery)


def parse_local(text: str, zone: tzinfo) -> datetime:
    """A time in ISO 8601, as UTC; without an offset, it is of `zone`. Raises ValueError."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def _text(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            return str(value).strip()
        case list():
            return ", ".join(text for each in value if (text := _text(name, each)))
        case _:
            raise ValueError(f"{name!r} has fields of its own, and has to be a text")
