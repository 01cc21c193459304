"""A program that calls the API with a token."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bellwire.access import Right, issue_token
from tests.desk.story import Place


@dataclass
class Program:
    place: Place
    session: aiohttp.ClientSession

    async def __call__(self, method: str, path: str, given: object = None, **headers: str) -> tuple[int, Any]:
        url = f"{self.place.url}/api/v1{path}"
        async with self.session.request(method, url, json=given, headers=headers) as got:
            return got.status, await got.json()


@asynccontextmanager
async def program(
    place: Place, rights: Collection[Right] = frozenset(Right), person: int | None = None
) -> AsyncIterator[Program]:
    _, token = await place.ledger.write(
        lambda rows: issue_token(rows, "the till", rights, place.now, who="Dana", person=person)
    )
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        yield Program(place, session)
