"""Signing in at Square: whose it is, what it may do, which environment, and which version answers."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from bellwire.connectors.kit import Account, Connection, OAuth2
from bellwire.connectors.square import CONNECTOR
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice import Fault, FaultKind
from bellwire.practice.square import SquareSimulator
from bellwire.practice.square.tokens import APPLICATION, CODE, REFRESH, SECRET
from tests.connecting import Secrets, call
from tests.connectors.square.conftest import Connect
from tests.openapi import described
from tests.samples import NOW, usd
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERSION = "2025-08-20"
CLIENT = {"client_id": APPLICATION, "client_secret": SECRET}


async def sign_in(till: Connection) -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(call(till))


async def test_signing_in_shows_the_seller_and_its_locations(seller: SquareSimulator, till: Connection) -> None:
    account = await sign_in(till)
    assert (account.name, account.warnings) == ("Practice Tea Ltd", ())
    assert account.detail == "Locations: Practice shop (LPRACTICE); merchant MPRACTICE"


async def test_signing_in_warns_of_a_location_that_isnt_there(seller: SquareSimulator, connect: Connect) -> None:
    account = await sign_in(connect(location_id="LOTHER"))
    assert account.warnings == ("This account has no location 'LOTHER'. It has: Practice shop (LPRACTICE).",)


async def test_signing_in_warns_of_another_merchant(seller: SquareSimulator, connect: Connect) -> None:
    (warning,) = (await sign_in(connect(merchant_id="MOTHER"))).warnings
    assert "of the merchant MPRACTICE, but `merchant_id` says MOTHER" in warning
    assert (await sign_in(connect(merchant_id="MPRACTICE"))).warnings == ()


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("application", "environment"),
    [("sandbox-sq0idb-practice", Environment.SANDBOX), ("sq0idp-practice", Environment.PRODUCTION)],
)
async def test_the_application_tells_the_environment(
    seller: SquareSimulator, till: Connection, application: str, environment: Environment
) -> None:
    seller.tokens.application = application
    assert (await sign_in(till)).environment is environment


@pytest.mark.proves("access")
async def test_what_a_token_may_do_is_told(seller: SquareSimulator, till: Connection) -> None:
    assert set((await sign_in(till)).scopes or ()) == set(CONNECTOR.manifest.scopes)


@pytest.mark.proves("access")
async def test_an_access_token_alone_is_used_until_square_refuses_it(seller: SquareSimulator, till: Connection) -> None:
    await sign_in(till)
    seller.faults.add(Fault(kind=FaultKind.SIGNED_OUT))
    with pytest.raises(SignedOut):
        await sign_in(till)
    assert not [each for each in seller.received if each.path == "/oauth2/token"]


@pytest.mark.proves("access")
async def test_a_token_is_renewed_weeks_ahead_once_for_many_callers_and_stored(
    seller: SquareSimulator, connect: Connect
) -> None:
    ends = (NOW + timedelta(days=22)).isoformat()
    seller.tokens.sellers["EAAAold"] = "2999-01-01T00:00:00.000Z"
    till = connect(
        credentials={**CLIENT, "refresh_token": REFRESH, "access_token": "EAAAold", "access_token_expires_at": ends}
    )
    await asyncio.gather(*(till.api.get("locations") for _ in range(5)))
    kept = till.credentials
    assert isinstance(kept, Secrets)
    assert (kept.stored, kept.values["refresh_token"]) == (1, REFRESH)
    assert kept.values["access_token"] in seller.tokens.sellers and kept.values["access_token"] != "EAAAold"
    assert kept.values["access_token_expires_at"][:19] == seller.tokens.sellers[kept.values["access_token"]][:19]
    assert len([each for each in seller.received if each.path == "/oauth2/token"]) == 1


@pytest.mark.proves("access")
async def test_a_token_that_square_refuses_is_renewed_and_the_request_sent_again(
    seller: SquareSimulator, connect: Connect
) -> None:
    till = connect(credentials={**CLIENT, "refresh_token": REFRESH, "access_token": "EAAAgone"})
    assert (await sign_in(till)).name == "Practice Tea Ltd"
    gone = connect(credentials={**CLIENT, "refresh_token": "EQAAother", "access_token": "EAAAgone"})
    with pytest.raises(SignedOut):
        await sign_in(gone)


@pytest.mark.proves("access")
async def test_a_consent_in_the_browser_buys_the_first_tokens(seller: SquareSimulator, connect: Connect) -> None:
    auth = CONNECTOR.manifest.auth
    assert isinstance(auth, OAuth2) and auth.consent is not None
    assert (urlsplit(auth.consent.url).path, auth.consent.pkce) == ("/oauth2/authorize", False)
    till = connect(credentials=CLIENT)
    await till.api.sign_in.redeem(CODE, "http://127.0.0.1:8787/consent", "")
    assert till.credentials.get("refresh_token") == REFRESH
    assert (await sign_in(till)).name == "Practice Tea Ltd"


@pytest.mark.proves("access")
async def test_a_token_that_ends_soon_and_cant_be_renewed_is_warned_of(
    seller: SquareSimulator, connect: Connect
) -> None:
    seller.tokens.sellers["EAAAsoon"] = "2999-01-06T00:00:00.000Z"
    till = connect(credentials={"access_token": "EAAAsoon"})
    assert (await sign_in(till)).warnings == ()
    assert CONNECTOR.sign_in is not None
    account = await CONNECTOR.sign_in(replace(call(till), clock=lambda: datetime(2999, 1, 1, tzinfo=UTC)))
    assert account.warnings == (
        "The access token ends on 2999-01-06 and there is no refresh token: connect Square anew before.",
    )


@pytest.mark.proves("version")
async def test_the_version_is_on_every_call_and_another_one_in_the_answer_is_noticed(
    seller: SquareSimulator, till: Connection
) -> None:
    await sign_in(till)
    assert till.api.notices == {}
    seller.answers_with = "2026-08-19"
    await till.api.get("locations")
    assert till.api.notices == {"Square-Version": f"2026-08-19 was used instead of {VERSION}"}
    assert CONNECTOR.manifest.headers["Square-Version"] == CONNECTOR.manifest.api_version == VERSION


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_square_describes_them(seller: SquareSimulator, connect: Connect) -> None:
    till = connect(credentials=CLIENT)
    await till.api.sign_in.redeem(CODE, "http://127.0.0.1:8787/consent", "")
    till.credentials.store({"access_token": "EAAAgone"})
    await sign_in(till)
    assert seller.take(usd("1.00"))
    square = described("square")
    assert [problem for received in seller.received for problem in square.problems(received)] == []
    assert len([each for each in seller.received if each.path == "/oauth2/token"]) == 2
