"""A visitor of the desk: pages that are looked at, and forms that are sent as a browser sends them."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bellwire.access import Right, issue_token
from tests.desk.story import NOW, Place


@dataclass
class Visitor:
    place: Place
    session: aiohttp.ClientSession

    async def see(self, path: str) -> tuple[int, str]:
        """Status, and the page as HTML."""
        async with self.session.get(self.place.url + path) as answer:
            return answer.status, await answer.text()

    async def read(self, path: str) -> str:
        """The words of a page that is there."""
        status, text = await self.see(path)
        assert status == 200, text
        return words(text)

    async def send(self, path: str, to: str = "", **fields: str) -> tuple[int, str, str]:
        """A form of the page at `path`, sent `to` another address if it says so: the status, the address that is then
        shown, and its words."""
        _, page = await self.see(path)
        found = re.search(r'name="form_token" value="(\w+)"', page)
        token = found[1] if found else ""
        async with self.session.post(self.place.url + (to or path), data={"form_token": token, **fields}) as answer:
            status = answer.history[0].status if answer.history else answer.status
            return status, answer.url.path, words(await answer.text())


@asynccontextmanager
async def visit(place: Place) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Visitor(place, session)


@asynccontextmanager
async def program(place: Place, *rights: Right) -> AsyncIterator[aiohttp.ClientSession]:
    """A caller of the API with a token that has these rights; addresses are as in `asks`."""
    _, token = await place.ledger.write(lambda rows: issue_token(rows, "robot", rights, NOW, who="Dana"))
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"{place.url}/api/v1/", headers=headers) as session:
        yield session


def words(page: str) -> str:
    """A page as it is read: no tags, single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
