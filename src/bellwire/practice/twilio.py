"""A simulated Twilio account that sends text messages.

https://www.twilio.com/docs/messaging/api/message-resource
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.quota import Quota
from bellwire.practice.roles import Sent
from bellwire.practice.simulator import Simulator, Webhook

_ACCOUNT = "AC" + f"{7:032x}"
_BELOW = f"/2010-04-01/Accounts/{_ACCOUNT}"
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_STARTED = datetime(2024, 1, 2, 9, tzinfo=UTC)
_SEGMENT = 160


_SENDER, _SERVICE, _NUMBER_SID = "+15005550006", f"MG{1:032x}", f"PN{1:032x}"
_NUMBER_RECORD: Mapping[str, Any] = {
    "sid": _NUMBER_SID,
    "account_sid": _ACCOUNT,
    "friendly_name": "Practice number",
    "phone_number": _SENDER,
    "capabilities": {"mms": True, "sms": True, "voice": True, "fax": False},
    "sms_url": "https://demo.twilio.com/welcome/sms/reply",
    "sms_method": "POST",
    "sms_application_sid": None,
    "api_version": "2010-04-01",
    "uri": f"{_BELOW}/IncomingPhoneNumbers/{_NUMBER_SID}.json",
}
_SERVICE_RECORD: Mapping[str, Any] = {
    "sid": _SERVICE,
    "account_sid": _ACCOUNT,
    "friendly_name": "Practice service",
    "inbound_request_url": None,
    "inbound_method": "POST",
    "status_callback": None,
    "use_inbound_webhook_on_number": False,
}


class _Error(Exception):
    """Twilio's `{"code": …, "message": …, "more_info": …, "status": …}`."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        more = f"https://www.twilio.com/docs/errors/{code}"
        self.answer = JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)


@dataclass(frozen=True)
class Sms:
    sid: str
    to: str
    sender: str
    """A number, or the SID of a Messaging Service."""
    body: str
    created: datetime
    status: str = "queued"
    error_code: int | None = None
    updated: datetime | None = None
    inbound: bool = False
    report_to: str = ""


