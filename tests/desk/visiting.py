"""Visitors of the desk without a browser: they keep cookies, follow to the next page, and send the forms of pages with
their tokens."""

import html
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aiohttp
from argon2 import PasswordHasher
from yarl import URL

from bellwire.access import Role, add_person, begin_session
from bellwire.desk.gate import SESSION
from bellwire.ledger import Database, PersonRow
from tests.desk.story import NOW, Place

PASSWORD = "four words that fit"
KEPT = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""As the ledger keeps it; cheap to try, as every hash says what it costs. The real ones are tested with passwords."""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Served(Protocol):
    """Whatever has a desk at an address."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class Shown:
    status: int
    """Of the first answer: 303 where it led on."""
    headers: Mapping[str, str]
    """Of the first answer."""
    path: str
    """Where one has ended, with its query."""
    page: str
    """What one sees there."""

    @property
    def to(self) -> str:
        """Where the first answer led; empty: nowhere."""
        return self.headers.get("Location", "")

    @property
    def words(self) -> str:
        return words(self.page)

    @property
    def said(self) -> str:
        """What came of the form that was sent; empty: the page doesn't tell."""
        found = re.search(r'<p class="said"[^>]*>(.*?)</p>', self.page, re.DOTALL)
        return words(found[1]) if found else ""


@dataclass
class Visitor:
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Shown:
        async with self.session.get(self.url + path, headers=headers) as got:
            return await _shown(got)

    async def read(self, path: str) -> str:
        """The words of a page that is there."""
        shown = await self.get(path)
        assert shown.status == 200, shown.page
        return shown.words

    async def send(self, path: str, at: str = "", headers: Any = None, **fields: str | Sequence[str]) -> Shown:
        """Fill in a form of the page `at` (`path`, if nothing is said) and send it to `path`."""
        page = (await self.get(at or path)).page
        found = re.search(r'name="form_token" value="(\w+)"', page)
        assert found, f"{at or path} has no form"
        data = [("form_token", found[1])]
        for name, value in fields.items():
            data += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        async with self.session.post(self.url + path, data=data, headers=headers) as got:
            return await _shown(got)

    async def sign_in(self, email: str, password: str = PASSWORD, next: str = "/") -> Shown:  # noqa: A002 - the field
        return await self.send("/sign-in", email=email, password=password, next=next)

    @property
    def secret(self) -> str:
        """What the browser of somebody who is signed in keeps."""
        return next((each.value for each in self.session.cookie_jar if each.key == SESSION), "")


async def _shown(got: aiohttp.ClientResponse) -> Shown:
    first = got.history[0] if got.history else got
    return Shown(first.status, dict(first.headers), got.url.path_qs, await got.text())


@asynccontextmanager
async def visit(place: Served) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"User-Agent": AGENT}) as session:
        yield Visitor(place.url, session)


async def give_account(ledger: Database, name: str, role: Role = Role.OWNER, now: datetime = NOW) -> PersonRow:
    """Of somebody whose address is their name at example.com."""
    email = f"{name.lower()}@example.com"
    person: PersonRow = await ledger.write(
        lambda rows: add_person(
            rows, name=name, email=email, role=role, password=KEPT, now=now, who="somebody at this machine"
        )
    )
    return person


@asynccontextmanager
async def signed_in(place: Place, name: str = "Dana", role: Role = Role.OWNER) -> AsyncIterator[Visitor]:
    """Somebody who has just been given an account, and has signed in."""
    person = await give_account(place.ledger, name, role, place.now)
    async with visit(place) as visitor:
        await enter(place, visitor, person)
        yield visitor


async def enter(place: Place, visitor: Visitor, person: PersonRow) -> None:
    """As if they had signed in a moment ago."""
    secret = await place.ledger.write(lambda rows: begin_session(rows, person.id, place.now, AGENT))
    visitor.session.cookie_jar.update_cookies({SESSION: secret}, URL(visitor.url))


def words(page: str) -> str:
    """A page as it is read: no tags, single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
