"""A channel takes four messages a second, and sixty in half a minute; our client keeps to that."""

import pytest

from bellwire.capabilities.chat import PostMessage
from bellwire.connectors.kit.http import Api
from tests.connecting import call
from tests.practice.quotas import Account, Asking, account

pytestmark = pytest.mark.proves("limits")


def posting(chat: Account, channel: str) -> Asking:
    """As the connector does it."""
    post = chat.connection.connector.actions["chat.post_message"]

    async def ask(_: Api) -> None:
        await post(call(chat.connection), PostMessage(channel=channel, text="Order 1001 is paid"))

    return ask


async def test_the_fifth_message_of_a_second_is_refused_in_its_channel_only() -> None:
    async with account("teams", heedless=True) as chat:
        await chat.ask([posting(chat, "packing")] * 4)
        await chat.ask([posting(chat, "orders")] * 4)
        assert chat.statuses == [202] * 8
        await chat.ask([posting(chat, "packing")])
        assert chat.statuses[8:] == [429]
        assert 0 < chat.connection.api.gate.paused_for.total_seconds() <= 1


async def test_our_client_is_never_refused() -> None:
    async with account("teams", faster=30) as chat:
        await chat.ask([posting(chat, channel) for channel in ("packing", "orders", "alerts") for _ in range(70)])
        assert chat.statuses == [202] * 210
