"""What people write to the number, and what became of the messages that were sent from it.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from bellwire.clock import system_clock
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of
from bellwire.connectors.twilio.actions import messages, settings_of
from bellwire.connectors.twilio.errors import for_test_credentials, why_not_delivered
from bellwire.connectors.twilio.subscribing import SUBSCRIBING, TOPICS
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Delivery, Event, Message, SmsReport, what_is_wrong

_ARRIVED, _LOST = ("delivered", "read"), ("failed", "undelivered")
_INBOUND = ("received", "receiving")
_LOOK_BACK = timedelta(days=1)
"""A message may have been sent so long before its fate is known."""
_WHEN = "DateUpdated"
"""What a listed message says beside the fields of a webhook, which has no time in it."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """A message, or what became of one. Raises CannotNormalise when it isn't what Twilio describes."""
    try:
        form = delivery.form
        time = parsedate_to_datetime(form[_WHEN]).astimezone(UTC) if _WHEN in form else delivery.received_at
        state = form.get("MessageStatus") or form["SmsStatus"]
        if state in _INBOUND:
            return Normalised((_message(form, connection, time),))
        if state in (*_ARRIVED, *_LOST):
            return Normalised((_report(form, state, connection, time),))
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Twilio describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error
    return Normalised(reason=f"The message is {state}: it isn't known yet whether it arrives.")


def belongs(delivery: Delivery, connection: Connection) -> str:
    """A sub-account has a token of its own, but one address may be entered in several."""
    ours, theirs = settings_of(connection).account_sid, delivery.form.get("AccountSid", "")
    return "" if ours == theirs else f"It is of the account {theirs[:40]}, not of {ours}."


def _message(form: Mapping[str, str], connection: Connection, time: datetime) -> Event:
    sid = form["MessageSid"]
    media = [
        form[f"MediaUrl{number}"] for number in range(int(form.get("NumMedia") or 0)) if f"MediaUrl{number}" in form
    ]
    text = "\n".join(part for part in (form.get("Body", ""), *media) if part)
    data = Message(id=sid, text=text, sender=form["From"], channel=form["To"], sent_at=time)
    return event_of(connection, "message.received", f"message/{sid}", f"message/{sid}", time, data)


def _report(form: Mapping[str, str], state: str, connection: Connection, time: datetime) -> Event:
    sid, arrived = form["MessageSid"], state in _ARRIVED
    reason = "" if arrived else why_not_delivered(form.get("ErrorCode", ""))
    data = SmsReport(id=sid, to=form["To"], delivered=arrived, reason=reason, updated_at=time)
    fact = "delivered" if arrived else "failed"
    return event_of(connection, "sms.reported", f"sms/{sid}/{fact}", f"sms/{sid}", time, data)


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """`GET Messages.json`, newest first: those that came in or changed since. The cursor is Twilio's own address of the
    next page."""
    first = {"DateSent>": (since - _LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ"), "PageSize": "100"}
    try:
        found, following = await messages(call, cursor, first)
    except Refused as error:
        if for_test_credentials(error):
            # What was sent with them went nowhere, and nobody can write to them.
            return Page(())
        if not cursor:
            raise
        found, following = await messages(call, "", first)
    changed = (each for each in found if parsedate_to_datetime(each["date_updated"]) >= since)
    return Page(tuple(_listed(each) for each in changed), following)


def _listed(message: Mapping[str, Any]) -> Listed:
    """In the form of a webhook."""
    form = {
        "MessageSid": message["sid"],
        "AccountSid": message["account_sid"],
        "MessageStatus": message["status"],
        "From": message["from"] or "",
        "To": message["to"],
        "Body": message["body"],
        "ErrorCode": str(message["error_code"] or ""),
        _WHEN: message["date_updated"],
    }
    return Listed(f"{message['sid']} {message['status']}", urlencode(form).encode())


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    sid, ours = f"SM{secrets.token_hex(16)}", settings_of(connection)
    form = {"MessageSid": sid, "AccountSid": ours.account_sid, "ApiVersion": connection.manifest.api_version}
    if event_type == "message.received":
        form |= {"SmsStatus": "received", "From": "+15125550123", "To": ours.sender, "Body": "Is it ready?"}
        form |= {"NumMedia": "0"}
    else:
        form |= {"MessageStatus": "delivered", "From": ours.sender, "To": "+15125550123"}
        form |= {_WHEN: format_datetime(system_clock())}
    return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()


TRIGGERS = Triggers(
    event_types=("message.received", "sms.reported"),
    normalise=normalise,
    belongs=belongs,
    topics=TOPICS,
    subscribing=SUBSCRIBING,
    polls=(Poll("messages", _page, ("message.received", "sms.reported")),),
    sample=sample,
)
