"""The actions against a practice account, and signing in."""

import asyncio
from typing import Any

import orjson
import pytest

from bellwire.capabilities.booking import CancelBooking, CreateBookingLink, FoundBooking, ReadBooking
from bellwire.connectors.calendly import CONNECTOR
from bellwire.connectors.calendly.faults import explain
from bellwire.connectors.kit import Account, Answer, Connection, OAuth2
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.calendly import CalendlySimulator
from tests import faults
from tests.connecting import Secrets, call
from tests.connectors.calendly.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")
APP = {
    "client_id": "app",
    "client_secret": "secret",
    "refresh_token": "practice-refresh-1",
    "webhook_secret": "app-key",
}


async def do(diary: Connection, name: str, given: Any, **changes: Any) -> Any:
    return await CONNECTOR.actions[f"booking.{name}"](call(diary, **changes), given)


async def read(diary: Connection, booking: str) -> FoundBooking:
    found = await do(diary, "read_booking", ReadBooking(booking_id=booking))
    assert isinstance(found, FoundBooking)
    return found


async def cancel(diary: Connection, booking: str, reason: str = "We are ill.") -> None:
    assert (await do(diary, "cancel_booking", CancelBooking(booking_id=booking, reason=reason))).id == booking


async def test_a_booking_is_read_with_what_the_customer_filled_in(
    connect: Connect, calendly: CalendlySimulator
) -> None:
    booked = calendly.book()
    found = await read(connect(), booked)
    made = found.booking
    assert (made.id, made.service, made.zone, found.cancelled) == (booked, "Boiler service", "America/Chicago", False)
    assert (made.customer.name, made.customer.phone) == ("Robin Hill", "+15125550123")
    assert [(each.question, each.answer) for each in made.answers] == [("Where?", "1 Main St, Austin")]
    assert (made.staff, made.location) == (("kim@example.com",), "At yours")
    assert (made.end - made.start).total_seconds() == 3600 and made.change_url and made.cancel_url


async def test_both_ends_of_a_move_name_each_other(connect: Connect, calendly: CalendlySimulator) -> None:
    old = calendly.book()
    new = calendly.move(old)
    before, after = await read(connect(), old), await read(connect(), new)
    assert (before.cancelled, before.booking.replaced_by, after.booking.replaces) == (True, new, old)


async def test_calling_off_tells_the_customer_why_and_is_done_once(
    connect: Connect, calendly: CalendlySimulator
) -> None:
    booked, diary = calendly.book(), connect()
    for _ in range(2):
        await cancel(diary, booked)
    found = await read(diary, booked)
    assert (found.cancelled, found.booking.reason) == (True, "We are ill.")
    assert sum(request.method == "POST" for request in calendly.received) == 1


async def test_what_others_have_booked_too_is_not_called_off_for_them(
    connect: Connect, calendly: CalendlySimulator
) -> None:
    first = calendly.book("COURSE")
    calendly.book(into=first.partition("/")[0])
    with pytest.raises(Refused, match="1 others have booked") as refused:
        await cancel(connect(), first)
    assert refused.value.cause == "group-booking" and "cancel_url" in refused.value.remedy
    assert (await read(connect(), first)).cancelled is False


async def test_an_answer_that_was_lost_is_looked_for(connect: Connect, calendly: CalendlySimulator) -> None:
    booked, diary = calendly.book(), connect()
    calendly.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST"))
    with pytest.raises(OutcomeUnknown):
        await cancel(diary, booked)
    await do(diary, "cancel_booking", CancelBooking(booking_id=booked), again=True)
    assert sum(request.method == "POST" for request in calendly.received) == 1


@pytest.mark.proves("paging")
@pytest.mark.parametrize("service", ["Tea course", "tea-course", "COURSE"])
async def test_a_link_is_for_one_booking_of_what_is_named(
    connect: Connect, calendly: CalendlySimulator, service: str
) -> None:
    calendly.page_size = 1
    made = await do(connect(), "create_booking_link", CreateBookingLink(service=service))
    (link,) = calendly.links
    assert (made.url, link["owner"][-6:]) == (link["booking_url"], "COURSE")


async def test_a_service_that_is_not_there_is_said_with_those_that_are(connect: Connect) -> None:
    with pytest.raises(Refused, match="no event type called 'Sauna'") as refused:
        await do(connect(), "create_booking_link", CreateBookingLink(service="Sauna"))
    assert "Boiler service, First visit, Tea course" in refused.value.remedy


