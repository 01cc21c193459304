"""Who is let in where: every page by everybody, every form with every wrong token, every operation of the API by every
token. A page that is listed in `Desk.all_pages()` is tested by that."""

import asyncio
import html.parser
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bellwire.access import Right, Role
from bellwire.desk import Desk
from bellwire.desk.forms import MOST_BYTES
from bellwire.desk.guard import HEADERS
from bellwire.desk.site import Page, local
from bellwire.ledger import Rows
from tests.desk.addresses import address, operations
from tests.desk.callers import (
    Guest,
    api_callers,
    everything_in,
    furnish,
    pages_of,
    somebody,
    token,
    with_accounts,
    without_accounts,
)
from tests.desk.story import NOW, Place, open_desk
from tests.desk.visiting import PASSWORD


async def _never(_: Request) -> Response:
    raise AssertionError("nobody gets here")


class Noted(Desk):
    """Notes which page was entered, instead of doing what it does. There is one of its own for each right."""

    def all_pages(self) -> list[Page]:
        self.entered: list[str] = []
        own = [Page(f"/own/{needs}", _never, needs, method) for needs in Right for method in ("GET", "POST")]
        return [replace(page, view=self._noting(page)) for page in [*own, *super().all_pages()]]

    def _noting(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def note(_: Request) -> Response:
            self.entered.append(f"{page.method} {page.path}")
            return PlainTextResponse("in")

        return note


@pytest.fixture
async def noted(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, kind=Noted, editing=True) as place:
        yield place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, business="Hill & Leaf Tea", editing=True) as place:
        await furnish(place)
        yield place


async def entered(place: Place, window: httpx.AsyncClient, page: Page, **request: Any) -> tuple[str, httpx.Response]:
    """Which page, if any, and the answer."""
    desk = place.desk
    assert isinstance(desk, Noted)
    desk.entered.clear()
    answer = await window.request(page.method, address(page.path), **request)
    return "".join(desk.entered), answer


def has_the_headers(answer: Any, *, kept: bool = False) -> bool:
    return all(
        answer.headers.get(name) == value for name, value in HEADERS.items() if name != "Cache-Control" or not kept
    )


async def everybody(place: Place, accounts: bool) -> list[Guest]:
    return await with_accounts(place) if accounts else without_accounts()


@pytest.mark.parametrize("accounts", [True, False], ids=["with_accounts", "without_accounts"])
async def test_every_page_lets_in_whoever_has_the_right_that_it_needs_and_nobody_else(
    noted: Place, accounts: bool
) -> None:
    pages = noted.desk.all_pages()
    assert {page.needs for page in pages} == {None, *Right}
    for guest in await everybody(noted, accounts):
        async with guest.window(noted) as window:
            for page in pages:
                form = {"form_token": guest.form_token} if page.method != "GET" and guest.secret else None
                which, answer = await entered(noted, window, page, data=form)
                about = (guest.name, page.method, page.path, answer.status_code)
                assert has_the_headers(answer), about
                right = page.needs is None or page.needs in guest.rights
                if right and (page.method == "GET" or guest.secret):
                    assert which == f"{page.method} {page.path}", about
                    continue
                assert which == "", about
                if right or guest.rights:  # A form of theirs has no token; or their role doesn't reach so far.
                    assert answer.status_code == 403, about
                elif not accounts:
                    assert (answer.status_code, answer.headers.get("location")) == (303, "/setup"), about
                elif page.method == "GET":
                    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), about
                else:
                    assert answer.status_code == 401, about


@pytest.mark.parametrize(
    ("host", "public_url"),
    [("0.0.0.0", ""), ("127.0.0.1", "https://hooks.example.com")],  # noqa: S104
    ids=["bound_beyond", "with_a_public_address"],
)
async def test_what_others_may_reach_lets_nobody_in_before_there_is_an_account(
    tmp_path: Path, host: str, public_url: str
) -> None:
    """With a public address something hands requests on; if that doesn't say so, strangers look like who sits here."""
    async with open_desk(tmp_path, kind=Noted, host=host, public_url=public_url, editing=True) as place:
        for guest in without_accounts():
            async with guest.window(place) as window:
                for page in place.desk.all_pages():
                    if page.needs is not None:
                        which, answer = await entered(place, window, page, data={"form_token": guest.form_token})
                        assert which == "" and answer.headers["location"] == "/setup", (guest.name, page.path)


