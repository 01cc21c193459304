"""Signing in: a person's consent, and a service account that signs for itself."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bellwire.connectors.google_calendar.actions import sign_in
from bellwire.connectors.google_calendar.manifest import MANIFEST
from bellwire.connectors.kit import OAuth2
from bellwire.errors import SignedOut
from bellwire.practice.google_calendar import GoogleCalendar
from tests.connecting import Secrets, call
from tests.connectors.google_calendar.conftest import Connect
from tests.samples import NOW

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("access", "sign-in")]

EMAIL = "bellwire@tea.iam.gserviceaccount.com"
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def tokens(google: GoogleCalendar) -> list[dict[str, list[str]]]:
    """What the token endpoint was asked."""
    return [parse_qs(each.body) for each in google.received if each.path == "/token"]


async def test_a_persons_token_is_renewed_ahead_of_its_end_once_for_all(
    connect: Connect, google: GoogleCalendar
) -> None:
    ends = (NOW + timedelta(minutes=1)).isoformat()
    visits = connect(credentials={**google.credentials, "access_token_expires_at": ends})
    await asyncio.gather(*(sign_in(call(visits)) for _ in range(5)))
    assert [asked["grant_type"] for asked in tokens(google)] == [["refresh_token"]]
    assert isinstance(visits.credentials, Secrets)
    assert visits.credentials.values["refresh_token"] == google.credentials["refresh_token"]


async def test_a_service_account_signs_for_itself(connect: Connect, google: GoogleCalendar) -> None:
    google.service_keys[EMAIL] = KEY.public_key()
    visits = connect(credentials={"service_email": EMAIL, "private_key": PEM.replace("\n", "\\n")})
    assert (await sign_in(call(visits))).name == "Hill Tea, visits"
    google.expire()
    await sign_in(call(visits))
    assert [asked["grant_type"] for asked in tokens(google)] == [["urn:ietf:params:oauth:grant-type:jwt-bearer"]] * 2


async def test_a_service_account_that_google_does_not_know_is_signed_out(
    connect: Connect, google: GoogleCalendar
) -> None:
    google.service_keys[EMAIL] = rsa.generate_private_key(65537, 2048).public_key()
    with pytest.raises(SignedOut):
        await sign_in(call(connect(credentials={"service_email": EMAIL, "private_key": PEM})))


async def test_consent_asks_for_a_refresh_token_each_time() -> None:
    assert isinstance(MANIFEST.auth, OAuth2) and MANIFEST.auth.consent is not None
    assert MANIFEST.auth.consent.params == {"access_type": "offline", "prompt": "consent"}
    assert MANIFEST.auth.consent.pkce


@pytest.mark.proves("version")
async def test_the_end_of_the_version_would_be_told(connect: Connect, google: GoogleCalendar) -> None:
    google.announced["Sunset"] = "Wed, 30 Jun 2027 00:00:00 GMT"
    visits = connect()
    await sign_in(call(visits))
    assert visits.api.notices == google.announced
    assert all(each.path.startswith("/calendar/v3/") for each in google.received if each.path != "/tokeninfo")
