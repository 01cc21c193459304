"""My account: my name, my password, where I am signed in, my one-time codes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import (
    CodeSecrets,
    Role,
    address_of,
    begin_session,
    change_person,
    failed,
    fits,
    hashed,
    key_of,
    may_try,
    set_password,
    sign_out,
    step_of,
    switch_codes_off,
    switch_codes_on,
    too_weak,
)
from bellwire.clock import duration
from bellwire.desk.forms import form_of
from bellwire.desk.gate import Gate, in_thread
from bellwire.desk.pages.signing_in import place_of
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.ledger import PersonRow, Rows, people

_PLACE = "/settings/me"


def pages(site: Site, _: Gate) -> Sequence[Page]:
    mine = _Mine(site)
    return [
        Page(_PLACE, mine.show),
        Page(f"{_PLACE}/name", mine.rename, method="POST"),
        Page(f"{_PLACE}/password", mine.set_password, method="POST"),
        Page(f"{_PLACE}/sessions/end", mine.end_session, method="POST"),
        Page(f"{_PLACE}/codes", mine.show_codes),
        Page(f"{_PLACE}/codes/begin", mine.begin_codes, method="POST"),
        Page(f"{_PLACE}/codes/on", mine.switch_codes_on, method="POST"),
        Page(f"{_PLACE}/codes/off", mine.switch_codes_off, method="POST"),
    ]


class _Mine:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        return await self._shown(request)

    async def rename(self, request: Request) -> Response:
        person, now, name = _me(request), self._site.clock(), form_of(request).get("name")
        role = Role(person.role)
        await self._site.ledger.write(
            lambda rows: change_person(rows, person.id, name=name, role=role, now=now, who=person.name)
        )
        return self._site.go(_PLACE, f"You are called {name} from now on.")

    async def set_password(self, request: Request) -> Response:
        """All sessions end; this browser gets a new one."""
        person, now, form = _me(request), self._site.clock(), form_of(request)
        new = form.text("new")
        if wrong := await self._not_me(request) or too_weak(new, person.name, person.email):
            return await self._shown(request, wrong, status=400)
        kept, agent = await in_thread(hashed, new), request.headers.get("user-agent", "")

        def change(rows: Rows) -> str:
            set_password(rows, person.id, kept, now, who=person.name)
            return begin_session(rows, person.id, now, agent)

        request.scope["new_secret"] = await self._site.ledger.write(change)
        return self._site.go(_PLACE, "Your password is changed. Everywhere else you are signed out.")

    async def end_session(self, request: Request) -> Response:
        person, key, now = _me(request), form_of(request).get("session"), self._site.clock()
        await self._site.ledger.write(lambda rows: sign_out(rows, person.id, now, who=person.name, session=key))
        return self._site.go(_PLACE, "You are signed out there.")

    async def show_codes(self, request: Request) -> Response:
        """What an authenticator is to read; only until it is on."""
        return await self._shown_codes(request)

    async def begin_codes(self, request: Request) -> Response:
        person = _me(request)
        # A new secret would make the codes of one who has them on worthless.
        if person.codes_since is None:
            await in_thread(self._secrets.renew, person.id)
        return self._site.go(f"{_PLACE}/codes")

    async def switch_codes_on(self, request: Request) -> Response:
        person, now, given = _me(request), self._site.clock(), form_of(request).get("code")
        if person.codes_since is not None:
            return self._site.go(_PLACE)
        if wrong := await self._not_me(request):
            return await self._shown_codes(request, wrong, status=400)
        step = step_of(await in_thread(self._secrets.find, person.id), given, now)
        try:
            codes = await self._site.ledger.write(
                lambda rows: switch_codes_on(rows, person.id, step, now, who=person.name)
            )
        except BellwireError as error:
            return await self._shown_codes(request, str(error), status=400)
        return self._site.page(
            request,
            "settings_secret.html",
            title="One-time codes are on",
            kind="recovery codes",
            person=person,
            secrets=codes,
        )

    async def switch_codes_off(self, request: Request) -> Response:
        person, now = _me(request), self._site.clock()
        if wrong := await self._not_me(request):
            return await self._shown(request, wrong, status=400)
        await self._site.ledger.write(lambda rows: switch_codes_off(rows, person.id, now, who=person.name))
        return self._site.go(_PLACE, "One-time codes are off: the password alone lets you in.")

    async def _shown(self, request: Request, wrong: str = "", *, status: int = 200) -> Response:
        person = visitor_of(request).person
        if person is None:
            return self._site.page(request, "settings_me.html", person=None)

        def query(rows: Rows) -> dict[str, Any]:
            return {
                "sessions": people.sessions_of(rows, person.id),
                "recovery": people.count_recovery(rows, person.id),
                "person": people.find(rows, person.id),
            }

        found = await self._site.ledger.read(query)
        here = key_of(visitor_of(request).secret)
        return self._site.page(request, "settings_me.html", status, this=here, wrong=wrong, agent=agent_of, **found)

    async def _shown_codes(self, request: Request, wrong: str = "", *, status: int = 200) -> Response:
        person = _me(request)
        secret = await in_thread(self._secrets.find, person.id) if person.codes_since is None else ""
        if not secret:
            return self._site.go(_PLACE)
        picture = segno.make(address_of(secret, person, self._site.business), micro=False)
        return self._site.page(
            request,
            "settings_codes.html",
            status,
            picture=picture.svg_data_uri(scale=5, border=3, light="#fff"),
            secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            wrong=wrong,
        )

    async def _not_me(self, request: Request) -> str:
        """What is wrong with the present password, throttled as signing in is; empty: nothing."""
        person, now, place = _me(request), self._site.clock(), place_of(request)
        wait: timedelta | None = await self._site.ledger.read(lambda rows: may_try(rows, person.email, place, now))
        if wait is not None:
            return f"That was wrong too often. Try again in {duration(wait)}."
        if await in_thread(fits, person.password, form_of(request).text("password")):
            return ""
        await self._site.ledger.write(lambda rows: failed(rows, person.email, place, now))
        return "That isn’t your present password."

    @property
    def _secrets(self) -> CodeSecrets:
        if self._site.vault is None:
            raise BellwireError("There is no vault to keep one-time codes in.", remedy="`bellwire init` makes one.")
        return CodeSecrets(self._site.vault)


def _me(request: Request) -> PersonRow:
    person = visitor_of(request).person
    if person is None:
        raise BellwireError("Nobody is signed in here.", remedy="Make the owner’s account first, at /setup.")
    return person


def agent_of(text: str) -> str:
    """What a browser calls itself, in two words: `Firefox on Windows`."""
    browsers = (
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "a Mac"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in text), "")
    system = next((name for mark, name in systems if mark in text), "")
    return " on ".join(filter(None, (browser, system))) or text[:60] or "A program that doesn’t say"
