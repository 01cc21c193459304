"""Sending, and looking whether it was sent."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bellwire.capabilities.sms import SEND_SMS, SendSms, Sms
from bellwire.connectors.kit import Account, Call, Compared, Connection, LookUp, Seen, action
from bellwire.connectors.twilio.errors import for_test_credentials
from bellwire.connectors.twilio.manifest import VERSION, TwilioSettings
from bellwire.errors import Refused
from bellwire.events import Environment

_LOOK_BACK = timedelta(days=1)
"""If it isn't known when it began."""
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def find_sms(call: Call, given: SendSms) -> Sms | None:
    """The message that an earlier attempt sent: the same text to the same number, since that attempt began.

    Messages take no key. Whoever is sent the same text twice on purpose, within so short a time, gets it once.
    """
    oldest = call.since - _MARGIN if call.since else call.clock() - _LOOK_BACK
    try:
        async for message in _messages_to(call, given.to):
            if _made_at(message) < oldest:
                return None
            if message["body"] == given.text and message["direction"] == "outbound-api":
                return Sms(id=message["sid"], to=given.to)
    except Refused as error:
        # What was sent with test credentials went nowhere, and can't be looked for.
        if not for_test_credentials(error):
            raise
    return None


async def look_for_sms(call: Call, given: SendSms) -> Seen | None:
    """A message to this number since the flow would have sent one, by Twilio: that of the same text, else the newest.
    What went out from a person's own phone isn't known there."""
    oldest, sent = call.since - _MARGIN if call.since else call.clock() - _LOOK_BACK, []
    async for message in _messages_to(call, given.to):
        if _made_at(message) < oldest:
            break
        if message["direction"].startswith("outbound"):
            sent.append((Compared("text", given.text, message["body"]), message["sid"]))
    best = min(sent, key=lambda each: not each[0].same, default=None)
    return Seen("a text message", (best[0],), result=Sms(id=best[1], to=given.to)) if best else None


@action(SEND_SMS, repeat=LookUp(find_sms), look=look_for_sms)
async def send_sms(call: Call, given: SendSms) -> Sms:
    """`POST Messages.json`. Twilio has taken it by then, and sends it when the sender's turn comes."""
    sender = settings_of(call.connection).sender
    form = {
        "To": given.to,
        "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
        "Body": given.text,
    }
    if reports_to := settings_of(call.connection).reports_to:
        form["StatusCallback"] = reports_to
    answer = await call.api.request("POST", "Messages.json", body=urlencode(form).encode(), headers=FORM)
    sent = answer.json()
    if sent["api_version"] != VERSION:
        call.api.notice("api_version", f"{sent['api_version']} was used instead of {VERSION}")
    return Sms(id=sent["sid"], to=sent["to"])


async def sign_in(call: Call) -> Account:
    """`GET Accounts/….json`: whose account it is. Raises Refused when test credentials are to send for real."""
    sid = settings_of(call.connection).account_sid
    production = call.connection.environment is Environment.PRODUCTION
    try:
        account = (await call.api.get(f"/{VERSION}/Accounts/{sid}.json")).json()
    except Refused as error:
        if not for_test_credentials(error):
            raise
        if production:
            raise Refused(
                "These are test credentials: nothing would be sent.",
                cause="test-credentials",
                remedy="Set the account's own, or the connection's environment to sandbox.",
            ) from error
        return Account("the test credentials of Twilio", "nothing is sent or charged", environment=Environment.SANDBOX)
    warnings = []
    if account["status"] != "active":
        warnings.append(f"The account is {account['status']}.")
    if account["type"] == "Trial":
        warnings.append("It is a trial account: it sends only to numbers that were verified.")
    if not production:
        warnings.append("It is a real account, not the test credentials: messages are sent and charged.")
    return Account(account["friendly_name"], sid, warnings=tuple(warnings))


async def messages(call: Call, uri: str, first: Mapping[str, str]) -> tuple[list[dict[str, Any]], str]:
    """A page of messages, newest first, and the address of the next one: that is Twilio's to make. `first` asks for the
    first page, when `uri` is empty."""
    path, params = "Messages.json", dict(first)
    if uri:
        following = urlsplit(uri)
        path, params = following.path, dict(parse_qsl(following.query))
    page = (await call.api.get(path, params=params)).json()
    return page["messages"], page.get("next_page_uri") or ""


async def _messages_to(call: Call, number: str) -> AsyncIterator[dict[str, Any]]:
    """Newest first. Not asked for by day: what waits for its turn has no day of sending yet."""
    uri, first = "", {"To": number, "PageSize": "50"}
    while True:
        found, uri = await messages(call, uri, first)
        for message in found:
            yield message
        if not uri:
            return


def _made_at(message: dict[str, Any]) -> datetime:
    return parsedate_to_datetime(message["date_created"])


def settings_of(connection: Connection) -> TwilioSettings:
    assert isinstance(connection.settings, TwilioSettings)
    return connection.settings
