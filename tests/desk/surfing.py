"""Somebody at the desk, without a browser: keeps cookies, follows to the next page, and fills in forms."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp


class Served(Protocol):
    """Whatever has a desk at an address."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class Shown:
    status: int
    path: str
    """Where one has ended."""
    page: str

    @property
    def words(self) -> str:
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.page)).split())


@dataclass
class Surfer:
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> Shown:
        async with self.session.get(self.url + path) as got:
            return Shown(got.status, got.url.path, await got.text())

    async def post(self, path: str, *, at: str = "", **fields: str) -> Shown:
        """Fill in a form of the page `at`, which is `path` if nothing is said."""
        found = re.search(r'name="form_token" value="([^"]+)"', (await self.get(at or path)).page)
        assert found, "the page has no form"
        async with self.session.post(self.url + path, data={"form_token": found[1], **fields}) as got:
            return Shown(got.status, got.url.path, await got.text())


@asynccontextmanager
async def surfing(place: Served) -> AsyncIterator[Surfer]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Surfer(place.url, session)
