"""What Calendly sends and lists, and what it comes to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bellwire.clock import system_clock
from bellwire.connectors.calendly.manifest import MANIFEST
from bellwire.connectors.calendly.triggers import TRIGGERS, normalise
from bellwire.connectors.kit import POLLED, BadSignature, Connection, Normalised, TimedSignature, repair, standing
from bellwire.errors import CannotNormalise, MissingCredential
from bellwire.events import Delivery, Event
from bellwire.practice import Webhook
from bellwire.practice.calendly import CalendlySimulator
from tests.connecting import Secrets, call
from tests.connectors.calendly.conftest import Connect
from tests.connectors.calendly.test_actions import APP

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "calendly-signing-key-0001"
BODY = (
    b'{"created_at":"2026-01-31T10:00:00.000000Z","created_by":"https://api.calendly.com/users/AAAA",'
    b'"event":"invitee.created","payload":{"uri":"https://api.calendly.com/scheduled_events/GBGBDCAADAEDCRZ2/'
    b'invitees/BBBB","email":"a@b.c","name":"Ann B"}}'
)
SIGNED = "t=1706695200,v1=574b243ad99dec306bd447249269920134dee5d206897cbd283ed22940734c9a"
THEN = datetime.fromtimestamp(1706695201, UTC)
URL = "https://bellwire.example/hooks/diary"


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("diary", {k.lower(): v for k, v in webhook.headers.items()}, webhook.body, system_clock())


def only(result: Normalised) -> Event:
    (event,) = result.events
    return event


@pytest.mark.proves("signatures")
class TestSignatures:
    def verify(self, body: bytes, signature: str, *secrets: str, now: datetime = THEN) -> None:
        assert isinstance(MANIFEST.webhook, TimedSignature)
        headers = {"calendly-webhook-signature": signature} if signature else {}
        MANIFEST.webhook.verify(Delivery("diary", headers, body, now), secrets or (KEY,), now)

    async def test_the_vector_is_accepted_and_made_alike(self) -> None:
        self.verify(BODY, SIGNED)
        self.verify(BODY, SIGNED, "the next key", KEY)
        assert isinstance(MANIFEST.webhook, TimedSignature)
        made = MANIFEST.webhook.sign(BODY, KEY, delivery_id="", now=THEN - timedelta(seconds=1))
        assert made == {"Calendly-Webhook-Signature": SIGNED}

    @pytest.mark.parametrize(
        ("body", "signature", "key"),
        [
            (BODY + b" ", SIGNED, KEY),
            (BODY, SIGNED, "another"),
            (BODY, SIGNED.replace("574b", "574c"), KEY),
            (BODY, SIGNED.replace("5200", "5201"), KEY),
            (BODY, SIGNED.partition(",")[2], KEY),
            (BODY, "", KEY),
        ],
    )
    async def test_anything_else_is_refused(self, body: bytes, signature: str, key: str) -> None:
        with pytest.raises(BadSignature):
            self.verify(body, signature, key)

    async def test_after_three_minutes_it_is_too_late(self) -> None:
        with pytest.raises(BadSignature) as refused:
            self.verify(BODY, SIGNED, now=THEN + timedelta(minutes=3))
        assert refused.value.reason == "timestamp"

    async def test_what_the_practice_account_sends_is_accepted_and_known_again(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        diary, booked = connect(), calendly.book()
        one, other = arrived(calendly.webhook(booked)), arrived(calendly.webhook(booked, "booking.cancelled"))
        assert diary.webhook is not None
        diary.webhook.verify(one, diary.secrets, one.received_at)
        assert diary.webhook.delivery_id(one) != diary.webhook.delivery_id(other)
        assert booked.partition("/")[2] in diary.webhook.delivery_id(one)
        assert diary.webhook.delivery_id(Delivery("diary", {}, b"[]", THEN))


class TestEvents:
    async def test_a_booking_and_its_end_are_two_facts_of_one_subject(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        booked = calendly.book()
        created = only(normalise(arrived(calendly.webhook(booked)), connect()))
        calendly.call_off(booked, "No heating needed")
        cancelled = only(normalise(arrived(calendly.webhook(booked, "booking.cancelled")), connect()))
        assert (created.type, created.business_key) == ("booking.created", f"diary/booking/{booked}/created")
        assert (cancelled.type, cancelled.business_key) == ("booking.cancelled", f"diary/booking/{booked}/cancelled")
        assert created.subject == cancelled.subject == f"booking/{booked}"
        assert (cancelled.data.reason, cancelled.data.replaced_by) == ("No heating needed", "")

    async def test_a_booking_that_was_moved_never_looks_like_a_lost_one(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        old = calendly.book()
        new = calendly.move(old)
        gone = normalise(arrived(calendly.webhook(old, "booking.cancelled")), connect())
        assert not gone.events and "moved it" in gone.reason
        moved = only(normalise(arrived(calendly.webhook(new)), connect()))
        assert (moved.type, moved.data.id, moved.data.replaces) == ("booking.changed", new, old)
        assert moved.business_key == f"diary/booking/{new}/moved"

    async def test_what_is_not_asked_for_has_a_reason(self, connect: Connect, calendly: CalendlySimulator) -> None:
        body = orjson.loads(calendly.webhook(calendly.book()).body)
        other = orjson.dumps(body | {"event": "invitee_no_show.created"})
        assert "invitee_no_show.created" in normalise(Delivery("diary", {}, other, THEN), connect()).reason

    @pytest.mark.parametrize("body", [b"[]", b'{"event": "invitee.created", "payload": {}}', BODY])
    async def test_what_cannot_be_read_is_said(self, connect: Connect, body: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Calendly describes"):
            normalise(Delivery("diary", {}, body, THEN), connect())

    async def test_an_address_that_is_no_invitees_is_said(self, connect: Connect, calendly: CalendlySimulator) -> None:
        body = orjson.loads(calendly.webhook(calendly.book()).body)
        body["payload"]["uri"] = "https://api.calendly.com/users/A/B/C"
        with pytest.raises(CannotNormalise, match="no address of an invitee"):
            normalise(Delivery("diary", {}, orjson.dumps(body), THEN), connect())


@pytest.mark.proves("reconcile", "paging")
class TestPoll:
    async def events(
        self, diary: Connection, since: datetime, cursor: str = "", *, pages: int = 9
    ) -> tuple[list[Event], str]:
        """What comes of the poll, and where it goes on."""
        (poll,) = TRIGGERS.polls
        found: list[Event] = []
        while pages:
            page = await poll.page(call(diary), since, cursor)
            for each in page.records:
                found += normalise(Delivery("diary", {POLLED: poll.name}, each.body, system_clock()), diary).events
            pages, cursor = pages - 1, page.next_cursor
            if not cursor:
                break
        return found, cursor

    async def test_it_lists_page_by_page_and_goes_on_where_another_process_stopped(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        calendly.page_size = 2
        since = system_clock() - timedelta(hours=1)
        booked = [calendly.book(days=number + 1) for number in range(5)]
        first, cursor = await self.events(connect(), since, pages=1)
        rest, end = await self.events(connect(), since, cursor)
        assert ([event.data.id for event in first + rest], len(first), end) == (booked, 2, "")

    async def test_a_cursor_that_calendly_forgot_begins_anew(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        booked = calendly.book()
        found, _ = await self.events(connect(), system_clock() - timedelta(hours=1), "forgotten")
        assert [event.data.id for event in found] == [booked]

    async def test_only_what_changed_since_is_looked_at(self, connect: Connect, calendly: CalendlySimulator) -> None:
        now = system_clock()
        old = calendly.book(at=now - timedelta(days=1))
        course = calendly.book("COURSE", at=now - timedelta(days=1))
        calendly.events[course.partition("/")[0]]["updated_at"] = "2026-01-01T00:00:00Z"
        joined = calendly.book(into=course.partition("/")[0])
        found, _ = await self.events(connect(), now - timedelta(hours=1))
        assert [event.data.id for event in found] == [joined]
        calendly.call_off(old)
        found, _ = await self.events(connect(), now - timedelta(hours=1))
        assert {(event.type, event.data.id) for event in found} == {
            ("booking.created", joined),
            ("booking.cancelled", old),
        }

    async def test_the_same_facts_have_the_keys_of_their_webhooks(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        diary, sent = connect(), []
        since = system_clock() - timedelta(hours=1)
        lost, old = calendly.book(days=1), calendly.book(days=2)
        sent += [arrived(calendly.webhook(each)) for each in (lost, old)]
        calendly.call_off(lost)
        sent.append(arrived(calendly.webhook(lost, "booking.cancelled")))
        new = calendly.move(old)
        sent += [arrived(calendly.webhook(old, "booking.cancelled")), arrived(calendly.webhook(new))]
        told = [event.business_key for each in sent for event in normalise(each, diary).events]
        listed, _ = await self.events(diary, since)
        assert {event.business_key for event in listed} == set(told) and len(listed) == len(told) == 4

    async def test_one_persons_bookings_are_asked_for_as_such(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        calendly.admin = False
        booked = calendly.book()
        found, _ = await self.events(connect(whose="user"), system_clock() - timedelta(hours=1))
        assert [event.data.id for event in found] == [booked]
        assert {"user", "organization"} <= calendly.received[1].query.keys()


@pytest.mark.proves("subscriptions")
class TestSubscriptions:
    async def mend(self, diary: Connection) -> None:
        assert TRIGGERS.subscribing is not None
        came = await repair(TRIGGERS.subscribing, call(diary), URL, TRIGGERS.topics)
        assert isinstance(diary.credentials, Secrets)
        diary.credentials.values.update(came)

    async def test_they_are_made_once_with_a_key_of_ours_that_verifies(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        diary = connect(credentials={"access_token": "practice-token"})
        await self.mend(diary)
        await self.mend(diary)
        (made,) = calendly.subscriptions.values()
        assert len(made["signing_key"]) > 32 and made["events"] == list(TRIGGERS.topics)
        assert calendly.received[-1].method == "GET"
        sent = arrived(calendly.webhook(calendly.book(), key=made["signing_key"]))
        assert diary.webhook is not None
        diary.webhook.verify(sent, diary.secrets, sent.received_at)

    @pytest.mark.parametrize("changes", [{"state": "disabled"}, {"events": ["invitee.created"]}])
    async def test_what_is_wrong_is_made_anew_and_others_are_left_alone(
        self, connect: Connect, calendly: CalendlySimulator, changes: dict[str, Any]
    ) -> None:
        calendly.page_size = 1
        diary = connect()
        await self.mend(diary)
        (ours,) = calendly.subscriptions.values()
        other = {**ours, "callback_url": "https://else.example", "state": "disabled"}
        ours |= changes
        calendly.subscriptions = {"OTHER": other, **calendly.subscriptions}
        await self.mend(diary)
        assert calendly.subscriptions["OTHER"] is other
        (anew,) = [each for each in calendly.subscriptions.values() if each["callback_url"] == URL]
        assert (anew["state"], anew["events"]) == ("active", list(TRIGGERS.topics))
        assert anew["signing_key"] == ours["signing_key"]

    async def test_one_whose_key_is_not_here_is_made_anew(self, connect: Connect, calendly: CalendlySimulator) -> None:
        await self.mend(connect())
        await self.mend(connect(credentials={"access_token": "practice-token"}))
        (made,) = calendly.subscriptions.values()
        assert made["signing_key"] != "practice-signing-key"

    async def test_an_app_signs_with_its_own_key_which_has_to_be_here(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        diary = connect(credentials=APP)
        await self.mend(diary)
        (made,) = calendly.subscriptions.values()
        assert (made["signing_key"], diary.secrets) == (None, ["app-key"])
        calendly.subscriptions.clear()
        calendly.refresh_token = APP["refresh_token"]
        with pytest.raises(MissingCredential, match="no webhook_secret"):
            await self.mend(connect(credentials={k: v for k, v in APP.items() if k != "webhook_secret"}))

    async def test_what_is_gone_already_is_no_error(self, connect: Connect, calendly: CalendlySimulator) -> None:
        diary = connect(whose="user")
        await self.mend(diary)
        assert TRIGGERS.subscribing is not None
        (found,) = await TRIGGERS.subscribing.listing(call(diary))
        assert standing([found], URL, TRIGGERS.topics).well
        for _ in range(2):
            await TRIGGERS.subscribing.remove(call(diary), found)
        assert not calendly.subscriptions
