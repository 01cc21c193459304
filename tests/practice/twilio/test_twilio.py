"""The simulated account refuses what Twilio would refuse."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Practice
from bellwire.practice.twilio import TwilioSimulator

pytestmark = pytest.mark.proves("practice")
RIGHT = {"To": "+15125550123", "From": "+15005550006", "Body": "Order 7 is ready"}


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["twilio"]) as running:
        yield running


async def ask(practice: Practice, path: str, form: dict[str, str] | None = None, secret: str = "") -> tuple[int, Any]:
    """`path` is below the account."""
    known = TwilioSimulator.credentials
    pair = base64.b64encode(f"{known['api_key']}:{secret or known['api_key_secret']}".encode()).decode()
    url = f"{practice.base_url('twilio')}/2010-04-01/Accounts/{TwilioSimulator.settings['account_sid']}{path}"
    method = "GET" if form is None else "POST"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=form, headers={"Authorization": f"Basic {pair}"}) as response,
    ):
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"To": "5125550123"}, 21211),
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550009"}, 21614),
        ({"From": "+15005550001"}, 21606),
        ({"From": f"MG{1:032x}"}, 21606),
        ({"MessagingServiceSid": f"MG{2:032x}"}, 21606),
    ],
)
async def test_it_refuses_what_twilio_refuses(practice: Practice, changes: dict[str, str], code: int) -> None:
    status, said = await ask(practice, "/Messages.json", RIGHT | changes)
    assert (status, said["status"], said["code"]) == (400, 400, code)
    assert said["more_info"].endswith(str(code)) and said["message"]
    assert not practice.simulators["twilio"].state()["messages"]


async def test_it_wants_its_key(practice: Practice) -> None:
    status, said = await ask(practice, "/Messages.json", RIGHT, secret="old")
    assert (status, said["code"]) == (401, 20003)


async def test_what_isnt_there_isnt_found(practice: Practice) -> None:
    for path in ("/Calls.json", f"/Messages/SM{9:032x}.json"):
        assert (await ask(practice, path))[1]["code"] == 20404


async def test_a_message_is_kept_and_can_be_read(practice: Practice) -> None:
    status, sent = await ask(practice, "/Messages.json", RIGHT)
    assert (status, sent["status"], sent["num_segments"]) == (201, "queued", "1")
    assert (await ask(practice, f"/Messages/{sent['sid']}.json"))[1] == sent
    (kept,) = practice.simulators["twilio"].state()["messages"]
    assert (kept["sid"], kept["body"]) == (sent["sid"], "Order 7 is ready")


async def test_a_list_is_newest_first_page_by_page_and_by_number(practice: Practice) -> None:
    for number in range(3):
        await ask(practice, "/Messages.json", RIGHT | {"Body": str(number)})
    await ask(practice, "/Messages.json", RIGHT | {"To": "+15125550124"})
    _, first = await ask(practice, "/Messages.json?To=%2B15125550123&PageSize=2")
    assert [message["body"] for message in first["messages"]] == ["2", "1"]
    assert first["previous_page_uri"] is None
    _, second = await ask(practice, first["next_page_uri"].partition(TwilioSimulator.settings["account_sid"])[2])
    assert [message["body"] for message in second["messages"]] == ["0"]
    assert second["next_page_uri"] is None and second["previous_page_uri"]


@pytest.mark.parametrize("path", [".json", "/Messages.json", f"/Messages/SM{1:032x}.json"])
async def test_test_credentials_may_send_and_nothing_else(practice: Practice, path: str) -> None:
    simulator = practice.simulators["twilio"]
    assert isinstance(simulator, TwilioSimulator)
    simulator.test = True
    assert (await ask(practice, "/Messages.json", RIGHT))[0] == 201
    status, said = await ask(practice, path)
    assert (status, said["code"]) == (403, 20008)