@dataclass
class TwilioSimulator(Simulator):
    """`test` makes its credentials test credentials; `page_size` is the most that a page holds."""

    vendor: ClassVar[str] = "twilio"
    credentials: ClassVar[Mapping[str, str]] = {
        "api_key": f"SK{1:032x}",
        "api_key_secret": "practice-secret",
        "auth_token": "practice-auth-token",
    }
    settings: ClassVar[Mapping[str, Any]] = {"account_sid": _ACCOUNT, "sender": _SENDER}

    # Twilio publishes no number: this one is assumed.
    quotas: list[Quota] = field(default_factory=lambda: [Quota(20, 1)])
    test: bool = False
    kind: str = "Full"
    status: str = "active"
    page_size: int = 1000
    senders: set[str] = field(default_factory=lambda: {_SENDER, _SERVICE})
    number: dict[str, Any] = field(default_factory=lambda: dict(_NUMBER_RECORD))
    service: dict[str, Any] = field(default_factory=lambda: dict(_SERVICE_RECORD))
    version: str = "2010-04-01"
    """What answers say was used."""
    opted_out: set[str] = field(default_factory=set)
    sent: list[Sms] = field(default_factory=list)
    """Those that came in among them."""

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(f"{_BELOW}.json", self._served(self._account)),
            Route(f"{_BELOW}/Messages.json", self._served(self._list)),
            Route(f"{_BELOW}/Messages.json", self._served(self._send, 201), methods=["POST"]),
            Route(f"{_BELOW}/Messages/{{sid}}.json", self._served(self._read)),
            Route(f"{_BELOW}/IncomingPhoneNumbers.json", self._served(self._numbers)),
            Route(
                f"{_BELOW}/IncomingPhoneNumbers/{_NUMBER_SID}.json", self._served(self._set_number), methods=["POST"]
            ),
            Route(f"/v1/Services/{_SERVICE}", self._served(lambda _r, _g: self.service)),
            Route(f"/v1/Services/{_SERVICE}", self._served(self._set_service), methods=["POST"]),
            Route("/{rest:path}", self._served(_not_found), methods=["GET", "POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return {"messages": [{"sid": m.sid, "to": m.to, "from": m.sender, "body": m.body} for m in self.sent]}

    def made(self) -> Mapping[str, Collection[str]]:
        return {"sms.send_sms": [each.id for each in self.texts()]}

    def texts(self) -> list[Sent]:
        return [Sent(message.sid, message.to, message.body) for message in self.sent if not message.inbound]

    def opt_out(self, number: str) -> None:
        self.opted_out.add(number)

    def opt_in(self, number: str) -> None:
        self.opted_out.discard(number)

    def receive(self, text: str, sender: str = "+15125550123") -> str:
        """Somebody writes to the number; gives the message's SID."""
        sid = f"SM{len(self.sent) + 1:032x}"
        self.sent.append(Sms(sid, _SENDER, sender, text, datetime.now(UTC), "received", inbound=True))
        return sid

    def report(self, sid: str, status: str, error_code: int | None = None) -> None:
        """This becomes of a message."""
        number = next(index for index, message in enumerate(self.sent) if message.sid == sid)
        told = replace(self.sent[number], status=status, error_code=error_code, updated=datetime.now(UTC))
        self.sent[number] = told

    def webhook(self, sid: str, url: str, *, token: str = "") -> Webhook:
        """What is sent to `url` about a message as it is now."""
        message = next(each for each in self.sent if each.sid == sid)
        form = {"MessageSid": sid, "SmsSid": sid, "AccountSid": _ACCOUNT, "ApiVersion": self.version}
        form |= {"From": message.sender, "To": message.to, "SmsStatus": message.status}
        if message.inbound:
            form |= {"Body": message.body, "NumMedia": "0", "NumSegments": "1", "FromCountry": "US"}
        else:
            form |= {"MessageStatus": message.status}
            form |= {"ErrorCode": str(message.error_code)} if message.error_code else {}
        text = url + "".join(name + form[name] for name in sorted(form))
        key = (token or self.credentials["auth_token"]).encode()
        signature = base64.b64encode(hmac.digest(key, text.encode(), "sha1")).decode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signature,
            "I-Twilio-Idempotency-Token": hashlib.sha256(text.encode()).hexdigest()[:32],
        }
        return Webhook("message" if message.inbound else "status", headers, urlencode(form).encode())

    def rate_limited(self, seconds: float) -> Response:
        """It doesn't say when to come back."""
        return _Error(429, 20429, "Too Many Requests").answer

    def failed(self) -> Response:
        return _Error(500, 20500, "Internal Server Error").answer

    def signed_out(self) -> Response:
        return _Error(401, 20003, "Authenticate").answer

    def _served(self, answer: Callable[[Request, dict[str, str]], Any], status: int = 200) -> Callable[[Request], Any]:
        key = f"{self.credentials['api_key']}:{self.credentials['api_key_secret']}"
        signed_in = f"Basic {base64.b64encode(key.encode()).decode()}"

        async def serve(request: Request) -> Response:
            if request.headers.get("authorization") != signed_in:
                return self.signed_out()
            given = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            try:
                return JSONResponse(answer(request, given), status)
            except _Error as error:
                return error.answer

        return serve

    def _account(self, _request: Request, _given: dict[str, str]) -> dict[str, Any]:
        self._not_for_tests()
        return {
            "sid": _ACCOUNT,
            "owner_account_sid": _ACCOUNT,
            "friendly_name": "Practice Tea Ltd",
            "type": self.kind,
            "status": self.status,
            "auth_token": None,
            "date_created": format_datetime(_STARTED),
            "date_updated": format_datetime(_STARTED),
            "subresource_uris": {"messages": f"{_BELOW}/Messages.json"},
            "uri": f"{_BELOW}.json",
        }

    def _send(self, _request: Request, given: dict[str, str]) -> dict[str, Any]:
        to, body = given.get("To", ""), given.get("Body", "")
        service = given.get("MessagingServiceSid", "")
        sender = service or given.get("From", "")
        if not to:
            raise _Error(400, 21604, "A 'To' phone number is required.")
        if not sender:
            raise _Error(400, 21603, "A 'From' phone number is required.")
        if not body:
            raise _Error(400, 21602, "Message body is required.")
        if len(body) > 1600:
            raise _Error(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        if not _NUMBER.fullmatch(to) or to == "+15005550001":
            raise _Error(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if to == "+15005550009":
            raise _Error(400, 21614, f"'To' number: {to}, is not a mobile number.")
        if sender not in self.senders or (not service and not _NUMBER.fullmatch(sender)):
            raise _Error(400, 21606, f"The 'From' phone number provided ({sender}) is not a valid sender.")
        if to in self.opted_out:
            raise _Error(400, 21610, "Attempt to send to unsubscribed recipient.")
        status, reports = "accepted" if service else "queued", given.get("StatusCallback", "")
        message = Sms(f"SM{len(self.sent) + 1:032x}", to, sender, body, datetime.now(UTC), status, report_to=reports)
        self.sent.append(message)
        return self._shown(message)

    def _read(self, request: Request, _given: dict[str, str]) -> dict[str, Any]:
        self._not_for_tests()
        found = next((m for m in self.sent if m.sid == request.path_params["sid"]), None)
        return self._shown(found) if found else _not_found(request, {})

    def _list(self, request: Request, _given: dict[str, str]) -> dict[str, Any]:
        self._not_for_tests()
        query = request.query_params
        if not query.get("PageToken", "PASM").startswith("PASM"):
            raise _Error(400, 20001, "Invalid page token")
        since = datetime.fromisoformat(query.get("DateSent>", "0001-01-01T00:00:00Z"))
        fitting = [
            self._shown(message)
            for message in reversed(self.sent)
            if query.get("To", message.to) == message.to
            and query.get("From", message.sender) == message.sender
            and message.created >= since
        ]
        size, page = min(int(query.get("PageSize", 50)), self.page_size), int(query.get("Page", 0))
        shown = fitting[page * size : (page + 1) * size]
        return {
            "messages": shown,
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(0, len(shown) - 1),
            "uri": _page(query, page),
            "first_page_uri": _page(query, 0),
            "previous_page_uri": _page(query, page - 1) if page else None,
            "next_page_uri": _page(query, page + 1) if (page + 1) * size < len(fitting) else None,
        }

    def _shown(self, message: Sms) -> dict[str, Any]:
        service = message.sender.startswith("MG")
        uri = f"{_BELOW}/Messages/{message.sid}"
        gone = message.status not in ("accepted", "queued")
        return {
            "sid": message.sid,
            "account_sid": _ACCOUNT,
            "api_version": self.version,
            "body": message.body,
            "date_created": format_datetime(message.created),
            "date_sent": format_datetime(message.updated or message.created) if gone else None,
            "date_updated": format_datetime(message.updated or message.created),
            "direction": "inbound" if message.inbound else "outbound-api",
            "error_code": message.error_code,
            "error_message": None,
            "from": None if service else message.sender,
            "messaging_service_sid": message.sender if service else None,
            "num_media": "0",
            "num_segments": "0" if service else str(-(-len(message.body) // _SEGMENT)),
            "price": None,
            "price_unit": "USD",
            "status": message.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": message.to,
            "uri": f"{uri}.json",
        }

    def _numbers(self, request: Request, _given: dict[str, str]) -> dict[str, Any]:
        self._not_for_tests()
        fits = request.query_params.get("PhoneNumber", _SENDER) == _SENDER
        place = f"{_BELOW}/IncomingPhoneNumbers.json"
        paging = {"page": 0, "page_size": 50, "start": 0, "end": 0, "uri": place, "first_page_uri": place}
        links = {"next_page_uri": None, "previous_page_uri": None}
        return {"incoming_phone_numbers": [self.number] if fits else [], **paging, **links}

    def _set_number(self, _request: Request, given: dict[str, str]) -> dict[str, Any]:
        self._not_for_tests()
        names = {"SmsUrl": "sms_url", "SmsMethod": "sms_method", "SmsApplicationSid": "sms_application_sid"}
        self.number |= {names[name]: value or None for name, value in given.items() if name in names}
        return self.number

    def _set_service(self, _request: Request, given: dict[str, str]) -> dict[str, Any]:
        self._not_for_tests()
        names = {"InboundRequestUrl": "inbound_request_url", "StatusCallback": "status_callback"}
        self.service |= {names[name]: value or None for name, value in given.items() if name in names}
        self.service["use_inbound_webhook_on_number"] = given.get("UseInboundWebhookOnNumber") == "true"
        return self.service

    def _not_for_tests(self) -> None:
        if self.test:
            raise _Error(403, 20008, "Resource not accessible with Test Account Credentials")


SIMULATOR = TwilioSimulator


def _not_found(request: Request, _given: dict[str, str]) -> dict[str, Any]:
    raise _Error(404, 20404, f"The requested resource {request.url.path} was not found")


def _page(query: Mapping[str, str], page: int) -> str:
    token = {"Page": str(page), "PageToken": f"PASM{page:032x}"} if page else {"Page": "0"}
    return f"{_BELOW}/Messages.json?{urlencode({**query, **token})}"
