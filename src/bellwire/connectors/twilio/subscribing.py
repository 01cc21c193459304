"""Where Twilio sends what: a number says where what people write to it goes, a Messaging Service also where reports go.
For a number, each message says that itself (`reports_to`).

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
https://www.twilio.com/docs/messaging/api/service-resource
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.twilio.actions import FORM, settings_of
from bellwire.errors import Refused

MESSAGE, STATUS = "message", "status"
TOPICS = (MESSAGE, STATUS)

_SERVICES = "https://messaging.twilio.com/v1/Services"
_OF_A_NUMBER = {MESSAGE: "sms_url"}
_OF_A_SERVICE = {MESSAGE: "inbound_request_url", STATUS: "status_callback"}
"""Topic → the field that has its address."""
_PARAMETERS = {"sms_url": "SmsUrl", "inbound_request_url": "InboundRequestUrl", "status_callback": "StatusCallback"}
_EXAMPLE = "https://demo.twilio.com/"
"""How the address of a new number begins."""
_ELSEWHERE = ("sms_application_sid", "use_inbound_webhook_on_number")
"""What has Twilio ask somebody else about what people write."""


async def _listing(call: Call) -> Sequence[Subscription]:
    place, settings = await _place(call), settings_of(call.connection)
    elsewhere = any(place.get(name) for name in _ELSEWHERE)
    found = [
        Subscription(
            f"{place['sid']}/{topic}",
            place[field],
            (topic,),
            "An app or a number takes precedence in Twilio." if elsewhere and topic == MESSAGE else "",
        )
        for topic, field in _fields(call).items()
        if place[field]
    ]
    if settings.reports_to and STATUS not in _fields(call):
        found.append(Subscription(f"messages/{STATUS}", settings.reports_to, (STATUS,)))
    return found


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """Enter the address. Raises Refused where there is another one, as somebody may need that, and where there is no
    place for one."""
    place, fields = await _place(call), _fields(call)
    for topic in topics:
        other = place[fields[topic]] if topic in fields else ""
        if other and other != url and not other.startswith(_EXAMPLE):
            raise Refused(
                f"Twilio has one address for this, and it is {other}.",
                cause="address-taken",
                remedy=f"If nobody needs it there any more, clear it in the Twilio Console: {place['friendly_name']}.",
            )
    entered = {_PARAMETERS[fields[topic]]: url for topic in topics if topic in fields}
    if entered:
        await _change(call, place, entered)
    if any(topic not in fields for topic in topics):
        raise Refused(
            "Nobody is told what became of a message: a number has no address for that.",
            cause="no-reports",
            remedy=f'Set reports_to = "{url}" in [{call.connection.name}.settings] of connections.toml.',
        )
    return {}


async def _remove(call: Call, subscription: Subscription) -> None:
    """Clear the address. What each message says is a setting, and stays."""
    topic = subscription.id.rpartition("/")[2]
    if topic in _fields(call):
        await _change(call, await _place(call), {_PARAMETERS[_fields(call)[topic]]: ""})


async def _place(call: Call) -> dict[str, Any]:
    """The sender's record: a phone number, or a Messaging Service. Raises Refused when it isn't the account's."""
    sender = settings_of(call.connection).sender
    if sender.startswith("MG"):
        service: dict[str, Any] = (await call.api.get(f"{_SERVICES}/{sender}")).json()
        return service
    found = (await call.api.get("IncomingPhoneNumbers.json", params={"PhoneNumber": sender})).json()
    for number in found["incoming_phone_numbers"]:
        if number["phone_number"] == sender:
            return dict(number)
    raise Refused(
        f"The account has no number {sender}.",
        cause="bad-sender",
        remedy="Set `sender` of the connection to one of its numbers, or to a Messaging Service.",
    )


async def _change(call: Call, place: Mapping[str, Any], entered: Mapping[str, str]) -> None:
    """An application or a number that takes precedence is taken out of the way."""
    if place["sid"].startswith("MG"):
        path, also = f"{_SERVICES}/{place['sid']}", {"InboundMethod": "POST", "UseInboundWebhookOnNumber": "false"}
    else:
        app = {"SmsApplicationSid": ""} if place["sms_application_sid"] else {}
        path, also = f"IncomingPhoneNumbers/{place['sid']}.json", {"SmsMethod": "POST", **app}
    await call.api.request("POST", path, body=urlencode({**entered, **also}).encode(), headers=FORM)


def _fields(call: Call) -> Mapping[str, str]:
    return _OF_A_SERVICE if settings_of(call.connection).sender.startswith("MG") else _OF_A_NUMBER


SUBSCRIBING = Subscribing(_listing, _create, _remove)
