"""Google's own client library drives the practice server."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bellwire.connectors.google_calendar.api import event_id
from bellwire.practice import Practice
from bellwire.practice.google_calendar import GoogleCalendar

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google.oauth2 import credentials, service_account
    from googleapiclient.discovery import build
    from googleapiclient.errors import HttpError

pytestmark = pytest.mark.proves("sdk")

OWNER = "owner@tea.example"
EVENT = {
    "id": event_id("order-1001"),
    "summary": "Visit",
    "start": {"dateTime": "2026-11-30T10:00:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-11-30T11:00:00", "timeZone": "Europe/Zurich"},
}


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["google_calendar"]) as running:
        yield running


def library(practice: Practice, signed_in: Any = None) -> Any:
    endpoint = f"{practice.base_url('google_calendar')}/calendar/v3/"
    known = signed_in or credentials.Credentials("practice-access-token")  # type: ignore[no-untyped-call]
    return build("calendar", "v3", credentials=known, client_options={"api_endpoint": endpoint}, static_discovery=True)


async def test_the_library_keeps_a_calendar(practice: Practice) -> None:
    def drive() -> None:
        google = library(practice)
        made = google.events().insert(calendarId=OWNER, body=EVENT).execute()
        assert made["id"] == EVENT["id"]
        with pytest.raises(HttpError) as caught:
            google.events().insert(calendarId=OWNER, body=EVENT).execute()
        assert caught.value.status_code == 409
        first = google.events().list(calendarId=OWNER).execute()
        asked = {"timeMin": "2026-11-30T00:00:00Z", "timeMax": "2026-12-01T00:00:00Z", "items": [{"id": OWNER}]}
        (busy,) = google.freebusy().query(body=asked).execute()["calendars"][OWNER]["busy"]
        assert busy == {"start": "2026-11-30T09:00:00Z", "end": "2026-11-30T10:00:00Z"}
        google.events().patch(calendarId=OWNER, eventId=made["id"], body={"summary": "Second visit"}).execute()
        google.events().delete(calendarId=OWNER, eventId=made["id"]).execute()
        changed = google.events().list(calendarId=OWNER, syncToken=first["nextSyncToken"]).execute()
        assert [(each["id"], each["status"]) for each in changed["items"]] == [(made["id"], "cancelled")]

    await asyncio.to_thread(drive)


async def test_the_library_pages_and_watches(practice: Practice) -> None:
    simulator = practice.simulators["google_calendar"]
    assert isinstance(simulator, GoogleCalendar)

    def drive() -> None:
        google = library(practice)
        for number in range(3):
            google.events().insert(calendarId=OWNER, body={**EVENT, "id": f"abcd{number}"}).execute()
        simulator.page_size, found = 2, []
        request = google.events().list(calendarId=OWNER)
        while request is not None:
            page = request.execute()
            found += [each["id"] for each in page["items"]]
            request = google.events().list_next(request, page)
        assert found == ["abcd0", "abcd1", "abcd2"]
        asked = {"id": "c1", "type": "web_hook", "address": "https://bellwire.example/", "token": "t"}
        channel = google.events().watch(calendarId=OWNER, body=asked).execute()
        google.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()
        assert simulator.channels == {}

    await asyncio.to_thread(drive)


async def test_what_the_library_signs_for_a_service_account_is_accepted(practice: Practice) -> None:
    simulator, key = practice.simulators["google_calendar"], rsa.generate_private_key(65537, 2048)
    assert isinstance(simulator, GoogleCalendar)
    simulator.service_keys["bot@tea.example"] = key.public_key()
    simulator.expire()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = {"client_email": "bot@tea.example", "private_key": secret, "private_key_id": "k1", "type": "service_account"}
    told["token_uri"] = "https://oauth2.googleapis.com/token"
    scopes = ["https://www.googleapis.com/auth/calendar.events"]
    account: Any = service_account.Credentials.from_service_account_info(told, scopes=scopes)  # type: ignore[no-untyped-call]

    # The library's claims name the address that it would ask.
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    form = {"grant_type": grant, "assertion": account._make_authorization_grant_assertion().decode()}
    url = f"{practice.base_url('google_calendar')}/token"
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        token = (await answer.json())["access_token"]
    google = library(practice, credentials.Credentials(token))  # type: ignore[no-untyped-call]
    read = await asyncio.to_thread(google.events().list(calendarId=OWNER).execute)
    assert read["accessRole"] == "owner"
