"""What Zendesk sends and lists, and what it comes to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bellwire.clock import system_clock
from bellwire.connectors.kit import (
    POLLED,
    BadSignature,
    Call,
    Connection,
    Normalised,
    TimedSignature,
    repair,
    standing,
)
from bellwire.connectors.zendesk.manifest import MANIFEST
from bellwire.connectors.zendesk.triggers import TRIGGERS, normalise
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, TicketStatus
from bellwire.practice import Webhook
from bellwire.practice.zendesk import ZendeskSimulator
from tests.connecting import Secrets, call
from tests.connectors.zendesk.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")
PUBLIC = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
SENT = "2026-01-31T10:00:01Z"
THEN = datetime(2026, 1, 31, 10, 0, 2, tzinfo=UTC)
BODY = (
    b'{"type":"zen:event-type:ticket.created","account_id":12514403,"id":"2b24ef10-19d4-4740-93cf-8f98ec4776c0",'
    b'"time":"2026-01-31T10:00:00Z","zendesk_event_version":"2022-11-06","subject":"zen:ticket:35436",'
    b'"detail":{"id":"35436","external_id":"order-77"},"event":{}}'
)
SIGNED = "d4pA06/nMI2s27LYaPFvFL5uaAWqKyxa7uUAq+zqlvM="
URL = "https://bellwire.example/hooks/help"


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("help", {k.lower(): v for k, v in webhook.headers.items()}, webhook.body, system_clock())


def only(result: Normalised) -> Event:
    (event,) = result.events
    return event


@pytest.mark.proves("signatures")
class TestSignatures:
    def verify(self, body: bytes, signature: str, *secrets: str, sent: str = SENT, now: datetime = THEN) -> None:
        scheme = MANIFEST.webhook
        assert isinstance(scheme, TimedSignature)
        headers = {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": sent}
        scheme.verify(Delivery("help", headers, body, now), secrets or (PUBLIC,), now)

    @pytest.mark.parametrize(
        ("body", "signature"),
        [
            (BODY, SIGNED),
            (b"", "VNUkRs+3l9jf4jHx7Y0tnDVW7nQQhxdMl9V6AkQ+TH4="),
            ('{"note":"Grüße"}'.encode(), "6dNW/uQTovPjkq1QVzdk6XkZvq0d2Sfs7YH+UBfq/D4="),
        ],
    )
    async def test_the_vectors_are_accepted_and_made_alike(self, body: bytes, signature: str) -> None:
        self.verify(body, signature)
        self.verify(body, signature, "the next secret", PUBLIC)
        assert isinstance(MANIFEST.webhook, TimedSignature)
        made = MANIFEST.webhook.sign(body, PUBLIC, delivery_id="", now=THEN - timedelta(seconds=1))
        assert made["X-Zendesk-Webhook-Signature"] == signature
        assert made["X-Zendesk-Webhook-Signature-Timestamp"] == SENT

    async def test_the_secret_is_used_as_it_stands_and_not_decoded(self) -> None:
        """A vector of another implementation, whose time is a number."""
        seconds = TimedSignature("X-Signature", time_header="X-Time", between=b"")
        body = b'{"event_type": "foo.bar","data": {"key": "value"}}'
        headers = {"x-signature": "qtmu3iClLKujnujOBkwe7yjI34o5CzsLD04Uy4LbE2A=", "x-time": "1531420618"}
        now = datetime.fromtimestamp(1531420618, UTC)
        seconds.verify(Delivery("help", headers, body, now), [PUBLIC], now)

    @pytest.mark.parametrize(
        ("body", "signature", "secret", "sent"),
        [
            (BODY[:-1] + b" ", SIGNED, PUBLIC, SENT),
            (BODY, SIGNED, "another", SENT),
            (BODY, SIGNED.replace("d4", "d5"), PUBLIC, SENT),
            (BODY, SIGNED, PUBLIC, "2026-01-31T10:00:02Z"),
            (BODY, SIGNED, PUBLIC, "yesterday"),
            (BODY, SIGNED, PUBLIC, ""),
            (BODY, "", PUBLIC, SENT),
            (BODY, "ä", PUBLIC, SENT),
        ],
    )
    async def test_anything_else_is_refused(self, body: bytes, signature: str, secret: str, sent: str) -> None:
        with pytest.raises(BadSignature):
            self.verify(body, signature, secret, sent=sent)

    @pytest.mark.parametrize("minutes", [-6, 6])
    async def test_what_was_sent_long_ago_or_is_yet_to_come_is_refused(self, minutes: int) -> None:
        with pytest.raises(BadSignature) as refused:
            self.verify(BODY, SIGNED, now=THEN + timedelta(minutes=minutes))
        assert refused.value.reason == "timestamp"

    async def test_what_the_practice_account_sends_is_accepted(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        helpdesk = connect()
        sent = arrived(zendesk.webhook(zendesk.write("Help", "Please"), "ticket.created"))
        assert helpdesk.webhook is not None
        helpdesk.webhook.verify(sent, helpdesk.secrets, sent.received_at)
        assert helpdesk.webhook.delivery_id(sent) == sent.json["id"]


class TestEvents:
    async def test_a_new_ticket_is_one_fact(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        number = zendesk.write("A broken mug", "It came broken.")
        event = only(normalise(arrived(zendesk.webhook(number, "ticket.created")), connect()))
        assert (event.type, event.subject) == ("ticket.created", f"ticket/{number}")
        assert event.business_key == f"help/ticket/{number}/created"
        assert (event.data.subject, event.data.text) == ("A broken mug", "It came broken.")
        assert (event.data.status, event.data.requester.id) == (TicketStatus.OPEN, "9002")

    async def test_two_webhooks_about_one_change_are_one_fact(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        number = zendesk.write("Help", "Please")
        zendesk.change(number, later=60, status="pending", priority="urgent")
        one, other = (only(normalise(arrived(zendesk.webhook(number)), connect())) for _ in range(2))
        assert one.business_key == other.business_key
        assert (one.data.status, one.data.priority) == (TicketStatus.WAITING, "urgent")
        zendesk.change(number, later=60, status="solved")
        assert only(normalise(arrived(zendesk.webhook(number)), connect())).business_key != one.business_key

    async def test_what_bellwire_did_itself_starts_nothing(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        number = zendesk.write("Help", "Please")
        zendesk.change(number, 9001, later=60, status="solved")
        sent = arrived(zendesk.webhook(number))
        assert "did this itself" in normalise(sent, connect()).reason
        assert normalise(sent, connect(user_id="")).events
        zendesk.change(number, later=60, status="open")
        assert normalise(arrived(zendesk.webhook(number)), connect()).events

    async def test_an_accounts_own_trigger_has_the_list_looked_at(self, connect: Connect) -> None:
        headers = {"x-zendesk-webhook-invocation-id": "01ABC"}
        own = Delivery("help", headers, b'{"ticket": "35436"}', THEN)
        assert normalise(own, connect()).wake == ("tickets",)
        assert isinstance(MANIFEST.webhook, TimedSignature)
        assert MANIFEST.webhook.delivery_id(own) == "01ABC"

    async def test_what_is_not_asked_for_has_a_reason(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        body = orjson.loads(zendesk.webhook(zendesk.write("Help", "Please")).body)
        other = orjson.dumps(body | {"type": "zen:event-type:ticket.merged"})
        assert "ticket.merged" in normalise(Delivery("help", {}, other, THEN), connect()).reason

    @pytest.mark.parametrize("body", [b"7", b'{"zendesk_event_version": "x"}', BODY])
    async def test_what_cannot_be_read_is_said(self, connect: Connect, body: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Zendesk describes"):
            normalise(Delivery("help", {}, body, THEN), connect())


@pytest.mark.proves("reconcile")
class TestPoll:
    async def events(
        self, helpdesk: Connection, since: datetime, cursor: str = "", *, pages: int = 9
    ) -> tuple[list[Event], str]:
        """What comes of the poll, and where it goes on."""
        (poll,) = TRIGGERS.polls
        found: list[Event] = []
        while pages:
            page = await poll.page(self.calling(helpdesk), since, cursor)
            for each in page.records:
                delivery = Delivery("help", {POLLED: poll.name}, each.body, system_clock())
                found += normalise(delivery, helpdesk).events
            pages -= 1
            cursor = page.next_cursor or page.resume
            if not page.next_cursor:
                break
        return found, cursor

    @staticmethod
    def calling(helpdesk: Connection) -> Call:
        return Call(helpdesk, call(helpdesk).crosswalk, system_clock, "0" * 32)

    async def test_it_lists_page_by_page_and_goes_on_where_another_process_stopped(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        zendesk.tickets.clear()
        zendesk.page_size = 2
        for number in range(5):
            zendesk.write(f"Ticket {number}", "Help")
        since = system_clock() - timedelta(hours=1)
        first, cursor = await self.events(connect(), since, pages=1)
        rest, resume = await self.events(connect(), since, cursor)
        assert [event.data.subject for event in first + rest] == [f"Ticket {n}" for n in range(5)]
        assert await self.events(connect(), since, resume) == ([], resume)
        zendesk.change(35437, later=60, status="open")
        (again, changed), _ = await self.events(connect(), since, resume)
        assert (again.type, changed.type, changed.subject) == ("ticket.created", "ticket.updated", "ticket/35437")

    async def test_a_cursor_that_zendesk_forgot_begins_anew(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        zendesk.tickets.clear()
        zendesk.write("Help", "Please")
        found, _ = await self.events(connect(), system_clock() - timedelta(hours=1), "forgotten")
        assert [event.type for event in found] == ["ticket.created"]

    async def test_nothing_at_all_is_no_error(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        zendesk.tickets.clear()
        assert await self.events(connect(), system_clock()) == ([], "")

    async def test_the_same_facts_have_the_keys_of_their_webhooks(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        zendesk.tickets.clear()
        helpdesk, number = connect(), zendesk.write("Help", "Please")
        sent = [only(normalise(arrived(zendesk.webhook(number, "ticket.created")), helpdesk))]
        zendesk.change(number, later=60, status="open")
        sent.append(only(normalise(arrived(zendesk.webhook(number)), helpdesk)))
        # What we do afterwards doesn't make the customer's change a new fact.
        zendesk.change(number, 9001, later=60, status="pending")
        since = system_clock() - timedelta(hours=1)
        for account in (helpdesk, connect(user_id="")):
            listed, _ = await self.events(account, since)
            same = [event.business_key for event in listed] == [event.business_key for event in sent]
            assert same is (account is helpdesk)

    async def test_what_bellwire_did_itself_starts_nothing(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        zendesk.tickets.clear()
        number = zendesk.write("By a flow", "Made", 9001)
        zendesk.change(number, 9001, later=60, status="solved")
        deleted = zendesk.write("Spam", "Buy")
        zendesk.tickets[deleted]["status"] = "deleted"
        assert (await self.events(connect(), system_clock() - timedelta(hours=1)))[0] == []


@pytest.mark.proves("subscriptions")
class TestSubscriptions:
    async def mend(self, helpdesk: Connection) -> None:
        assert TRIGGERS.subscribing is not None
        came = await repair(TRIGGERS.subscribing, call(helpdesk), URL, TRIGGERS.topics)
        assert isinstance(helpdesk.credentials, Secrets)
        helpdesk.credentials.values.update(came)

    async def test_they_are_made_once_and_the_secret_that_comes_of_it_verifies(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        client = {k: v for k, v in zendesk.credentials.items() if k != "webhook_secret"}
        helpdesk = connect(credentials=client)
        await self.mend(helpdesk)
        await self.mend(helpdesk)
        (made,) = zendesk.webhooks.values()
        assert (made["endpoint"], made["subscriptions"]) == (URL, list(TRIGGERS.topics))
        sent = arrived(zendesk.webhook(zendesk.write("Help", "Please"), secret=made["secret"]))
        assert helpdesk.webhook is not None
        helpdesk.webhook.verify(sent, helpdesk.secrets, sent.received_at)

    async def test_one_that_was_turned_off_is_made_anew_and_others_are_left_alone(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        zendesk.page_size = 1
        helpdesk = connect()
        trigger: dict[str, Any] = {"id": "02", "endpoint": URL, "subscriptions": ["conditional_ticket_events"]}
        zendesk.webhooks["02"] = {**trigger, "status": "inactive", "secret": "x"}
        other = {"id": "01", "endpoint": "https://else.example", "subscriptions": list(TRIGGERS.topics)}
        zendesk.webhooks["01"] = {**other, "status": "inactive", "secret": "x"}
        await self.mend(helpdesk)
        made = next(each for each in zendesk.webhooks.values() if each["id"] not in ("01", "02"))
        made["status"] = "inactive"
        await self.mend(helpdesk)
        ours = [w for w in zendesk.webhooks.values() if w["endpoint"] == URL and w["id"] != "02"]
        assert [w["status"] for w in ours] == ["active"] and {"01", "02"} <= zendesk.webhooks.keys()

    async def test_a_topic_that_is_missing_is_added_and_both_secrets_are_kept(
        self, connect: Connect, zendesk: ZendeskSimulator
    ) -> None:
        helpdesk = connect()
        await self.mend(helpdesk)
        first = next(iter(zendesk.webhooks.values()))
        first["subscriptions"] = list(TRIGGERS.topics[:2])
        await self.mend(helpdesk)
        assert helpdesk.secrets == [w["secret"] for w in zendesk.webhooks.values()]
        assert TRIGGERS.subscribing is not None
        found = await TRIGGERS.subscribing.listing(call(helpdesk))
        assert standing(found, URL, TRIGGERS.topics).well

    async def test_one_whose_secret_is_not_here_is_made_anew(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        """Its making was told, but not what it signs with."""
        await self.mend(connect())
        helpdesk = connect()
        await self.mend(helpdesk)
        assert helpdesk.secrets == [each["secret"] for each in zendesk.webhooks.values()]

    async def test_what_is_gone_already_is_no_error(self, connect: Connect, zendesk: ZendeskSimulator) -> None:
        helpdesk = connect()
        await self.mend(helpdesk)
        assert TRIGGERS.subscribing is not None
        (found,) = await TRIGGERS.subscribing.listing(call(helpdesk))
        for _ in range(2):
            await TRIGGERS.subscribing.remove(call(helpdesk), found)
        assert not zendesk.webhooks