@pytest.mark.parametrize("accounts", [True, False], ids=["with_accounts", "without_accounts"])
async def test_a_form_that_came_from_elsewhere_is_refused_and_changes_nothing(noted: Place, accounts: bool) -> None:
    guests = [guest for guest in await everybody(noted, accounts) if guest.name in ("owner", "near")]
    other = Guest("somebody else", (), "o" * 43)
    before = await everything_in(noted)
    for guest in guests:
        mine = {"form_token": guest.form_token}
        wrong: list[dict[str, Any]] = [
            {},
            {"data": {"form_token": ""}},
            {"data": {"form_token": "x"}},
            {"data": {"form_token": "ü"}},
            {"data": {"form_token": other.form_token}},
            {"params": mine},
            {"json": mine},
            {"files": {"form_token": guest.form_token.encode()}},
            {"data": mine, "headers": {"Sec-Fetch-Site": "cross-site"}},
            {"data": mine, "headers": {"Sec-Fetch-Site": "same-site"}},
        ]
        async with guest.window(noted) as window:
            for page in noted.desk.all_pages():
                for request in wrong if page.method != "GET" else ():
                    which, answer = await entered(noted, window, page, **request)
                    about = (guest.name, page.path, request, answer.status_code)
                    assert which == "" and answer.status_code in (403, 415) and has_the_headers(answer), about
                if page.method != "GET":
                    which, _ = await entered(noted, window, page, data=mine, headers={"Sec-Fetch-Site": "same-origin"})
                    assert which == f"{page.method} {page.path}"
    assert await everything_in(noted) == before


async def test_what_goes_beyond_the_bounds_of_a_form_is_refused_and_the_page_isnt_entered(noted: Place) -> None:
    guest = without_accounts()[0]
    mine = f"form_token={guest.form_token}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    wrong = {
        f"{mine}&a={'x' * MOST_BYTES}": 413,
        f"{mine}{'&a=' * 2_000}": 413,
        f"{mine}&a=%00": 400,
        f"{mine}&a=%ff": 400,
        f"{mine}&a=é": 400,
    }
    page = next(page for page in noted.desk.all_pages() if page.method == "POST")
    async with guest.window(noted) as window:
        for body, status in wrong.items():
            which, answer = await entered(noted, window, page, content=body.encode(), headers=kind)
            assert (which, answer.status_code) == ("", status), body[:80]
            assert "Nothing was changed" in answer.text or status == 400
        for other in ("text/plain", "application/json", "multipart/form-data; boundary=x", "nonsense"):
            which, answer = await entered(noted, window, page, content=mine.encode(), headers={"Content-Type": other})
            assert (which, answer.status_code) == ("", 415), other
        which, answer = await entered(noted, window, page, content=f"{mine}&a=1".encode(), headers=kind)
        assert which


