"""A browser as far as a test needs one: it keeps cookies, and posts forms with the token of their page."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bellwire.access import Role, add_person, hashed
from bellwire.ledger import PersonRow
from tests.desk.story import Place

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
        told = {"form_token": token[1] if token else "", **fields}
        async with self.session.post(self.place.url + path, data=told, allow_redirects=False, headers=headers) as got:
            return Seen(got.status, await got.text(), dict(got.headers))

    async def sign_in(self, email: str, password: str = PASSWORD, next: str = "/") -> Seen:  # noqa: A002 - the field
        return await self.send("/sign-in", email=email, password=password, next=next)

    @property
    def secret(self) -> str:
        return next((each.value for each in self.session.cookie_jar if each.key == "bellwire_session"), "")


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
