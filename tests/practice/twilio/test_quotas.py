"""Twilio publishes no number; ours is one that our client stays below."""

import pytest

from bellwire.capabilities.sms import SendSms
from bellwire.connectors.kit.http import Api
from tests.connecting import call
from tests.practice.quotas import Account, Asking, account

pytestmark = pytest.mark.proves("limits")


def sending(sms: Account) -> Asking:
    """As the connector does it."""
    send = sms.connection.connector.actions["sms.send_sms"]

    async def ask(_: Api) -> None:
        await send(call(sms.connection), SendSms(to="+15125550123", text="Order 1001 is ready"))

    return ask


async def test_the_twenty_first_request_of_a_second_is_refused_and_nobody_says_for_how_long() -> None:
    async with account("twilio", heedless=True) as sms:
        await sms.ask([sending(sms)] * 21)
        assert sorted(map(str, sms.statuses)) == ["201"] * 20 + ["429"]
        assert not sms.connection.api.gate.paused_for


async def test_our_client_is_never_refused() -> None:
    async with account("twilio", faster=10) as sms:
        await sms.ask([sending(sms)] * 120)
        assert sms.statuses == [201] * 120
