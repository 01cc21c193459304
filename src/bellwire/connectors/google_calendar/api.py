"""What the parts share: paths, the id of an appointment, and the causes of refusals that they look at."""

import base64
import hashlib
from urllib.parse import quote

DUPLICATE = "duplicate"
GONE = "gone"
MISSING = "not-found"
NO_SUCH_CHANNEL = "no-such-channel"


def below(calendar: str, path: str) -> str:
    """A path below a calendar's own."""
    return f"calendars/{quote(calendar, safe='')}/{path}"


def event_id(reference: str) -> str:
    """What the appointment with this reference is called in every calendar: base32hex, as Google wants it.

    https://developers.google.com/workspace/calendar/api/v3/reference/events/insert
    """
    return base64.b32hexencode(hashlib.sha256(reference.encode()).digest()).decode().rstrip("=").lower()
