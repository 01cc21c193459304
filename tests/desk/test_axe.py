"""Every page is held to what axe finds (https://github.com/dequelabs/axe-core), on a laptop and on a phone, light and
dark: as it is listed in `Desk.all_pages()`."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from bellwire.access import Role, begin_half, key_of
from bellwire.desk.piloting import Attempt
from bellwire.flows import parse_flow
from bellwire.ledger import Rows, people
from tests.desk.callers import Guest, address, furnish, pages_of, somebody
from tests.desk.story import FLOW, NOW, Place, open_desk
from tests.desk.test_browser import LAPTOP, PHONE, browser, pytestmark, state_of, window
from tests.desk.vendors import OLD, at_vendors

__all__ = ["browser", "pytestmark"]

FADING = """document.getAnimations().forEach((animation) => animation.finish())"""
SAYS_NO = {
    "/connections/callback": 400,  # Nobody has begun a sign-in at a vendor,
    "/connections/{name}/rotate": 404,  # nor has this connection a secret of its own to replace,
    "/connections/{name}/first": 404,  # and it takes no webhooks.
    "/{rest:path}": 404,
}
"""The pages whose address, as it is here, is meant to be refused."""
HERE: Any = {"domain": "127.0.0.1", "path": "/"}
OPENED = """document.querySelectorAll("details").forEach((details) => { details.open = true; })"""


@dataclass(frozen=True)
class Sights:
    """Addresses, each with the status that it answers with, and what the browser of somebody who is signed in keeps:
    the desks that don't know it show what they show to strangers."""

    addresses: Mapping[str, int]
    secret: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sights(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sights]:
    """Everything that there is to see: what needs signing in, signing in itself, and pages that say no."""
    folder = tmp_path_factory.mktemp
    async with (
        open_desk(folder("desk"), business="Hill & Leaf Tea", editing=True) as place,
        open_desk(folder("empty")) as empty,
        open_desk(folder("signing-in")) as with_people,
        open_desk(folder("pilots"), flows=[parse_flow(FLOW, Path(f"{name}.yaml")) for name in PILOTS]) as piloted,
        at_vendors(folder("vendors"), webhook_secret=OLD) as (at_vendor, _, _),
    ):
        await furnish(place)
        _, secret = await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
        await with_people.ledger.write(lambda rows: has_yet_to_give_a_code(rows, secret))
        piloted.desk._site.pilots._attempts.update(PILOTS)
        well = [
            f"{place.url}/flows/order_to_cash/mode?to=off",
            *[f"{place.url}/runs/{await state_of(place, state)}" for state in ("dead", "waiting", "running")],
            f"{place.url}/exceptions?cause=unknown-sku&connection=stock",
            f"{place.url}/exceptions?state=closed",
            *(f"{empty.url}{path}" for path in ("/", "/setup", "/runs", "/exceptions", "/asks")),
            f"{with_people.url}/sign-in",
            f"{with_people.url}/sign-in/code",
            *(f"{piloted.url}/flows/{name}/pilot" for name in PILOTS),
            *(f"{at_vendor.url}/connections/site{path}" for path in ("", "/credentials", "/rotate", "/first")),
        ]
        yield Sights({each: status async for each, status in shown(place, secret)} | dict.fromkeys(well, 200), secret)


def has_yet_to_give_a_code(rows: Rows, secret: str) -> None:
    """Somebody whose browser keeps this."""
    person, _ = somebody(rows, "sam", Role.OWNER)
    half = people.session(rows, key_of(begin_half(rows, person, NOW, "a browser", instead_of="")))
    assert half is not None
    people.begin(rows, replace(half, key=key_of(secret)))


def record(position: int, *, good: bool = True) -> dict[str, Any]:
    """A record of a pilot, as the command tells it."""
    trouble = [{"action": "stock", "sentence": "Shelf Count has no product TEA-100."}]
    check = {"what": "The label", "expected": "one", "actual": "none", "held": good}
    told = {"checks": [check], "retried": [] if good else trouble, "exceptions": [] if good else trouble}
    return {"position": position, "about": "a plain order", "as_expected": good, "seconds": 1.2} | told


def attempt(*, wrong: str = "", running: bool = False, good: bool | None = None) -> Attempt:
    records: list[Mapping[str, Any]] = [record(1), record(2, good=bool(good))]
    report = None
    if good is not None:
        criteria = [{"what": "Errors", "expected": "at most 1 %", "actual": "50 %", "held": good}]
        why = [] if good else ["Record 2 (a plain order): the label isn't there."]
        report = {"hash": "", "ready": good, "why_not": why, "records": records, "criteria": criteria, "notes": ["So."]}
    return Attempt("", "Dana", NOW, running, [] if wrong else records, report, wrong)


PILOTS = {
    "under_way": attempt(running=True),
    "broken_off": attempt(wrong="The file has a mistake: `bellwire check` tells which."),
    "ready": attempt(good=True),
    "not_ready": attempt(good=False),
}
"""A pilot in each of its states, by the flow that it is of."""


async def shown(place: Place, secret: str) -> AsyncIterator[tuple[str, int]]:
    """Of the pages, and the status of each: not of files to take along, nor of what leads on to another page."""
    async with Guest("dana", secret=secret).window(place) as window:
        for page in pages_of(place, "GET"):
            answer = await window.get(address(page.path))
            if not answer.is_redirect and answer.headers["Content-Type"].startswith("text/html"):
                yield place.url + address(page.path), SAYS_NO.get(page.path, 200)


async def wrong(page: Page, **options: object) -> str:
    found = await Axe().run(page, options={"resultTypes": ["violations"], **options})
    return found.generate_report() if found.violations_count else ""


@pytest.mark.parametrize(("width", "first", "then"), [(LAPTOP, "light", "dark"), (PHONE, "dark", "light")])
async def test_axe_finds_nothing_wrong_with_any_page(
    browser: Browser, sights: Sights, width: int, first: str, then: str
) -> None:
    """Of the rules, those for colours depend on the scheme."""
    assert len(sights.addresses) > 40
    found: dict[str, str] = {}
    async with window(browser, width=width, scheme=first) as opened:
        await opened.page.context.add_cookies([{"name": "bellwire_session", "value": sights.secret} | HERE])
        for address, status in sights.addresses.items():
            await opened.page.emulate_media(color_scheme="dark" if first == "dark" else "light")
            opened.complaints.clear()
            await opened.page.goto(address)
            await opened.page.evaluate(OPENED)
            await opened.page.evaluate(FADING)
            found[address] = await wrong(opened.page)
            if opened.page.url != address:
                found[address] += f"It leads on to {opened.page.url}."
            if await opened.page.evaluate("document.documentElement.scrollWidth") > width:
                found[address] += "It is wider than the screen."
            await opened.page.emulate_media(color_scheme="dark" if then == "dark" else "light")
            await opened.page.evaluate(FADING)
            found[address] += await wrong(opened.page, runOnly=["color-contrast"])
            told = " ".join(opened.complaints)
            meant = not told if status == 200 else len(opened.complaints) == 1 and f"status of {status}" in told
            found[address] += "" if meant else f"It is to answer {status}, and the browser says: {told}"
        assert {address: text for address, text in found.items() if text} == {}
