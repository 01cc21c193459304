"""Every page fits its screen and can be read by everybody, on a laptop and on a phone, in light and dark: as it is
listed in `Desk.all_pages()`, and in states that its address doesn't tell."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bellwire.access import Role, begin_half, key_of
from bellwire.desk.piloting import Attempt
from bellwire.flows import parse_flow
from bellwire.ledger import PilotRow, Rows, asks, audit, people, pilots
from tests.desk.addresses import address, is_page
from tests.desk.asked import to_do
from tests.desk.browsing import CLIPPED, LAPTOP, PHONE, TOO_FAINT, in_chromium, window
from tests.desk.callers import Guest, furnish, pages_of, somebody
from tests.desk.pages.test_exceptions import GROUP, many
from tests.desk.story import FLOW, NOW, Place, Story, open_desk, settings_in, state_of, the_flow
from tests.desk.vendors import OLD, at_vendors, send

pytestmark = in_chromium

FADING = """document.getAnimations().forEach((animation) => animation.finish())"""
HERE: Any = {"domain": "127.0.0.1", "path": "/"}
OPENED = """document.querySelectorAll("details").forEach((details) => { details.open = true; })"""
UNLABELLED = """[...document.querySelectorAll("input:not([type=hidden], [hidden]), select, textarea")]
  .filter((field) => !field.labels.length && !field.ariaLabel).map((field) => field.outerHTML)"""
SAYS_NO = {
    "/connections/callback": 400,  # Nobody has begun a sign-in at a vendor,
    "/connections/{name}/rotate": 404,  # nor has this connection a secret of its own to replace,
    "/connections/{name}/first": 404,  # and it takes no webhooks.
    "/{rest:path}": 404,
}
"""The pages whose address, as it is here, is meant to be refused."""
OF_THE_LAYOUT = {"runOnly": ["target-size", "scrollable-region-focusable", "label-content-name-mismatch"]}
PAPER = {"light": "rgb(246, 246, 243)", "dark": "rgb(19, 25, 26)"}


@dataclass(frozen=True)
class Sights:
    """Addresses, and what the browser of somebody who is signed in keeps: the desks that don't know it show what they
    show to strangers."""

    pages: Mapping[str, int]
    """Each with the status that it answers with."""
    states: Sequence[str]
    """The same pages with something else on them: what axe has to say was said."""
    vendor: str
    """Where one signs in at the vendor by the browser."""
    secret: str
    desks: tuple[str, ...]
    """All that a page may ask anything of."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sights(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sights]:
    """Everything that there is to see: what needs signing in, signing in itself, and pages that say no."""
    folder = tmp_path_factory.mktemp
    desk = folder("desk")
    async with (
        open_desk(desk, business="Hill & Leaf Tea", editing=True, settings=settings_in(desk)) as place,
        open_desk(folder("stuck"), business="Hill & Leaf Tea") as stuck,
        open_desk(folder("empty")) as empty,
        open_desk(folder("signing-in")) as with_people,
        open_desk(folder("pilots"), flows=[parse_flow(FLOW, Path(f"{name}.yaml")) for name in PILOTS]) as piloted,
        at_vendors(folder("vendors"), webhook_secret=OLD) as (at_vendor, _, vault),
    ):
        await furnish(place)
        await place.write(_also)
        await stuck.write(many)
        unread = await stuck.write(lambda story: story.unreadable(NOW))
        vault.store("desk", {"client_id": "app", "client_secret": "s3cret", "refresh_token": "g00d"})
        await send(at_vendor, OLD, 1)
        _, secret = await place.ledger.write(lambda rows: somebody(rows, "dana", Role.OWNER))
        await with_people.ledger.write(lambda rows: _has_yet_to_give_a_code(rows, secret))
        piloted.desk._site.pilots._attempts.update(PILOTS)
        site, mode = f"{at_vendor.url}/connections/site", "/flows/order_to_cash/mode"
        well = [
            *[f"{place.url}/runs/{await state_of(place, state)}" for state in ("dead", "waiting", "running")],
            f"{place.url}/exceptions?cause=unknown-sku&connection=stock",
            f"{place.url}/exceptions?state=closed",
            *(f"{empty.url}{path}" for path in ("/", "/setup", "/runs", "/exceptions", "/asks")),
            *(f"{with_people.url}{path}" for path in ("/sign-in", "/sign-in/code")),
            *(f"{piloted.url}/flows/{name}/pilot" for name in PILOTS),
            *(f"{site}{path}" for path in ("", "/credentials", "/rotate", "/first")),
        ]
        yield Sights(
            {each: status async for each, status in shown(place, secret)} | dict.fromkeys(well, 200),
            [
                *(f"{place.url}{path}" for path in ("/runs?q=hill", "/runs?q=nobody", "/asks/2", f"{mode}?to=live")),
                f"{place.url}/help/dictionary?q=order",
                *(f"{stuck.url}{path}" for path in ("/exceptions", "/exceptions?state=closed", GROUP)),
                *(f"{stuck.url}/exceptions/{path}" for path in ("1", "1/edit", unread)),
                *(f"{at_vendor.url}/connections{path}" for path in ("", "/desk/credentials", "/desk/first")),
            ],
            f"{at_vendor.url}/connections/desk",
            secret,
            (place.url, stuck.url, empty.url, with_people.url, piloted.url, at_vendor.url),
        )


