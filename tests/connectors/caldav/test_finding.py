"""The way from an address to a calendar, and that the password stays with its provider."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from bellwire.capabilities.calendar import PutAppointment
from bellwire.connectors.caldav import CONNECTOR
from bellwire.connectors.caldav.errors import explain
from bellwire.connectors.caldav.finding import Calendar, akin, ask, choose
from bellwire.connectors.caldav.manifest import CalDavSettings
from bellwire.connectors.caldav.objects import uid_of
from bellwire.connectors.caldav.xml import parse, read
from bellwire.connectors.kit import Answer, Call
from bellwire.errors import Refused, Transient
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.caldav import CalDavSimulator, Kept
from tests import faults
from tests.connecting import call, connection
from tests.connectors.caldav.conftest import vevent
from tests.samples import NOW

Calling = Callable[..., Call]
PUT = CONNECTOR.actions["calendar.put_appointment"]
VISIT = PutAppointment(reference="7", title="Visit", start=NOW, end=NOW.replace(hour=11))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[tuple[CalDavSimulator, Calling]]:
    async with Practice(["caldav"]) as practice:
        simulator, made = practice.simulators["caldav"], []
        assert isinstance(simulator, CalDavSimulator)

        def calling(**settings: Any) -> Call:
            made.append(connection("caldav", practice, settings={**CalDavSimulator.settings, **settings}))
            return call(made[-1])

        yield simulator, calling
        for each in made:
            await each.api.close()


@pytest.mark.parametrize("path", ["", "/", "/practice/", "/practice/nowhere/"])
async def test_it_is_found_from_wherever_one_begins(server: tuple[CalDavSimulator, Calling], path: str) -> None:
    simulator, calling = server
    at = calling(url=f"http://127.0.0.1{path}", calendar="Jobs")
    await PUT(at, VISIT)
    assert len(simulator.calendars["jobs"].objects) == 1
    asked = len(simulator.received)
    await PUT(at, VISIT)
    assert len(simulator.received) == asked + 1, "where it is needn't be asked again"


@pytest.mark.proves("access")
async def test_a_calendar_that_may_only_be_read_is_told(server: tuple[CalDavSimulator, Calling]) -> None:
    simulator, calling = server
    simulator.calendars["jobs"].writable = False
    assert CONNECTOR.sign_in is not None
    account = await CONNECTOR.sign_in(calling())
    assert account.scopes == ("read",)
    assert account.warnings == ("The calendar 'Jobs' may only be read by this account.",)
    with pytest.raises(Refused, match="may not do this") as caught:
        await PUT(calling(), VISIT)
    assert "shared" in caught.value.remedy


async def test_without_a_name_the_only_one_is_taken_and_of_several_none(
    server: tuple[CalDavSimulator, Calling],
) -> None:
    simulator, calling = server
    await PUT(calling(calendar=""), VISIT)
    simulator.calendars["other"] = Kept("Other")
    with pytest.raises(Refused, match="several calendars") as caught:
        await PUT(calling(calendar=""), VISIT)
    assert "'Jobs', 'Other'" in caught.value.remedy
    simulator.calendars.clear()
    with pytest.raises(Refused, match="no calendar yet"):
        await PUT(calling(calendar=""), VISIT)


def test_two_calendars_of_one_name_are_told_apart_by_their_address() -> None:
    found = [Calendar(f"https://x.example/{n}/", "Jobs", writable=True, tells_changes=True) for n in "ab"]
    with pytest.raises(Refused, match="Several calendars are called 'jobs'"):
        choose(found, "jobs")
    assert choose(found, "b") is found[1]


async def test_what_changes_between_reading_and_writing_is_read_again(
    server: tuple[CalDavSimulator, Calling],
) -> None:
    simulator, calling = server
    await PUT(calling(), VISIT)
    kept = simulator.calendars["jobs"]
    (name,) = kept.objects
    edits = iter(["COLOR:red\r\nEND:VEVENT"])

    def clock() -> Any:
        """It is asked just before writing."""
        for edit in edits:
            kept.objects[name] = kept.objects[name].replace("END:VEVENT", edit)
        return NOW

    at = calling()
    changed = VISIT.model_copy(update={"title": "Another"})
    await PUT(Call(at.connection, at.crosswalk, clock, at.key), changed)
    assert "COLOR:red" in kept.objects[name] and "SUMMARY:Another" in kept.objects[name]
    assert [r.status for r in simulator.received if r.method == "PUT"] == [201, 412, 204]


async def test_what_somebody_makes_between_looking_and_writing_is_kept(
    server: tuple[CalDavSimulator, Calling],
) -> None:
    simulator, calling = server
    kept, uid = simulator.calendars["jobs"], uid_of(VISIT.reference)

    def clock() -> Any:
        lines = ("COLOR:red", "DTSTART:20260701T080000Z", "DTEND:20260701T090000Z")
        kept.objects.setdefault(f"{uid}.ics", vevent(uid, *lines))
        return NOW

    at = calling()
    await PUT(Call(at.connection, at.crosswalk, clock, at.key), VISIT)
    (text,) = kept.objects.values()
    assert "COLOR:red" in text and "SUMMARY:Visit" in text


@pytest.mark.parametrize("url", ["https://elsewhere.example/", "http://other.localhost.example/"])
async def test_the_password_is_sent_nowhere_else(server: tuple[CalDavSimulator, Calling], url: str) -> None:
    simulator, calling = server
    at = calling()
    with pytest.raises(Refused, match="which isn't its own"):
        await ask(at, "PROPFIND", url, b"")
    at.connection.remembered["jobs"] = url
    with pytest.raises(Refused, match="which isn't its own"):
        await PUT(at, VISIT)
    assert not simulator.received


async def test_one_that_is_always_changed_by_others_is_left_for_later(
    server: tuple[CalDavSimulator, Calling],
) -> None:
    simulator, calling = server
    await PUT(calling(), VISIT)
    kept = simulator.calendars["jobs"]
    (name,) = kept.objects

    def clock() -> Any:
        kept.objects[name] = kept.objects[name].replace("END:VEVENT", "COMMENT:x\r\nEND:VEVENT")
        return NOW

    at = calling()
    with pytest.raises(Transient, match="keep changing"):
        await PUT(Call(at.connection, at.crosswalk, clock, at.key), VISIT.model_copy(update={"title": "Another"}))


@pytest.mark.proves("errors")
@faults.each_of_a_write
async def test_a_write_that_fails_is_told_by_what_may_have_happened(
    server: tuple[CalDavSimulator, Calling], kind: FaultKind, error: type[Exception]
) -> None:
    simulator, calling = server
    simulator.faults.add(Fault(kind=kind, match="PUT", times=2))
    with pytest.raises(error):
        await PUT(calling(), VISIT)


def test_who_answers_but_is_no_calendar_server_is_told() -> None:
    for body in (b"<html>Closed for maintenance", b"{}", b'<error xmlns="DAV:"/>'):
        with pytest.raises(Transient, match="isn't what a calendar server says") as caught:
            read(Answer(200, {}, body, "PROPFIND", "/", writes=False), "https://x.example/")
        assert caught.value.remedy


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (403, '<error xmlns="DAV:"><valid-sync-token/></error>', "token-lost"),
        (
            409,
            '<D:error xmlns:D="DAV:"><C:no-uid-conflict xmlns:C="urn:ietf:params:xml:ns:caldav"/></D:error>',
            "uid-taken",
        ),
        (403, "Forbidden", "not-allowed"),
        (403, "<html>", "not-allowed"),
        (404, "", "missing"),
        (409, "", "conflict"),
        (412, "", "changed"),
        (507, "", "full"),
        (401, "", "signed-out"),
        (301, "", "moved"),
    ],
)
def test_each_refusal_has_its_cause_and_a_sentence(status: int, body: str, cause: str) -> None:
    error = explain(Answer(status, {"location": "/x"}, body.encode(), "PUT", "/a"))
    assert error is not None
    assert error.cause == cause and error.sentence.endswith(".")


def test_what_has_no_meaning_of_its_own_is_left_to_the_status() -> None:
    assert explain(Answer(207, {}, b"", "REPORT", "/a")) is None
    assert explain(Answer(415, {}, b"", "PUT", "/a")) is None


def test_xml_that_harms_who_reads_it_is_none() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><multistatus xmlns="DAV:">&b;</multistatus>'
    secret = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><multistatus xmlns="DAV:">&a;</multistatus>'
    for text in (laughs, secret, "<a", "", "\x00"):
        assert parse(text.encode()) is None
    assert parse(b'<multistatus xmlns="DAV:"/>') is not None


@pytest.mark.parametrize(
    ("home", "there", "same"),
    [
        ("caldav.icloud.com", "p07-caldav.icloud.com", True),
        ("cal.example.com", "cal.example.com", True),
        ("example.com", "dav.example.com", True),
        ("cal.example.co.uk", "dav.example.co.uk", True),
        ("example.com", "other.com", False),
        ("example.co.uk", "other.co.uk", False),
        ("cal.example.com", "example.com.evil.example", False),
        ("cal.example.com", "notexample.com", False),
        ("127.0.0.1", "10.0.0.1", False),
        ("localhost", "evil.localhost.example", False),
    ],
)
def test_the_password_goes_to_the_same_provider_only(home: str, there: str, same: bool) -> None:
    assert akin(home, there) is same


@pytest.mark.parametrize("url", ["http://cal.example.com/", "https://a:b@cal.example.com/", "cal.example.com"])
def test_settings_that_would_give_the_password_away(url: str) -> None:
    with pytest.raises(ValidationError):
        CalDavSettings(url=url)
