"""The app's sign-in: what it may do, where it is, and how its token is renewed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bellwire.connectors.kit import Account, Call
from bellwire.connectors.paypal import CONNECTOR
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice.paypal import PayPalSimulator
from tests.connectors.paypal.conftest import Calling, kept

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPES = CONNECTOR.manifest.scopes
TOKEN = "/v1/oauth2/token"


async def sign_in(call: Call) -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(call)


def tokens(paypal: PayPalSimulator) -> int:
    return sum(request.path == TOKEN for request in paypal.received)


@pytest.mark.proves("access")
async def test_what_the_app_may_do_is_told(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.scopes |= {"https://uri.paypal.com/payments/payouts"}
    account = await sign_in(calling())
    assert set(account.scopes or ()) - set(SCOPES) == {"https://uri.paypal.com/payments/payouts"}
    assert set(SCOPES) <= set(account.scopes or ())


@pytest.mark.proves("access")
async def test_a_right_that_is_missing_is_told(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.scopes = {scope for scope in paypal.scopes if not scope.endswith("/refund")}
    assert set(SCOPES) - set((await sign_in(calling())).scopes or ()) == {SCOPES[1]}


@pytest.mark.proves("environments")
async def test_the_links_of_its_webhooks_say_whether_it_is_of_the_sandbox(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    assert (await sign_in(calling())).environment is None
    for host, environment in (("api-m.sandbox", Environment.SANDBOX), ("api-m", Environment.PRODUCTION)):
        own = {"href": f"https://{host}.paypal.com/v1/notifications/webhooks/1", "rel": "self", "method": "GET"}
        paypal.webhooks = {"1": {"id": "1", "url": "https://x.example/", "event_types": [], "links": [own]}}
        assert (await sign_in(calling())).environment is environment


@pytest.mark.proves("environments", "errors")
async def test_an_app_of_the_other_environment_is_signed_out(calling: Calling) -> None:
    """PayPal takes a client in one of the two only."""
    with pytest.raises(SignedOut):
        await sign_in(calling(credentials={"client_id": "an app of the other one"}))


@pytest.mark.proves("access")
async def test_many_callers_share_one_token_and_it_is_renewed_ahead_of_its_end(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    call = calling()
    await asyncio.gather(*(sign_in(call) for _ in range(5)))
    assert tokens(paypal) == 1 and kept(call).stored == 1
    soon = datetime.now(UTC) + timedelta(minutes=4)
    # The connection's own clock stands at the time of the tests.
    kept(call).values["access_token_expires_at"] = (soon - timedelta(days=365)).isoformat()
    await asyncio.gather(*(sign_in(call) for _ in range(5)))
    assert tokens(paypal) == 2


@pytest.mark.proves("access")
async def test_a_token_that_paypal_has_ended_is_renewed_once(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling()
    await sign_in(call)
    paypal.expire()
    await sign_in(call)
    assert tokens(paypal) == 2