async def test_a_body_without_end_or_too_slow_is_cut_off(noted: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a=" + b"x" * 65_536 + b"&"

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(f"{noted.url}/sign-in", data=endless(), headers=kind) as got:
                assert got.status == 413
        except aiohttp.ClientConnectionError:
            pass  # It was cut off before the answer was read.
        monkeypatch.setattr("bellwire.desk.forms._SECONDS", 0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(noted.url.rpartition(":")[2]))
        writer.write(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na=1")
        assert b" 408 " in await reader.readline()
        writer.close()


async def test_an_address_with_a_nul_is_that_of_no_page(place: Place) -> None:
    async with without_accounts()[0].window(place) as window:
        for path in ("/flows/%00", "/%00", "/?q=%00", "/nope?%00=1"):
            assert (await window.get(path)).status_code == 404, path


# What the browser is given


async def test_every_answer_has_the_headers_that_keep_it_safe_and_isnt_kept(place: Place) -> None:
    near = without_accounts()[0]
    async with near.window(place) as window:
        for page in pages_of(place, "GET"):
            answer = await window.get(address(page.path))
            # Nobody has begun a sign-in at a vendor, and nobody has an account to have codes for.
            refused = answer.status_code == 400 and page.path in ("/connections/callback", "/settings/me/codes")
            assert refused or answer.status_code in (200, 303, 404), (page.path, answer.status_code)
            assert has_the_headers(answer), page.path
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
        for method, path in (("PUT", "/"), ("GET", "/static/0/desk.css"), ("GET", "/api/v1/me"), ("GET", "/api/v1/x")):
            assert has_the_headers(await window.request(method, path)), path
        found = re.findall(r'"(/static/[^"]+)"', (await window.get("/")).text)
        for path in found:
            answer = await window.get(path)
            assert has_the_headers(answer, kept=True) and "immutable" in answer.headers["Cache-Control"]


async def test_what_a_page_doesnt_take_says_what_it_takes(place: Place) -> None:
    async with without_accounts()[0].window(place) as window:
        answer = await window.request("DELETE", "/")
        assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


class Looked(html.parser.HTMLParser):
    """Notes what a page must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._form: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        told = self.get_starttag_text() or tag
        if tag in ("style", "iframe", "object", "embed", "base") or (tag == "script" and "src" not in values):
            self.wrong.append(told)
        if "style" in values or any(name.startswith("on") for name in values):
            self.wrong.append(told)
        if tag in ("script", "link", "img") and not values.get("src", values.get("href", "")).startswith("/static/"):
            self.wrong.append(told)
        if any(values.get(name, "").lower().startswith(("javascript:", "data:", "//")) for name in ("href", "action")):
            self.wrong.append(told)
        if tag == "form":
            self._form = values
        if tag == "input" and values.get("name") == "form_token":
            self._form = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None and self._form.get("method", "get").lower() != "get":
            self.wrong.append(f"a form without a token: {self._form}")
        if tag == "form":
            self._form = None


async def test_no_page_has_a_script_or_a_style_in_it_and_every_form_has_a_token(place: Place) -> None:
    guests = [without_accounts()[0], without_accounts()[1], *await with_accounts(place)]
    for guest in guests:
        async with guest.window(place) as window:
            for page in pages_of(place, "GET"):
                answer = await window.get(address(page.path))
                if "Content-Disposition" in answer.headers:
                    continue  # A file to take along.
                looked = Looked()
                looked.feed(answer.text)
                assert looked.wrong == [], (guest.name, page.path)
                assert answer.status_code == 303 or "<h1" in answer.text


async def test_no_form_makes_the_desk_fail_whatever_is_in_it(place: Place) -> None:
    forms: list[dict[str, str]] = [
        {},
        dict.fromkeys(("name", "reason", "id", "to", "next", "value", "email"), "é" * 300),
    ]
    await place.ledger.write(lambda rows: somebody(rows, "last", Role.OWNER))
    for number, page in enumerate(pages_of(place, "POST")):
        for turn, form in enumerate(forms):
            name = f"owner {number} {turn}"
            _, secret = await place.ledger.write(partial(somebody, name=name, role=Role.OWNER))
            guest = Guest(name, secret=secret)
            async with guest.window(place) as window:
                sent = form | {"form_token": guest.form_token}
                answer = await window.post(address(page.path), data=sent)
                assert answer.status_code < 500 and answer.status_code != 413, (page.path, answer.text)
                assert answer.status_code not in (401, 403) or page.needs is None, (page.path, answer.text)
                assert has_the_headers(answer), page.path


# Cookies


async def test_cookies_are_for_the_desk_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path, public_url="https://desk.example.com") as place:
        await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
        for encrypted in (False, True):
            headers = {"X-Forwarded-Proto": "https"} if encrypted else {}
            planted = "p" * 43
            guest = Guest("dana", (), planted, headers)
            async with guest.window(place) as window:
                form = {"form_token": guest.form_token, "email": "Dana@example.com", "password": PASSWORD}
                answer = await window.post("/sign-in", data=form)
                assert answer.status_code == 303
                cookie = next(each for each in answer.headers.get_list("set-cookie") if "bellwire_session" in each)
                assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
                assert ("Secure" in cookie.split("; ")) is encrypted
                assert "Domain" not in cookie
                begun = re.findall(r"bellwire_session=([^;]+)", cookie)[0]
                assert begun != planted, "a session that somebody planted isn't signed in"
            async with Guest("", (), planted).window(place) as window:
                assert (await window.get("/")).status_code == 303
            async with Guest("", (), begun).window(place) as window:
                assert (await window.get("/")).status_code == 200


async def test_after_signing_out_what_the_browser_kept_is_of_no_use(place: Place) -> None:
    owner = next(guest for guest in await with_accounts(place) if guest.name == "owner")
    async with owner.window(place) as window:
        assert (await window.get("/")).status_code == 200
        answer = await window.post("/sign-out", data={"form_token": owner.form_token})
        cookies = answer.headers.get_list("set-cookie")
        assert any(each.startswith('bellwire_session="";') and "Max-Age=0" in each for each in cookies)
        assert any("HttpOnly" in each and each.startswith("bellwire_said=") for each in cookies)
    async with owner.window(place) as window:
        assert (await window.get("/")).headers["location"] == "/sign-in"


async def test_many_tries_at_once_are_counted_like_one_after_the_other(place: Place) -> None:
    """However fast they come, no more than a few passwords are tried."""
    await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
    guest = Guest("", (), "g" * 43)
    async with guest.window(place) as window:
        form = {"form_token": guest.form_token, "email": "dana@example.com", "password": "a guess"}
        answers = await asyncio.gather(*(window.post("/sign-in", data=form) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [403] * 5 + [429] * 7


# Addresses and headers that somebody else wrote

EVIL = [
    *(
        "//evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "/\\/evil.example",
        "https://evil.example",
        "evil.example",
    ),
    *("javascript:alert(1)", "/\t/evil.example", "\t//evil.example", "/\n//evil.example", "/x\r\nSet-Cookie: a=b", ""),
    *("/\x00", "/\x7f", "/é", " //evil.example", "/ok\\..\\evil", "http:evil.example", "///evil.example"),
]


@pytest.mark.parametrize("to", EVIL)
def test_nothing_leads_elsewhere(to: str) -> None:
    assert local(to) == "/"


@pytest.mark.parametrize("to", ["/", "/runs?state=dead&q=tea", "/x%0d%0aSet-Cookie:%20a=b", "/runs/1#tries"])
def test_what_is_the_desks_own_is_kept(to: str) -> None:
    assert local(to) == to


async def test_signing_in_leads_to_the_desks_own_pages_only(place: Place) -> None:
    _, secret = await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
    signed_in, guest = Guest("dana", secret=secret), Guest("", (), "g" * 43)
    for to in (*EVIL[:12], "/x%0d%0aSet-Cookie:%20a=b"):
        async with signed_in.window(place) as window:
            answer = await window.get("/sign-in", params={"next": to})
            assert answer.status_code in (303, 404)
            assert is_ours(answer.headers.get("location", "/"))
            assert "a" not in answer.cookies
    async with guest.window(place) as window:
        shown = (await window.get("/sign-in", params={"next": "//evil.example"})).text
        assert "evil.example" not in shown
        form = {"form_token": guest.form_token, "email": "dana@example.com", "password": PASSWORD}
        answer = await window.post("/sign-in", data=form | {"next": "//evil.example/x"})
        assert answer.headers["location"] == "/"


async def test_a_page_that_needs_signing_in_is_come_back_to_and_no_other(place: Place) -> None:
    await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
    async with Guest("").window(place) as window:
        answer = await window.get("/runs/1?a=b&c=d")
        assert answer.headers["location"] == "/sign-in?next=%2Fruns%2F1%3Fa%3Db%26c%3Dd"
        for path in ("//evil.example/x", "/%0d%0aSet-Cookie:a=b", "/%5cevil.example"):
            answer = await window.get(path)
            assert is_ours(answer.headers.get("location", "/")) and "a" not in answer.cookies
            assert "evil" not in answer.headers.get("location", "") or "sign-in?next=%2F" in answer.headers["location"]


def is_ours(location: str) -> bool:
    return location.startswith("/") and not location.startswith(("//", "/\\")) and location.isprintable()


@pytest.mark.parametrize(
    "say", ["Done\r\nSet-Cookie: a=b", "é" * 5_000, "x" * 5_000, '"; Path=/evil; a="b', "\U0001f375" * 900, "a\x00b"]
)
async def test_what_is_said_on_the_next_page_reaches_a_header_as_a_plain_word(place: Place, say: str) -> None:
    site = place.desk._site
    answer = site.go("/", say)
    for name, value in answer.raw_headers:
        assert b"\r" not in value and b"\n" not in value and len(value) < 4_096, name
    cookie = answer.headers["set-cookie"]
    assert cookie.count(";") == 4 and cookie.isascii()
    async with without_accounts()[0].window(place) as window:
        window.cookies.set("bellwire_said", cookie.partition("=")[2].partition(";")[0])
        shown = await window.get("/")
        assert shown.status_code == 200 and '<p class="said" role="status">' in shown.text
        assert any("bellwire_said" in each and "Max-Age=0" in each for each in shown.headers.get_list("set-cookie"))


@pytest.mark.parametrize("secret", ["é" * 3, "x" * 8_000, "%00", '"', "../.."])
async def test_no_cookie_makes_the_desk_fail(place: Place, secret: str) -> None:
    async with Guest("", headers={}).window(place) as window:
        cookie = f"bellwire_session={secret}; bellwire_said=%ff%0d%0a{secret}".encode()
        for path in ("/", "/sign-in", "/nope"):
            answer = await window.get(path, headers=[(b"Cookie", cookie)])
            assert answer.status_code < 500


# The API


async def test_every_operation_of_the_api_is_let_in_by_the_right_that_it_names_and_nothing_else(place: Place) -> None:
    every, callers = await operations(place.url), await api_callers(place)
    assert [path for method, path, right in every if method != "GET" and right is Right.SEE] == []
    for program in callers:
        async with program.line(place) as line:
            await line.get("/api/v1/me")  # From now on, its having been used is noted.
            before = await everything_in(place)
            for method, path, right in every:
                if program.rights is not None and right in program.rights:
                    continue
                answer = await line.request(method, "/api/v1" + address(path), json={})
                about = (program.name, method, path, answer.text)
                assert answer.status_code == (401 if program.rights is None else 403), about
                assert answer.headers["Content-Type"] == "application/problem+json", about
                assert has_the_headers(answer), about
                assert ("WWW-Authenticate" in answer.headers) is (program.rights is None), about
            assert await everything_in(place) == before, program.name


async def test_whoever_has_the_right_is_let_in(place: Place) -> None:
    for method, path, right in await operations(place.url):
        _, text = await place.ledger.write(partial(token, rights=(right,)))
        headers = {"Authorization": f"Bearer {text}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{place.url}/api/v1{address(path)}", json={}) as got,
        ):
            assert got.status not in (401, 403) and got.status < 500, (method, path, await got.text())
            assert has_the_headers(got)


async def test_a_token_that_is_used_is_noted_now_and_then(place: Place) -> None:
    number, text = await place.ledger.write(partial(token, rights=(Right.SEE,)))

    def used(rows: Rows) -> Any:
        return rows.one("SELECT used_at FROM tokens WHERE id = :id", {"id": number})

    seen = []
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {text}"}) as line:
        for minutes in (0, 1, 6):
            place.now = NOW + timedelta(minutes=minutes)
            assert (await line.get(f"{place.url}/api/v1/me")).status_code == 200
            seen.append(await place.ledger.read(used))
    assert seen[0] == seen[1] != seen[2]


async def test_the_api_sends_nobody_elsewhere(place: Place) -> None:
    async with Guest("", headers={"Host": "evil.example"}).window(place) as window:
        for path in ("/api/v1/me/", "/api/v1", "/api/v1/", "/api/v1/openapi.json/", "/api/v1//evil.example"):
            answer = await window.get(path)
            assert answer.status_code in (401, 404, 303) and "evil" not in answer.headers.get("location", ""), path
