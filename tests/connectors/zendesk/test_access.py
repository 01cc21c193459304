"""Signing in: as whom, with what permissions, and what `bellwire check` warns of."""

import asyncio

import pytest

from bellwire.connectors.kit import Account, Connection
from bellwire.connectors.zendesk import CONNECTOR
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice.zendesk import ZendeskSimulator
from tests.connecting import Secrets, call
from tests.connectors.zendesk.conftest import Connect

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("access")]
LEGACY = {"api_user": "kim@hill-tea.example/token", "api_token": "practice-token"}


async def sign_in(helpdesk: Connection) -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(call(helpdesk))


async def test_signing_in_shows_the_account_and_what_the_client_may_do(connect: Connect) -> None:
    account = await sign_in(connect(environment=Environment.PRODUCTION))
    assert (account.name, account.detail, account.warnings) == ("hill-tea", "Bellwire, admin, user 9001", ())
    assert account.scopes == CONNECTOR.manifest.scopes


async def test_other_scopes_than_asked_for_are_told(connect: Connect, zendesk: ZendeskSimulator) -> None:
    zendesk.scopes = "read write"
    assert (await sign_in(connect())).scopes == ("read", "write")


async def test_one_token_serves_all_that_come_at_once_and_is_bought_anew_ahead_of_its_end(
    connect: Connect, zendesk: ZendeskSimulator
) -> None:
    helpdesk = connect()
    secrets = helpdesk.credentials
    assert isinstance(secrets, Secrets)
    await asyncio.gather(*(helpdesk.api.get("users/me") for _ in range(8)))
    assert secrets.stored == 1
    secrets.values["access_token_expires_at"] = "2026-11-24T09:34:00+00:00"  # four minutes from now
    await helpdesk.api.get("users/me")
    assert secrets.stored == 2
    asked = [request for request in zendesk.received if request.path == "/oauth/tokens"]
    assert len(asked) == 2 and "scope=tickets%3Aread+tickets%3Awrite" in asked[0].body


async def test_a_token_that_was_revoked_is_bought_anew(connect: Connect, zendesk: ZendeskSimulator) -> None:
    helpdesk = connect()
    await helpdesk.api.get("users/me")
    zendesk.tokens.clear()
    assert (await helpdesk.api.get("users/me")).ok


async def test_an_api_token_still_signs_in_and_its_end_is_told(connect: Connect) -> None:
    account = await sign_in(connect(credentials=LEGACY, environment=Environment.PRODUCTION))
    assert account.scopes is None
    (warning,) = account.warnings
    assert "API token" in warning and "30 April 2027" in warning


async def test_an_oauth_client_goes_before_an_api_token(connect: Connect) -> None:
    both = {**ZendeskSimulator.credentials, **LEGACY}
    assert (await sign_in(connect(credentials=both))).scopes is not None


async def test_an_api_token_that_is_not_accepted_is_signed_out(connect: Connect) -> None:
    with pytest.raises(SignedOut):
        await sign_in(connect(credentials={**LEGACY, "api_token": "old"}))


async def test_what_would_go_wrong_later_is_warned_of(connect: Connect, zendesk: ZendeskSimulator) -> None:
    zendesk.role = "agent"
    role, user = (await sign_in(connect(user_id="", environment=Environment.PRODUCTION))).warnings
    assert "no admin" in role and 'user_id = "9001"' in user
    zendesk.role = "admin"
    (other,) = (await sign_in(connect(user_id="7", environment=Environment.PRODUCTION))).warnings
    assert "says 7" in other
    (sandbox,) = (await sign_in(connect())).warnings
    assert "hill-tea is a sandbox" in sandbox


@pytest.mark.proves("version")
async def test_the_version_is_on_every_call_and_its_end_is_noticed(connect: Connect, zendesk: ZendeskSimulator) -> None:
    helpdesk = connect()
    await sign_in(helpdesk)
    assert {request.path[:8] for request in zendesk.received} == {"/api/v2/", "/oauth/t"}
    assert helpdesk.api.notices == {}
    zendesk.announced["Sunset"] = "Sun, 31 Jan 2027 00:00:00 GMT"
    await sign_in(helpdesk)
    assert helpdesk.api.notices == {"Sunset": "Sun, 31 Jan 2027 00:00:00 GMT"}
