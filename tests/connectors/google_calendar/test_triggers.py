"""What Google's pings, its list of changes and its channels become."""

from datetime import datetime, timedelta
from uuid import UUID

import orjson
import pytest

from bellwire.capabilities.calendar import CancelAppointment, PutAppointment
from bellwire.connectors.google_calendar import CONNECTOR
from bellwire.connectors.google_calendar.actions import cancel_appointment, put_appointment
from bellwire.connectors.google_calendar.channels import SUBSCRIBING, ChannelToken
from bellwire.connectors.google_calendar.triggers import TRIGGERS
from bellwire.connectors.kit import POLLED, BadSignature, Connection, Listed, Page, repair, standing
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import CalendarEntry, Delivery, Event
from bellwire.practice import Webhook
from bellwire.practice.google_calendar import Calendar, GoogleCalendar
from tests.connecting import Secrets, call
from tests.connectors.google_calendar.conftest import Connect
from tests.connectors.google_calendar.described import described
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

(POLL,) = TRIGGERS.polls
ADDRESS = "https://bellwire.example/hooks/visits"
TOPICS = TRIGGERS.topics
VISIT = PutAppointment(
    reference="order-1001", title="Visit", start=NOW + timedelta(days=1), end=NOW + timedelta(days=2)
)


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("visits", {name.lower(): value for name, value in webhook.headers.items()}, webhook.body, NOW)


def event_of(listed: Listed, visits: Connection) -> Event:
    (event,) = TRIGGERS.normalise(Delivery("visits", {POLLED: POLL.name}, listed.body, NOW), visits).events
    return event


def entry(event: Event) -> CalendarEntry:
    assert isinstance(event.data, CalendarEntry)
    return event.data


async def pages(visits: Connection, cursor: str = "", since: datetime = NOW - timedelta(days=1)) -> list[Page]:
    """All of one poll, as the engine asks for them."""
    found = [await POLL.page(call(visits), since, cursor)]
    while found[-1].next_cursor:
        found.append(await POLL.page(call(visits), since, found[-1].next_cursor))
    return found


async def events(visits: Connection, cursor: str = "", since: datetime = NOW - timedelta(days=1)) -> list[Event]:
    return [event_of(each, visits) for page in await pages(visits, cursor, since) for each in page.records]


async def resume(visits: Connection) -> str:
    return (await pages(visits))[-1].resume


# Deliveries


@pytest.mark.proves("signatures")
@pytest.mark.parametrize(("token", "well"), [("tok-8f2c", True), ("tok-8f2d", False), ("", False), (None, False)])
async def test_a_ping_has_the_token_of_its_channel(token: str | None, well: bool) -> None:
    headers = {} if token is None else {"x-goog-channel-token": token}
    delivery = Delivery("visits", headers, b"", NOW)
    if well:
        ChannelToken().verify(delivery, ["tok-8f2c"], NOW)
        ChannelToken().verify(delivery, ["tok-new", "tok-8f2c"], NOW)
    else:
        with pytest.raises(BadSignature):
            ChannelToken().verify(delivery, ["tok-8f2c"], NOW)


@pytest.mark.proves("signatures")
async def test_what_a_channel_sends_is_accepted_and_told_apart_from_the_next(
    connect: Connect, google: GoogleCalendar
) -> None:
    visits = connect()
    secrets = await repair(SUBSCRIBING, call(visits), ADDRESS, TOPICS)
    deliveries = [arrived(ping) for state in ("sync", "exists") for ping in google.pings(state)]
    for delivery in deliveries:
        ChannelToken().verify(delivery, [secrets["webhook_secret"]], NOW)
        assert TRIGGERS.belongs(delivery, visits) == ""
        assert TRIGGERS.normalise(delivery, visits).wake == (POLL.name,)
    assert len({ChannelToken().delivery_id(delivery) for delivery in deliveries}) == 2
    assert "from now on" in TRIGGERS.normalise(deliveries[0], visits).reason
    assert "another calendar" in TRIGGERS.belongs(deliveries[0], connect(calendar="else@tea.example"))
    assert TRIGGERS.belongs(deliveries[0], connect(calendar="primary")) == ""


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id":"a"}', b'{"id":"a","status":"confirmed","updated":"soon"}'])
async def test_an_event_that_cannot_be_read_is_kept(connect: Connect, body: bytes) -> None:
    with pytest.raises(CannotNormalise, match="isn't what Google describes"):
        event_of(Listed("x", body), connect())


