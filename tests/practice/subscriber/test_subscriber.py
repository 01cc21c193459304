"""The simulated subscriber takes what the reference library signs, once, and nothing else."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from standardwebhooks import Webhook

from bellwire.practice import Practice
from bellwire.practice.subscriber import SubscriberSimulator

SECRET = SubscriberSimulator.credentials["signing_secret"]


@pytest.mark.proves("sdk", "practice")
async def test_it_takes_what_the_reference_library_signs_and_only_that() -> None:
    async with Practice(["subscriber"]) as practice, aiohttp.ClientSession() as session:

        async def post(name: str, body: str, when: datetime, secret: str = SECRET) -> int:
            headers = {
                "webhook-id": name,
                "webhook-timestamp": str(int(when.timestamp())),
                "webhook-signature": Webhook(secret).sign(name, when, body),
            }
            url = f"{practice.base_url('subscriber')}/events"
            async with session.post(url, data=body, headers=headers) as answer:
                return answer.status

        now = datetime.now(UTC)
        assert await post("msg_1", '{"a": 1}', now) == 204
        assert await post("msg_1", '{"a": 2}', now) == 204
        assert await post("msg_2", "{}", now - timedelta(minutes=6)) == 401
        assert await post("msg_3", "{}", now, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") == 401
        assert practice.simulators["subscriber"].state() == {"events": {"msg_1": {"a": 1}}}