# Errors


@pytest.mark.proves("errors")
@faults.each_of_a_write
async def test_each_fault_has_its_error(
    connect: Connect, calendly: CalendlySimulator, kind: FaultKind, error: type[VendorError]
) -> None:
    calendly.faults.add(Fault(kind=kind, seconds=0, match="POST"))
    with pytest.raises(error):
        await cancel(connect(), calendly.book())


@pytest.mark.proves("errors")
async def test_a_pause_lasts_as_long_as_calendly_says(connect: Connect, calendly: CalendlySimulator) -> None:
    calendly.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=90, match="POST"))
    with pytest.raises(Transient) as refused:
        await cancel(connect(), calendly.book())
    assert refused.value.retry_after is not None and refused.value.retry_after.total_seconds() == 90


@pytest.mark.proves("errors")
@pytest.mark.parametrize("booking", ["EVT1/INV1", "EVT1", "../users/me", ""])
async def test_a_booking_that_is_not_there_is_said(connect: Connect, booking: str) -> None:
    with pytest.raises(Refused) as refused:
        await do(connect(), "read_booking", ReadBooking.model_construct(booking_id=booking))
    assert refused.value.cause == "unknown-booking" and refused.value.remedy


@pytest.mark.proves("errors", "access")
async def test_a_missing_scope_or_role_is_said(connect: Connect, calendly: CalendlySimulator) -> None:
    calendly.scopes = "users:read"
    with pytest.raises(Refused, match="lacks the scope scheduled_events:read"):
        await read(connect(), calendly.book())
    calendly.scopes, calendly.admin = CalendlySimulator().scopes, False
    link = CreateBookingLink(service="First visit")
    with pytest.raises(Refused, match="whole organization") as refused:
        await do(connect(), "create_booking_link", link)
    assert "`whose`" in refused.value.remedy
    assert (await do(connect(whose="user"), "create_booking_link", link)).url


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"title": "Invalid Argument", "message": "Invalid.", "details": [{"parameter": "url", "message": "bad"}]},
            "Calendly refused it: Invalid. url bad",
        ),
        ("<html>", "Calendly refused it: <html>"),
    ],
)
async def test_a_refusal_is_said_in_calendlys_words(body: Any, sentence: str) -> None:
    found = explain(Answer(400, {}, body.encode() if isinstance(body, str) else orjson.dumps(body), "POST", "x"))
    assert isinstance(found, Refused) and found.sentence == sentence


# Signing in


async def sign_in(diary: Connection) -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(call(diary))


@pytest.mark.proves("access")
class TestAccess:
    async def test_a_personal_token_shows_whose_it_is_and_says_nothing_of_scopes(self, connect: Connect) -> None:
        account = await sign_in(connect())
        assert (account.name, account.scopes) == ("Kim Plumber", None)
        assert account.detail == "kim@example.com, https://calendly.com/kim-plumber"

    async def test_an_apps_token_says_what_it_is_good_for(self, connect: Connect, calendly: CalendlySimulator) -> None:
        calendly.scopes = "users:read webhooks:read"
        assert (await sign_in(connect(credentials=APP))).scopes == ("users:read", "webhooks:read")

    async def test_a_refresh_token_is_used_once_by_one_for_all_and_the_next_is_kept(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        diary = connect(credentials=APP)
        secrets = diary.credentials
        assert isinstance(secrets, Secrets)
        await asyncio.gather(*(diary.api.get("users/me") for _ in range(8)))
        assert (secrets.stored, secrets.values["refresh_token"]) == (1, calendly.refresh_token)
        secrets.values["access_token_expires_at"] = "2026-11-24T09:34:00+00:00"  # four minutes from now
        await diary.api.get("users/me")
        assert (secrets.stored, secrets.values["refresh_token"]) == (2, calendly.refresh_token)

    async def test_a_refresh_token_that_was_used_up_is_signed_out(
        self, connect: Connect, calendly: CalendlySimulator
    ) -> None:
        calendly.refresh_token = "used-up"
        with pytest.raises(SignedOut):
            await sign_in(connect(credentials=APP))

    async def test_consent_is_asked_for_in_the_browser_with_pkce(self) -> None:
        auth = CONNECTOR.manifest.auth
        assert isinstance(auth, OAuth2) and auth.consent is not None
        assert auth.consent.url == "https://auth.calendly.com/oauth/authorize" and auth.consent.pkce
