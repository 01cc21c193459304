"""Whose account it is, what the sign-in may do, and how it is renewed."""

import asyncio
from datetime import timedelta

import pytest

from bellwire.connectors.hubspot import CONNECTOR
from bellwire.connectors.hubspot.signing_in import sign_in
from bellwire.connectors.kit import OAuth2
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice.hubspot import HubSpot
from tests.connecting import Secrets, call
from tests.connectors.hubspot.conftest import Connect
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.proves("environments", "sign-in")
@pytest.mark.parametrize(
    ("kind", "environment"),
    [
        ("STANDARD", Environment.PRODUCTION),
        ("SANDBOX", Environment.SANDBOX),
        ("DEVELOPER_TEST", Environment.SANDBOX),
    ],
)
async def test_the_account_tells_which_kind_it_is(
    connect: Connect, portal: HubSpot, kind: str, environment: Environment
) -> None:
    portal.account_type = kind
    account = await sign_in(call(connect()))
    portal.account_type = "DEVELOPER_TEST"
    assert (account.name, account.environment) == ("HubSpot account 62515", environment)
    assert account.warnings == ()


@pytest.mark.proves("environments")
async def test_the_account_of_another_is_refused_and_another_currency_warned_of(connect: Connect) -> None:
    with pytest.raises(SignedOut, match="for HubSpot account 62515, but the settings are for 1"):
        await sign_in(call(connect(portal_id="1")))
    (warning,) = (await sign_in(call(connect(currency="EUR")))).warnings
    assert "currency is USD" in warning


@pytest.mark.proves("access")
@pytest.mark.parametrize("credentials", [None, {"access_token": "practice-access-token"}])
async def test_what_an_app_or_a_key_may_do_is_told(
    connect: Connect, portal: HubSpot, credentials: dict[str, str] | None
) -> None:
    portal.scopes.append("tickets")
    account = await sign_in(call(connect(credentials=credentials)))
    portal.scopes.remove("tickets")
    assert set(account.scopes or ()) == {*CONNECTOR.manifest.scopes, "tickets"}


@pytest.mark.proves("access")
async def test_a_token_is_renewed_ahead_of_its_end_once_and_its_successor_kept(
    connect: Connect, portal: HubSpot
) -> None:
    ends = (NOW + timedelta(minutes=4)).isoformat()
    crm = connect(credentials={**portal.credentials, "access_token_expires_at": ends})
    portal.refresh = {"practice-refresh-token"}
    await asyncio.gather(*(sign_in(call(crm)) for _ in range(5)))
    assert sum(request.path.endswith("/token") for request in portal.received) == 1
    secrets = crm.credentials
    assert isinstance(secrets, Secrets) and secrets.stored == 1
    assert {secrets.get("refresh_token")} == portal.refresh


@pytest.mark.proves("access")
async def test_a_consent_in_the_browser_gives_the_first_tokens(connect: Connect, portal: HubSpot) -> None:
    auth = CONNECTOR.manifest.auth
    assert isinstance(auth, OAuth2) and auth.consent is not None
    assert auth.consent.url == "https://app.hubspot.com/oauth/authorize" and auth.consent.pkce
    crm = connect(credentials={"client_id": "practice-client", "client_secret": "practice-client-secret"})
    await crm.api.sign_in.redeem("practice-code", "http://localhost:8787/back", "verifier")
    assert (await sign_in(call(crm))).name == "HubSpot account 62515"
    with pytest.raises(SignedOut):
        await crm.api.sign_in.redeem("guess", "http://localhost:8787/back", "verifier")
