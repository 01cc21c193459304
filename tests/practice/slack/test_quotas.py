"""Slack takes about a message a second in a channel, with bursts, and 50 questions a minute by each other method; our
client keeps to that."""

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


async def list_channels(api: Api) -> None:
    await api.get("conversations.list")


async def test_the_eleventh_message_in_ten_seconds_is_refused_in_its_channel_only() -> None:
    async with account("slack", heedless=True) as chat:
        await chat.ask([posting(chat, "packing")] * 10)
        await chat.ask([posting(chat, "orders")] * 10)
        assert chat.statuses == [200] * 20
        await chat.ask([posting(chat, "packing")])
        assert chat.statuses[20:] == [429]
        assert 5 < chat.connection.api.gate.paused_for.total_seconds() <= 10


async def test_the_fifty_first_question_of_a_minute_is_refused_for_its_method_only() -> None:
    async with account("slack", heedless=True) as chat:
        await chat.ask([list_channels] * 50)
        await chat.ask([posting(chat, "packing")])
        assert chat.statuses == [200] * 51
        await chat.ask([list_channels])
        assert chat.statuses[51:] == [429]


async def test_our_client_is_never_refused() -> None:
    async with account("slack", faster=30) as chat:
        channels = [chat.simulator.state()["channels"][number] for number in range(3)]
        posts = [posting(chat, channel) for channel in channels for _ in range(31)]
        await chat.ask([*posts, *[list_channels] * 151])
        assert chat.statuses == [200] * (3 * 31 + 151)
