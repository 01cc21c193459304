"""Whose key it is, and what it may do."""

import pytest

from bellwire.connectors.kit import Account
from bellwire.connectors.stripe import CONNECTOR
from bellwire.errors import SignedOut, Transient
from bellwire.events import Environment
from bellwire.practice import Fault, FaultKind
from bellwire.practice.stripe import StripeSimulator
from tests.connectors.stripe.conftest import Calling
from tests.connectors.stripe.described import problems
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPES = CONNECTOR.manifest.scopes


async def sign_in(calling: Calling, key: str = "rk_test_practice") -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(calling(connected={"credentials": {"access_token": key}}))


@pytest.mark.proves("access")
async def test_a_restricted_key_may_do_what_is_needed_and_need_not_read_the_account(calling: Calling) -> None:
    account = await sign_in(calling)
    assert (account.name, account.scopes, account.warnings) == ("Stripe account", SCOPES, ())


@pytest.mark.proves("access")
async def test_what_a_key_may_not_do_is_missing(calling: Calling, stripe: StripeSimulator) -> None:
    stripe.keys["rk_test_narrow"] = {"account", "refunds", "events"}
    account = await sign_in(calling, "rk_test_narrow")
    assert set(SCOPES) - set(account.scopes or ()) == {"Refunds: Write", "Events: Read"}


@pytest.mark.proves("access")
async def test_the_secret_key_may_do_too_much(calling: Calling, stripe: StripeSimulator) -> None:
    stripe.keys["sk_test_all"] = set()
    account = await sign_in(calling, "sk_test_all")
    assert account.name == "Practice Tea Ltd"
    assert set(account.scopes or ()) - set(SCOPES) == {"everything else"}
    assert "restricted key" in account.warnings[0]


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("rk_test_practice", Environment.SANDBOX),
        ("rk_live_shop", Environment.PRODUCTION),
        ("sk_live_shop", Environment.PRODUCTION),
    ],
)
async def test_the_key_says_whether_it_is_for_testing(
    calling: Calling, stripe: StripeSimulator, key: str, environment: Environment
) -> None:
    stripe.keys[key] = None
    assert (await sign_in(calling, key)).environment is environment


@pytest.mark.proves("errors", "access")
async def test_a_key_that_is_not_accepted_and_a_bad_day_are_told_apart(
    calling: Calling, stripe: StripeSimulator
) -> None:
    with pytest.raises(SignedOut):
        await sign_in(calling, "rk_test_revoked")
    for match in ("refunds", "account"):
        stripe.faults.add(Fault(kind=FaultKind.FAILED, match=match))
        with pytest.raises(Transient):
            await sign_in(calling)


@needs_shared
@pytest.mark.proves("spec")
async def test_its_requests_are_as_stripe_describes_them(calling: Calling, stripe: StripeSimulator) -> None:
    await sign_in(calling)
    assert [problem for request in stripe.received for problem in problems(request)] == []
