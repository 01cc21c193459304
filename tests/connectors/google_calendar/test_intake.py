"""A ping, as it goes through the intake: nothing in its body, and its secret in a header."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwire.practice.google_calendar import GoogleCalendar
from tests.connecting import connection
from tests.intake.conftest import Intake, Letter, Sender

SECRET = GoogleCalendar.credentials["webhook_secret"]
PING = Letter(
    {
        "X-Goog-Channel-ID": "c1",
        "X-Goog-Channel-Token": SECRET,
        "X-Goog-Message-Number": "7",
        "X-Goog-Resource-State": "exists",
        "X-Goog-Resource-URI": "https://www.googleapis.com/calendar/v3/calendars/owner%40tea.example/events?alt=json",
    },
    b"",
)


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Intake]:
    known = GoogleCalendar.settings, GoogleCalendar.credentials
    visits = connection("google_calendar", name="visits", settings=known[0], credentials=known[1])
    async with Intake(tmp_path / "ledger.db", {"visits": Sender(visits)}).open() as opened:
        yield opened


@pytest.mark.proves("signatures")
async def test_a_ping_is_taken_in_once_and_its_token_isnt_kept(intake: Intake) -> None:
    answers = [await intake.send("visits", letter) for letter in (PING, PING, PING.but({"X-Goog-Message-Number": "9"}))]
    assert [(answer.status, answer.json["duplicate"]) for answer in answers] == [
        (200, False),
        (200, True),
        (200, False),
    ]
    headers, body = await intake.payload()
    assert (headers["x-goog-resource-state"], body) == ("exists", b"")
    assert SECRET not in str(headers)


@pytest.mark.proves("signatures")
async def test_a_ping_with_another_token_or_of_another_calendar_is_refused(intake: Intake) -> None:
    elsewhere = PING.headers["X-Goog-Resource-URI"].replace("owner", "else")
    refused = [
        PING.but({"X-Goog-Channel-Token": SECRET + "x"}),
        PING.but(without="X-Goog-Channel-Token"),
        PING.but({"X-Goog-Resource-URI": elsewhere}),
    ]
    assert [(await intake.send("visits", letter)).error for letter in refused] == [
        "signature", "signature-missing", "other-account",
    ]  # fmt: skip
    assert await intake.stored() == []
