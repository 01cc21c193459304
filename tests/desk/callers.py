"""Everybody who may come to the desk, and a place where nearly everything that its pages show has the number 1."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from bellwire.access import Right, Role, add_person, begin_session, close_account, issue_token, key_of
from bellwire.desk.site import Page
from bellwire.desk.visitor import Visitor
from bellwire.ledger import Rows, errands, people
from tests.desk.asked import question
from tests.desk.story import NOW, Place, Story, a_day
from tests.desk.visiting import KEPT
from tests.ledger.stuck import dealt_with


def pages_of(place: Place, method: str) -> list[Page]:
    return [page for page in place.desk.all_pages() if page.method == method and page.path != "/live"]


async def furnish(place: Place) -> None:
    """A day, a question, a token, and work that was stopped: the first of each, as the addresses have it."""

    def write(rows: Rows) -> None:
        a_day(rows)
        question(Story(rows, number=2000), NOW - timedelta(minutes=1))
        token(rows, tuple(Right))
        work = errands.plan(rows, "retry", "{}", "Dana", [1, 2, 3], NOW)
        dealt_with(rows, work, [3], (3, "There is no exception 3."))
        errands.stop(rows, work, "There is a fault.")

    await place.ledger.write(write)


@dataclass
class Guest:
    """Somebody who asks. `rights` is what they should have."""

    name: str
    rights: Collection[Right] = ()
    secret: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    client: str = "127.0.0.1"

    @property
    def form_token(self) -> str:
        return Visitor("", frozenset(), self.secret).form_token

    def window(self, place: Place) -> httpx.AsyncClient:
        """What they look through: straight to the desk, as the address that a request comes from is part of it."""
        transport = httpx.ASGITransport(place.app, raise_app_exceptions=False, client=(self.client, 4711))
        cookies = {"bellwire_session": self.secret} if self.secret else {}
        return httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=self.headers, cookies=cookies
        )


def somebody(rows: Rows, name: str, role: Role, now: datetime = NOW) -> tuple[int, str]:
    """A person, who has the password of all visitors, and what their browser keeps."""
    email = f"{name.replace(' ', '.')}@example.com"
    person = add_person(rows, name=name, email=email, role=role, password=KEPT, now=now, who="test")
    return person.id, begin_session(rows, person.id, now, "a browser")


async def with_accounts(place: Place) -> list[Guest]:
    """Everybody, once there are accounts."""

    def make(rows: Rows) -> list[Guest]:
        guests = []
        for role in Role:
            _, secret = somebody(rows, role.value, role)
            guests.append(Guest(role.value, role.rights, secret))
        closed, secret = somebody(rows, "closed", Role.OWNER)
        kept = people.session(rows, key_of(secret))
        assert kept is not None
        close_account(rows, closed, NOW, who="test")
        people.begin(rows, kept)  # Even if a session outlives its account.
        guests.append(Guest("closed account", (), secret))
        for name, ago in (("expired", timedelta(days=30)), ("idle", timedelta(days=7))):
            number, _ = somebody(rows, name, Role.OWNER)
            secret = begin_session(rows, number, NOW - ago, "a browser")
            if name == "expired":
                rows.run("UPDATE sessions SET seen_at = :now WHERE key = :key", _seen(secret))
            guests.append(Guest(name, (), secret))
        return [*guests, Guest("nobody"), Guest("unknown session", (), "x" * 43)]

    return await place.ledger.write(make)


def _seen(secret: str) -> dict[str, Any]:
    return {"key": key_of(secret), "now": int(NOW.timestamp() * 1_000_000)}


def without_accounts() -> list[Guest]:
    """Everybody, as long as there is no account."""
    return [
        Guest("near", frozenset(Right), "n" * 43),
        Guest("far", (), "f" * 43, client="192.0.2.7"),
        Guest("far, under a near name", (), "f" * 43, {"Host": "127.0.0.1:8787"}, "192.0.2.7"),
        Guest("under a foreign name", (), "f" * 43, {"Host": "desk.evil.example"}),
        *(
            Guest(f"handed on with {header}", (), "f" * 43, {header: value})
            for header, value in (
                ("X-Forwarded-For", "192.0.2.7"),
                ("X-Forwarded-Host", "desk.example.com"),
                ("X-Forwarded-Proto", "https"),
                ("X-Real-IP", "192.0.2.7"),
                ("Forwarded", "for=192.0.2.7"),
                ("Via", "1.1 proxy"),
            )
        ),
    ]


@dataclass
class Caller:
    """A program that calls the API. `rights` is what its token should have; None: it isn't let in at all."""

    name: str
    rights: Collection[Right] | None
    headers: dict[str, str]

    def line(self, place: Place) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(place.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=self.headers)


def token(
    rows: Rows, rights: Collection[Right], *, person: int | None = None, expires_at: datetime | None = None
) -> tuple[int, str]:
    return issue_token(rows, "a program", rights, NOW, who="test", person=person, expires_at=expires_at)


async def api_callers(place: Place) -> list[Caller]:
    def bearer(text: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {text}"}

    def make(rows: Rows) -> list[Caller]:
        everything = tuple(Right)
        made = [Caller(f"may {right}", (right,), bearer(token(rows, (right,))[1])) for right in Right]
        made.append(Caller("may everything", everything, bearer(token(rows, everything)[1])))
        for role in Role:
            number, _ = somebody(rows, f"{role}s program", role)
            own = bearer(token(rows, everything, person=number)[1])
            made.append(Caller(f"of the {role}", role.rights, own))
        number, secret = somebody(rows, "gone", Role.OWNER)
        made += [
            Caller("of a closed account", None, bearer(token(rows, everything, person=number)[1])),
            Caller("with a browser's session", None, bearer(secret)),
            Caller("with a browser's cookie", None, {"Cookie": f"bellwire_session={secret}"}),
        ]
        close_account(rows, number, NOW, who="test")
        revoked, text = token(rows, everything)
        rows.run("UPDATE tokens SET revoked_at = created_at WHERE id = :id", {"id": revoked})
        made.append(Caller("revoked", None, bearer(text)))
        expired, text = token(rows, everything)
        rows.run("UPDATE tokens SET expires_at = created_at WHERE id = :id", {"id": expired})
        made.append(Caller("expired", None, bearer(text)))
        return [
            *made,
            Caller("without a token", None, {}),
            Caller("with an unknown token", None, bearer("bw_nope")),
            Caller("with an empty token", None, {"Authorization": "Bearer"}),
            Caller("with another scheme", None, {"Authorization": f"Basic {text}"}),
        ]

    return await place.ledger.write(make)


async def everything_in(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of a ledger in a file."""

    def read(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
        names = rows.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name: rows.all(f'SELECT * FROM "{name}"') for (name,) in names}  # noqa: S608

    return await place.ledger.read(read)