def _also(story: Story) -> None:
    story.number = 3000
    to_do(story, NOW - timedelta(days=9))
    pilots.record(
        story.rows, PilotRow("order_to_cash", the_flow().hash, "practice", False, 9, 10, NOW, "somebody else")
    )
    asks.keep_link_key(story.rows, "a key")
    audit.record(story.rows, "Dana", "retry", "run 12", NOW, "a reason " * 20)


def _has_yet_to_give_a_code(rows: Rows, secret: str) -> None:
    """Somebody whose browser keeps this."""
    person, _ = somebody(rows, "sam", Role.OWNER)
    half = people.session(rows, key_of(begin_half(rows, person, NOW, "a browser", instead_of="")))
    assert half is not None
    people.begin(rows, replace(half, key=key_of(secret)))


def _record(position: int, *, good: bool = True) -> dict[str, Any]:
    """A record of a pilot, as the command tells it."""
    trouble = [{"action": "stock", "sentence": "Shelf Count has no product TEA-100."}]
    check = {"what": "The label", "expected": "one", "actual": "none", "held": good}
    told = {"checks": [check], "retried": [] if good else trouble, "exceptions": [] if good else trouble}
    return {"position": position, "about": "a plain order", "as_expected": good, "seconds": 1.2} | told


def _attempt(*, wrong: str = "", running: bool = False, good: bool | None = None) -> Attempt:
    records: list[Mapping[str, Any]] = [_record(1), _record(2, good=bool(good))]
    report = None
    if good is not None:
        criteria = [{"what": "Errors", "expected": "at most 1 %", "actual": "50 %", "held": good}]
        why = [] if good else ["Record 2 (a plain order): the label isn't there."]
        report = {"hash": "", "ready": good, "why_not": why, "records": records, "criteria": criteria, "notes": ["So."]}
    return Attempt("", "Dana", NOW, running, [] if wrong else records, report, wrong)


PILOTS = {
    "under_way": _attempt(running=True),
    "broken_off": _attempt(wrong="The file has a mistake: `bellwire check` tells which."),
    "ready": _attempt(good=True),
    "not_ready": _attempt(good=False),
}
"""A pilot in each of its states, by the flow that it is of."""


async def shown(place: Place, secret: str) -> AsyncIterator[tuple[str, int]]:
    """The addresses of the pages, and the status of each."""
    async with Guest("dana", secret=secret).window(place) as window:
        for page in pages_of(place, "GET"):
            if is_page(await window.get(address(page.path))):
                yield place.url + address(page.path), SAYS_NO.get(page.path, 200)


async def wrong(page: Page, width: int, *, axe: Mapping[str, Any] | None, then: str) -> list[str]:
    """With the page as it is; and with its colours, too, as in the other scheme."""
    await page.evaluate(OPENED)
    await page.evaluate(FADING)
    found = [*await page.evaluate(CLIPPED), *await page.evaluate(UNLABELLED), *await page.evaluate(TOO_FAINT)]
    if axe is not None:
        said = await Axe().run(page, options={"resultTypes": ["violations"], **axe})
        found += [said.generate_report()] * bool(said.violations_count)
    if await page.evaluate("document.documentElement.scrollWidth") > width:
        found.append("It is wider than the screen.")
    if await page.locator("h1").count() != 1:
        found.append("It has not one heading.")
    await _in(page, then)
    await page.evaluate(FADING)
    if await page.evaluate("getComputedStyle(document.body).backgroundColor") != PAPER[then]:
        found.append(f"It is not {then}.")
    return found + [f"in {then}: {each}" for each in await page.evaluate(TOO_FAINT)]


async def _in(page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")


@pytest.mark.parametrize(
    ("width", "first", "then", "rules"), [(LAPTOP, "light", "dark", {}), (PHONE, "dark", "light", OF_THE_LAYOUT)]
)
async def test_every_page_fits_can_be_read_and_axe_finds_nothing_wrong_with_it(
    browser: Browser, sights: Sights, width: int, first: str, then: str, rules: Mapping[str, Any]
) -> None:
    """All rules of axe (https://github.com/dequelabs/axe-core) once: of them, few depend on the width, which are looked
    at on a phone, too; and those for colours on the scheme: how far each text stands out from its background is looked
    at in both, on both."""
    assert len(sights.pages) > 40
    found: dict[str, list[str]] = {}
    async with window(browser, width=width) as opened:
        page = opened.page
        await page.context.add_cookies([{"name": "bellwire_session", "value": sights.secret} | HERE])

        async def look(address: str, *, axe: Mapping[str, Any] | None, status: int = 200) -> None:
            await _in(page, first)
            opened.complaints.clear()
            if page.url != address:
                await page.goto(address)
            found[address] = await wrong(page, width, axe=axe, then=then)
            if page.url != address:
                found[address].append(f"It leads on to {page.url}.")
            refused = f"status of {status}"
            if [refused in each for each in opened.complaints] != [True] * (status != 200):
                found[address].append(f"It is to answer {status}, and the browser says: {opened.complaints}")

        for address, status in sights.pages.items():
            await look(address, axe=rules, status=status)
        for address in sights.states:
            await look(address, axe=None)
        await page.goto(sights.vendor)
        await page.get_by_role("button", name="Ask it now").click()
        await expect(page.locator(".said")).to_be_visible()
        await look(sights.vendor, axe=None)
        await page.get_by_role("button", name="Sign in at Acme Desk").click()
        await page.wait_for_url(f"{sights.vendor}/sign-in")
        await look(page.url, axe=None)

        assert {address: said for address, said in found.items() if said} == {}
        assert [each for each in opened.asked if not each.startswith((*sights.desks, "data:image/svg"))] == []
