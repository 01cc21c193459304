"""Visitors of the desk: browsers as far as a test needs them, which keep cookies and send the forms of pages with their
tokens; and programs with a token."""

import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bellwire.access import Right, Role, add_person, hashed, issue_token
from bellwire.ledger import PersonRow
from tests.desk.story import NOW, Place

PASSWORD = "four words that fit"
KEPT = hashed(PASSWORD)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Seen:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def to(self) -> str:
        """Where it sends the browser."""
        return self.headers.get("Location", "")


@dataclass
class Browser:
    place: Place
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Seen:
        async with self.session.get(self.place.url + path, allow_redirects=False, headers=headers) as got:
            return Seen(got.status, await got.text(), dict(got.headers))

    async def send(self, path: str, page: str = "", headers: Any = None, **fields: Any) -> Seen:
        """Fill in the form of `page` (the one at `path`, unless it is named) and send it to `path`."""
        token = re.search(r'name="form_token" value="([0-9a-f]+)"', (await self.get(page or path)).text)
        told = _pairs({"form_token": token[1] if token else "", **fields})
        async with self.session.post(self.place.url + path, data=told, allow_redirects=False, headers=headers) as got:
            return Seen(got.status, await got.text(), dict(got.headers))

    async def sign_in(self, email: str, password: str = PASSWORD, next: str = "/") -> Seen:  # noqa: A002 - the field
        return await self.send("/sign-in", email=email, password=password, next=next)

    @property
    def secret(self) -> str:
        return next((each.value for each in self.session.cookie_jar if each.key == "bellwire_session"), "")


def _pairs(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A field with a list stands in the form that often."""
    return [(name, each) for name, value in fields.items() for each in (value if isinstance(value, list) else [value])]


@asynccontextmanager
async def browser(place: Place) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"User-Agent": AGENT}) as session:
        yield Browser(place, session)


async def account(place: Place, name: str, role: Role = Role.OWNER) -> PersonRow:
    """Of somebody whose address is their name at example.com."""
    email = f"{name.lower()}@example.com"
    person: PersonRow = await place.ledger.write(
        lambda rows: add_person(
            rows, name=name, email=email, role=role, password=KEPT, now=place.now, who="somebody at this machine"
        )
    )
    return person


@asynccontextmanager
async def signed_in(place: Place, name: str = "Dana", role: Role = Role.OWNER) -> AsyncIterator[Browser]:
    """The browser of somebody who has just been given an account."""
    person = await account(place, name, role)
    async with browser(place) as opened:
        assert (await opened.sign_in(person.email)).status == 303
        yield opened


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
