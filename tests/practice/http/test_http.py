"""The simulated API refuses who isn't signed in, and knows its keys."""

import aiohttp

from bellwire.practice import Practice


async def test_it_keeps_records_for_those_who_are_signed_in_and_each_key_makes_one() -> None:
    async with Practice(["http"]) as practice, aiohttp.ClientSession() as session:
        customers = f"{practice.base_url('http')}/customers"
        async with session.post(customers, json={}) as answer:
            assert answer.status == 401
        headers = {"Authorization": "Bearer practice", "Idempotency-Key": "a"}
        for key, number in (("a", 1), ("a", 1), ("b", 2)):
            async with session.post(customers, json={}, headers=headers | {"Idempotency-Key": key}) as answer:
                assert (answer.status, (await answer.json())["id"]) == (201, number)
        async with session.get(f"{customers}/3", headers=headers) as answer:
            assert answer.status == 404
        assert set(practice.simulators["http"].state()["records"]) == {"customers/1", "customers/2"}
