"""What Twilio sends and lists, how it is signed, and where it is told to send it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import pytest_asyncio
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bellwire.capabilities.sms import SendSms
from bellwire.clock import system_clock
from bellwire.connectors.kit import (
    POLLED,
    BadSignature,
    Connection,
    FixedReply,
    Normalised,
    repair,
    standing,
)
from bellwire.connectors.twilio import CONNECTOR
from bellwire.connectors.twilio.signature import HEADER, TwilioSignature
from bellwire.connectors.twilio.subscribing import SUBSCRIBING, TOPICS
from bellwire.connectors.twilio.triggers import TRIGGERS, normalise
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Delivery, Event
from bellwire.ledger import deliveries, open_ledger
from bellwire.practice import Practice, Webhook
from bellwire.practice.twilio import TwilioSimulator
from bellwire.records import Reconciler
from tests.connecting import call, connecting
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://bellwire.example/hooks/sms"
SERVICE = f"MG{1:032x}"
ROBIN = "+15125550123"
Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["twilio"]) as running:
        running.simulators["twilio"].quotas.clear()
        yield running


@pytest.fixture
def twilio(practice: Practice) -> TwilioSimulator:
    simulator, fresh = practice.simulators["twilio"], TwilioSimulator()
    assert isinstance(simulator, TwilioSimulator)
    for name in ("sent", "number", "service", "test", "page_size"):
        setattr(simulator, name, getattr(fresh, name))
    simulator.received.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("twilio", practice, "sms") as sms:
        yield sms


def arrived(webhook: Webhook, url: str = URL) -> Delivery:
    return Delivery("sms", {k.lower(): v for k, v in webhook.headers.items()}, webhook.body, system_clock(), url)


def only(result: Normalised) -> Event:
    (event,) = result.events
    return event


async def send(sms: Connection, text: str = "Order 1001 is ready") -> str:
    result = await CONNECTOR.actions["sms.send_sms"](call(sms), SendSms(to=ROBIN, text=text))
    return str(result.model_dump()["id"])


FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
PAGE = "https://mycompany.com/myapp.php?foo=1&bar=2"
JSON = b'{"property": "value", "boolean": true}'
HASHED = f"{PAGE}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
SIGNED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.proves("signatures")
class TestSignatures:
    def verify(self, url: str, body: bytes, signature: str, *secrets: str) -> None:
        headers = {HEADER.lower(): signature} if signature else {}
        TwilioSignature().verify(Delivery("sms", headers, body, NOW, url), secrets or ("12345",), NOW)

    @pytest.mark.parametrize(
        ("url", "body", "signature"),
        [
            (PAGE, urlencode(FORM).encode(), SIGNED),
            (PAGE.replace(".com/", ".com:443/"), urlencode(FORM).encode(), SIGNED),
            (PAGE, urlencode(FORM).encode(), "kvajT1Ptam85bY51eRf/AJRuM3w="),
            (PAGE, b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
            (HASHED, JSON, "a9nBmqA0ju/hNViExpshrM61xv4="),
        ],
        ids=["form", "port here", "port there", "twice", "json"],
    )
    async def test_the_vectors_are_accepted(self, url: str, body: bytes, signature: str) -> None:
        self.verify(url, body, signature)
        self.verify(url, body, signature, "the next token", "12345")

    @pytest.mark.parametrize(
        ("url", "body", "signature", "token"),
        [
            (PAGE, urlencode(FORM | {"Digits": "1235"}).encode(), SIGNED, "12345"),
            (PAGE, urlencode(FORM | {"Digits": "1234 "}).encode(), SIGNED, "12345"),
            (PAGE, urlencode(FORM | {"New": ""}).encode(), SIGNED, "12345"),
            (PAGE.replace("https", "http"), urlencode(FORM).encode(), SIGNED, "12345"),
            (PAGE.replace("foo=1", "foo=2"), urlencode(FORM).encode(), SIGNED, "12345"),
            (PAGE.replace(".com/", ".com:1234/"), urlencode(FORM).encode(), "kvajT1Ptam85bY51eRf/AJRuM3w=", "12345"),
            ("https://mycompany.com:port/", urlencode(FORM).encode(), SIGNED, "12345"),
            (PAGE, urlencode(FORM).encode(), SIGNED, "another"),
            (PAGE, urlencode(FORM).encode(), "", "12345"),
            (PAGE, urlencode(FORM).encode(), "ä", "12345"),
            (PAGE, "ä=ö".encode(), SIGNED, "12345"),
            (PAGE, b"&".join([b"a=1"] * 300), SIGNED, "12345"),
            (HASHED, JSON + b" ", "a9nBmqA0ju/hNViExpshrM61xv4=", "12345"),
        ],
    )
    async def test_anything_else_is_refused(self, url: str, body: bytes, signature: str, token: str) -> None:
        with pytest.raises(BadSignature):
            self.verify(url, body, signature, token)

    @pytest.mark.proves("sdk")
    @pytest.mark.parametrize("text", ["Is it ready?", " Grüße & 2+2=4 ✓\n ", ""])
    async def test_twilios_own_validator_agrees(self, connect: Connect, twilio: TwilioSimulator, text: str) -> None:
        sms, validator = connect(), RequestValidator(twilio.credentials["auth_token"])
        sent = arrived(twilio.webhook(twilio.receive(text), URL))
        assert sms.webhook is not None
        sms.webhook.verify(sent, sms.secrets, sent.received_at)
        fields = parse_qs(sent.body.decode(), keep_blank_values=True)
        params = {name: values[0] for name, values in fields.items()}
        assert validator.validate(URL, params, sent.headers["x-twilio-signature"])
        theirs = validator.compute_signature(URL, params)
        assert sms.webhook.sign(sent.body, sms.secrets[0], delivery_id="", now=NOW, url=URL) == {HEADER: theirs}

    async def test_each_state_of_a_message_is_a_delivery_of_its_own(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        sms = connect()
        sid = await send(sms)
        assert sms.webhook is not None
        names = set()
        for state in ("sent", "delivered", "delivered"):
            twilio.report(sid, state)
            names.add(sms.webhook.delivery_id(arrived(twilio.webhook(sid, URL))))
        assert names == {f"{sid} sent", f"{sid} delivered"}
        assert sms.webhook.delivery_id(Delivery("sms", {}, b"a=1", NOW))


class TestEvents:
    async def test_what_somebody_writes_is_a_message(self, connect: Connect, twilio: TwilioSimulator) -> None:
        sid = twilio.receive("Is it ready?\nRobin ✓")
        event = only(normalise(arrived(twilio.webhook(sid, URL)), connect()))
        assert (event.type, event.business_key) == ("message.received", f"sms/message/{sid}")
        told = event.data
        assert (told.text, told.sender, told.channel) == ("Is it ready?\nRobin ✓", ROBIN, "+15005550006")

    async def test_pictures_are_told_by_their_addresses(self, connect: Connect, twilio: TwilioSimulator) -> None:
        body = twilio.webhook(twilio.receive("Broken"), URL).body.replace(b"NumMedia=0", b"NumMedia=1")
        delivery = Delivery("sms", {}, body + b"&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2Fm%2F1", NOW)
        assert only(normalise(delivery, connect())).data.text == "Broken\nhttps://api.twilio.com/m/1"

    @pytest.mark.parametrize(
        ("state", "code", "reason"),
        [
            ("delivered", None, ""),
            ("read", None, ""),
            ("undelivered", 30003, "The phone is switched off or out of reach."),
            ("failed", 39999, "Twilio's error 39999."),
            ("failed", None, "Twilio didn't say why."),
        ],
    )
    async def test_what_became_of_a_message_is_told_once(
        self, connect: Connect, twilio: TwilioSimulator, state: str, code: int | None, reason: str
    ) -> None:
        sid = await send(connect())
        twilio.report(sid, state, code)
        event = only(normalise(arrived(twilio.webhook(sid, URL)), connect()))
        fact = "failed" if reason else "delivered"
        assert (event.type, event.business_key) == ("sms.reported", f"sms/sms/{sid}/{fact}")
        assert (event.data.delivered, event.data.reason, event.data.to) == (not reason, reason, ROBIN)

    async def test_what_is_on_its_way_is_no_fact_yet(self, connect: Connect, twilio: TwilioSimulator) -> None:
        sid = await send(connect())
        assert "is queued" in normalise(arrived(twilio.webhook(sid, URL)), connect()).reason

    async def test_another_accounts_is_refused(self, connect: Connect, twilio: TwilioSimulator) -> None:
        sent = arrived(twilio.webhook(twilio.receive("Hi"), URL))
        assert TRIGGERS.belongs(sent, connect()) == ""
        assert "It is of the account" in TRIGGERS.belongs(sent, connect(account_sid=f"AC{9:032x}"))

    @pytest.mark.parametrize("body", [b"a=1", b"MessageStatus=delivered", b"=", b"SmsStatus=received&MessageSid=SM1"])
    async def test_what_cannot_be_read_is_said(self, connect: Connect, body: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Twilio describes"):
            normalise(Delivery("sms", {}, body, NOW), connect())

    async def test_the_answer_has_twilio_text_nothing_back(self) -> None:
        reply = CONNECTOR.manifest.webhook_reply
        assert isinstance(reply, FixedReply)
        assert reply.content_type == "text/xml" and reply.body.endswith(b"<Response/>")


@pytest.mark.proves("reconcile", "paging")
class TestPoll:
    async def events(self, sms: Connection, cursor: str = "", *, pages: int = 9) -> tuple[list[Event], str]:
        """What comes of the last hour, and where it goes on."""
        (poll,) = TRIGGERS.polls
        found: list[Event] = []
        while pages:
            page = await poll.page(call(sms), system_clock() - timedelta(hours=1), cursor)
            for each in page.records:
                found += normalise(Delivery("sms", {POLLED: poll.name}, each.body, system_clock()), sms).events
            pages, cursor = pages - 1, page.next_cursor
            if not cursor:
                break
        return found, cursor

    async def test_what_it_lists_is_taken_in_as_forms_are(
        self, connect: Connect, twilio: TwilioSimulator, ledger_url: str
    ) -> None:
        sid, sms = twilio.receive("Is it ready?"), connect()
        async with open_ledger(ledger_url) as ledger:
            (poll,) = TRIGGERS.polls
            found = await Reconciler(ledger, system_clock).catch_up(sms, poll, system_clock() - timedelta(hours=1))
            taken = await ledger.read(lambda rows: deliveries.waiting(rows, after=0, limit=10))
        assert found.new == len(taken) == 1
        (event,) = normalise(taken[0][1], sms).events
        assert event.subject == f"message/{sid}" and taken[0][1].is_form

    async def test_it_lists_page_by_page_and_goes_on_where_another_process_stopped(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        twilio.page_size = 2
        for number in range(5):
            twilio.receive(f"Message {number}")
        first, cursor = await self.events(connect(), pages=1)
        rest, end = await self.events(connect(), cursor)
        assert [event.data.text for event in first + rest] == [f"Message {n}" for n in (4, 3, 2, 1, 0)]
        assert (len(first), end) == (2, "")

    async def test_a_cursor_that_twilio_forgot_begins_anew(self, connect: Connect, twilio: TwilioSimulator) -> None:
        twilio.receive("Hi")
        account = TwilioSimulator.settings["account_sid"]
        old = f"/2010-04-01/Accounts/{account}/Messages.json?PageSize=50&Page=1&PageToken=gone"
        assert [event.data.text for event in (await self.events(connect(), old))[0]] == ["Hi"]

    async def test_what_was_sent_before_and_arrived_since_is_listed_and_what_did_not_change_is_not(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        sms, then = connect(), system_clock() - timedelta(hours=5)
        sids = [await send(sms, f"Order {number}") for number in range(2)]
        for index, message in enumerate(twilio.sent):
            twilio.sent[index] = type(message)(message.sid, message.to, message.sender, message.body, then, "delivered")
        twilio.report(sids[0], "delivered")
        found, _ = await self.events(sms)
        assert [event.data.id for event in found] == [sids[0]]

    async def test_the_same_facts_have_the_keys_of_their_webhooks(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        sms = connect()
        arrives, lost, asked = await send(sms), await send(sms, "Another"), twilio.receive("Hi")
        twilio.report(arrives, "delivered")
        twilio.report(lost, "undelivered", 30006)
        await send(sms, "On its way")
        sent = [only(normalise(arrived(twilio.webhook(sid, URL)), sms)) for sid in (asked, lost, arrives)]
        listed, _ = await self.events(sms)
        assert [event.business_key for event in listed] == [event.business_key for event in sent]
        same = {"sent_at", "updated_at"}
        assert [event.data.model_dump(exclude=same) for event in listed] == [
            event.data.model_dump(exclude=same) for event in sent
        ]

    async def test_test_credentials_have_nothing_to_list(self, connect: Connect, twilio: TwilioSimulator) -> None:
        twilio.test = True
        assert await self.events(connect()) == ([], "")


@pytest.mark.proves("subscriptions")
class TestSubscriptions:
    async def well(self, sms: Connection) -> bool:
        return standing(await SUBSCRIBING.listing(call(sms)), URL, TOPICS).well

    async def test_a_numbers_address_is_entered_once_and_each_message_says_the_other(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        sms = connect(reports_to=URL)
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        assert twilio.number["sms_url"] == URL and await self.well(sms)
        twilio.received.clear()
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        assert {request.method for request in twilio.received} == {"GET"}

    async def test_without_an_address_for_reports_it_says_what_to_set(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        with pytest.raises(Refused, match="what became of a message") as refused:
            await repair(SUBSCRIBING, call(connect()), URL, TOPICS)
        assert f'reports_to = "{URL}"' in refused.value.remedy
        assert twilio.number["sms_url"] == URL

    async def test_a_service_has_both_addresses(self, connect: Connect, twilio: TwilioSimulator) -> None:
        sms = connect(sender=SERVICE)
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        assert (twilio.service["inbound_request_url"], twilio.service["status_callback"]) == (URL, URL)
        assert await self.well(sms)

    @pytest.mark.parametrize("sender", ["+15005550006", SERVICE])
    async def test_what_takes_precedence_is_taken_out_of_the_way(
        self, connect: Connect, twilio: TwilioSimulator, sender: str
    ) -> None:
        sms = connect(sender=sender, reports_to=URL)
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        twilio.number = {**twilio.number, "sms_application_sid": f"AP{1:032x}"}
        twilio.service = {**twilio.service, "use_inbound_webhook_on_number": True}
        assert not await self.well(sms)
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        assert await self.well(sms)

    async def test_somebody_elses_address_is_left_alone(self, connect: Connect, twilio: TwilioSimulator) -> None:
        other = {**twilio.number, "sms_url": "https://else.example/sms"}
        twilio.number = other
        with pytest.raises(Refused, match=r"it is https://else\.example/sms") as refused:
            await repair(SUBSCRIBING, call(connect(reports_to=URL)), URL, TOPICS)
        assert "Practice number" in refused.value.remedy and twilio.number == other

    async def test_it_can_be_taken_away_again_and_twice_is_no_error(
        self, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        sms = connect(reports_to=URL)
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        found = await SUBSCRIBING.listing(call(sms))
        for each in [*found, *found]:
            await SUBSCRIBING.remove(call(sms), each)
        assert not twilio.number["sms_url"]

    async def test_a_number_of_another_account_is_said(self, connect: Connect) -> None:
        with pytest.raises(Refused, match=r"no number \+15125550199"):
            await SUBSCRIBING.listing(call(connect(sender="+15125550199")))

    async def test_what_comes_of_it_verifies(self, connect: Connect, twilio: TwilioSimulator) -> None:
        sms = connect(reports_to=URL)
        await repair(SUBSCRIBING, call(sms), URL, TOPICS)
        sent = arrived(twilio.webhook(twilio.receive("Hi"), twilio.number["sms_url"]))
        assert sms.webhook is not None
        sms.webhook.verify(sent, sms.secrets, sent.received_at)

    @pytest.mark.proves("sdk")
    async def test_twilios_own_sdk_reads_what_was_entered(
        self, practice: Practice, connect: Connect, twilio: TwilioSimulator
    ) -> None:
        await repair(SUBSCRIBING, call(connect(reports_to=URL)), URL, TOPICS)
        twilio.receive("Hi")
        key, secret = twilio.credentials["api_key"], twilio.credentials["api_key_secret"]

        def drive() -> tuple[Any, Any]:
            client = Client(key, secret, TwilioSimulator.settings["account_sid"])
            client.api.base_url = practice.base_url("twilio")
            (number,) = client.incoming_phone_numbers.list(phone_number="+15005550006")
            (message,) = client.messages.list()
            return number, message

        number, message = await asyncio.to_thread(drive)
        assert (number.sms_url, number.sms_method) == (URL, "POST")
        assert (message.direction, message.status) == ("inbound", "received")