# What changed


@pytest.mark.proves("reconcile")
async def test_what_a_flow_and_people_do_is_listed(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect()
    made = await put_appointment(call(visits), VISIT)
    google.add("Dentist", NOW + timedelta(hours=3), NOW + timedelta(hours=4))
    ours, theirs = await events(visits)
    assert (ours.type, ours.subject) == ("appointment.updated", f"appointment/{made.model_dump()['id']}")
    assert (entry(ours).reference, entry(theirs).reference) == ("order-1001", "")
    assert (entry(theirs).title, entry(theirs).start) == ("Dentist", NOW + timedelta(hours=3))
    assert theirs.version == entry(theirs).updated_at


@pytest.mark.proves("reconcile")
async def test_from_then_on_only_changes_are_listed_each_once(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect()
    dentist = google.add("Dentist", NOW, NOW + timedelta(hours=1))
    google.add("Baker", NOW, NOW + timedelta(hours=1))
    cursor = await resume(visits)
    assert await events(visits, cursor) == []
    google.change(dentist, summary="Dentist, again")
    (changed,) = await events(connect(), cursor)  # another process goes on
    assert entry(changed).title == "Dentist, again"
    assert [e.business_key for e in await events(visits, cursor)] == [changed.business_key]


@pytest.mark.proves("reconcile")
async def test_what_was_cancelled_is_listed_as_that(connect: Connect) -> None:
    visits = connect()
    await put_appointment(call(visits), VISIT)
    cursor = await resume(visits)
    await cancel_appointment(call(visits), CancelAppointment(reference="order-1001"))
    (cancelled,) = await events(visits, cursor)
    assert (entry(cancelled).cancelled, entry(cancelled).start) == (True, None)
    assert entry(cancelled).reference == "order-1001"
    assert [e.business_key for e in await events(visits)] == [cancelled.business_key], "also of one that begins anew"


async def test_of_what_was_deleted_the_id_is_enough(connect: Connect) -> None:
    event = event_of(Listed("x", b'{"id":"a1b2c","status":"cancelled"}'), connect())
    assert (event.business_key, entry(event).updated_at) == ("visits/appointment/a1b2c/cancelled", NOW)


async def test_a_whole_day_has_no_time(connect: Connect, google: GoogleCalendar, calendar: Calendar) -> None:
    day = google.add("Holiday", NOW, NOW + timedelta(hours=1))
    calendar.events[day] |= {"start": {"date": "2026-12-25"}, "end": {"date": "2026-12-26"}}
    (holiday,) = await events(connect())
    assert (entry(holiday).start, entry(holiday).title) == (None, "Holiday")


@pytest.mark.proves("paging", "reconcile")
@pytest.mark.parametrize("anew", [True, False])
async def test_lists_are_read_to_the_last_page_even_by_another_process(
    connect: Connect, google: GoogleCalendar, anew: bool
) -> None:
    google.page_size = 2
    google.add("Before", NOW, NOW + timedelta(hours=1))
    cursor = "" if anew else await resume(connect())
    known = [google.add(f"Visit {n}", NOW, NOW + timedelta(hours=1)) for n in range(5)]
    first = await POLL.page(call(connect()), NOW - timedelta(days=1), cursor)
    google.add("Meanwhile", NOW, NOW + timedelta(hours=1))
    rest = await pages(connect(), first.next_cursor)
    told = [event_of(each, connect()).subject for page in (first, *rest) for each in page.records]
    assert told[anew:] == [f"appointment/{each}" for each in known]
    assert [entry(e).title for e in await events(connect(), rest[-1].resume)] == ["Meanwhile"]


@pytest.mark.proves("reconcile")
async def test_a_token_that_google_forgot_begins_anew_from_the_time(
    connect: Connect, google: GoogleCalendar, calendar: Calendar
) -> None:
    visits = connect()
    old, new = (google.add(title, NOW, NOW + timedelta(hours=1)) for title in ("Old", "New"))
    calendar.events[old]["updated"] = "2026-11-01T00:00:00.000Z"
    cursor = await resume(visits)
    google.forget_sync_tokens()
    assert [e.subject for e in await events(visits, cursor)] == [f"appointment/{new}"]
    assert [request.status for request in google.received][-2:] == [410, 200]


@pytest.mark.proves("reconcile")
async def test_a_ping_and_the_hourly_poll_give_the_same_keys(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect()
    cursor = await resume(visits)
    google.add("Dentist", NOW, NOW + timedelta(hours=1))
    woken, hourly = await events(visits, cursor), await events(visits)
    assert {e.business_key for e in woken} == {e.business_key for e in hourly}


# Channels


@pytest.mark.proves("subscriptions")
async def test_a_channel_is_opened_once_and_anew_ahead_of_its_end(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect(credentials={"access_token": "practice-access-token"})
    account = call(visits)

    async def mend() -> dict[str, str]:
        made = dict(await repair(SUBSCRIBING, account, ADDRESS, TOPICS))
        visits.credentials.store(made)
        return made

    first = await mend()
    assert len(first["webhook_secret"]) >= 32
    assert await mend() == {}
    (channel,) = google.channels.values()
    assert (channel["address"], channel["token"]) == (ADDRESS, first["webhook_secret"])
    UUID(channel["id"])
    later = orjson.loads(first["channel"])
    later["expiration"] = str(int((NOW + timedelta(days=1)).timestamp() * 1000))
    visits.credentials.store({"channel": orjson.dumps(later).decode()})
    (told,) = standing(await SUBSCRIBING.listing(account), ADDRESS, TOPICS).broken
    assert told.trouble == "Google ends it at 2026-11-25 09:30 UTC."
    again = await mend()
    assert again["webhook_secret"] == first["webhook_secret"]
    (newer,) = google.channels.values()
    assert newer["id"] != channel["id"]


@pytest.mark.proves("subscriptions")
async def test_one_for_another_calendar_or_address_does_not_count(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect(credentials={"access_token": "practice-access-token"})
    visits.credentials.store(await repair(SUBSCRIBING, call(visits), ADDRESS, TOPICS))
    elsewhere = standing(await SUBSCRIBING.listing(call(visits)), "https://other.example/", TOPICS)
    assert (elsewhere.missing, elsewhere.broken) == (TOPICS, ())
    assert isinstance(visits.credentials, Secrets)
    moved = connect(credentials=visits.credentials.values, calendar="primary")
    assert "another calendar" in (await SUBSCRIBING.listing(call(moved)))[0].trouble
    await repair(SUBSCRIBING, call(moved), ADDRESS, TOPICS)
    (channel,) = google.channels.values()
    assert "primary" in channel["resourceUri"]


@pytest.mark.proves("subscriptions")
async def test_closing_one_that_is_closed_is_no_error(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect(credentials={"access_token": "practice-access-token"})
    visits.credentials.store(await repair(SUBSCRIBING, call(visits), ADDRESS, TOPICS))
    (ours,) = await SUBSCRIBING.listing(call(visits))
    await SUBSCRIBING.remove(call(visits), ours)
    await SUBSCRIBING.remove(call(visits), ours)
    assert google.channels == {}


async def test_an_address_without_https_is_refused(connect: Connect) -> None:
    with pytest.raises(Refused, match="https://"):
        await repair(SUBSCRIBING, call(connect()), "http://bellwire.example/", TOPICS)


@needs_shared
@pytest.mark.proves("spec")
async def test_lists_and_channels_are_as_google_describes_them(connect: Connect, google: GoogleCalendar) -> None:
    visits = connect()
    await put_appointment(call(visits), VISIT)
    await pages(visits, await resume(visits))
    visits.credentials.store(await repair(SUBSCRIBING, call(visits), ADDRESS, TOPICS))
    await SUBSCRIBING.remove(call(visits), (await SUBSCRIBING.listing(call(visits)))[0])
    assert len(google.received) == 5
    for each in google.received:
        assert described().problems(each) == []


async def test_nothing_is_sampled_as_a_ping_says_nothing() -> None:
    assert CONNECTOR.triggers is not None and CONNECTOR.triggers.sample is None
