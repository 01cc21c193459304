"""`make screenshots`: every page of the desk, light and dark, on a laptop and on a phone, into screenshots/.

Behind it is a project with three templates, on practice vendors: their stories are played, and then a bad hour begins.
Ends with exit code 1 if a page fails, if the browser complains about one, or if one is wider than a phone.
`make screenshots ARGS=--readme` takes some of the README's pictures anew instead, of a day with order to cash alone.
"""

import asyncio
import html
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from bellwire.access import Role
from bellwire.app import Bellwire, running
from bellwire.cli.logs import set_up
from bellwire.cli.roles import choose_connectors, fit_triggers
from bellwire.cli.staging import stage_of
from bellwire.desk import Desk, Site
from bellwire.engine import switch
from bellwire.flows import template
from bellwire.ledger import FlowMode, Rows, crosswalk, errands, exceptions
from bellwire.practice import Practice, Sale, SaleLine, Shop
from bellwire.practice.project import write_project
from bellwire.practice.stage import Passing, Stage
from bellwire.practice.stories import find_story
from bellwire.practice.stories.order_to_cash import UNKNOWN_SKU
from bellwire.settings import load_settings
from tests.desk.addresses import address, newest
from tests.desk.browsing import ARGUMENTS, CHROMIUM
from tests.desk.callers import somebody
from tests.ledger.stuck import dealt_with

FOLDER = Path(__file__).parent.parent / "screenshots"
STORIES = ("dunning", "returns", "order-to-cash")
"""In this order: the last one's day is what the first page shows. Some numbers of its orders are those of orders that
came back, so the books refuse them: exceptions to look at."""
WIDTHS = {"laptop": 1280, "phone": 390}
SCHEMES = ("light", "dark")


@asynccontextmanager
async def business(folder: Path, stories: Sequence[str] = STORIES) -> AsyncIterator[tuple[Bellwire, Stage]]:
    """The project, at work, with nothing behind it yet."""
    flows, files = dict[str, str](), dict[str, str]()
    for name in stories:
        flows |= fit_triggers(template(name), {})
        files |= find_story(name).files
    chosen = choose_connectors(flows, {})
    roles = {name: connector.name for name, connector in chosen.items()}
    clock = Passing()
    async with AsyncExitStack() as stack:
        practice = await stack.enter_async_context(Practice(set(roles.values())))
        texts = {f"{flow}.yaml": text for flow, text in flows.items()}
        secrets = write_project(folder, practice, roles, texts, files)
        settings = folder / "bellwire.toml"
        settings.write_text(f'business = "Hill & Leaf Tea"\n{settings.read_text("utf-8")}', encoding="utf-8")
        bellwire = await stack.enter_async_context(running(load_settings(folder, {}), secrets, clock))
        simulators = {name: practice.simulators[vendor] for name, vendor in roles.items()}
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield bellwire, stage_of(bellwire, simulators, session, clock=clock)


async def play(bellwire: Bellwire, stage: Stage, stories: Sequence[str] = STORIES) -> None:
    """The stories; then three orders that nobody can book."""
    for name in stories:
        print(f"Playing {name} …", flush=True)
        async for _ in find_story(name).tell(stage):
            pass

    def forget(rows: Rows) -> None:
        assert crosswalk.remove(rows, "books", "product", UNKNOWN_SKU)

    await bellwire.ledger.write(forget)
    for number in ("7001", "7002", "7003"):
        await sell(stage, number, UNKNOWN_SKU)
    await stage.settle()


async def by_hand(bellwire: Bellwire, stage: Stage) -> None:
    """An order that people have to carry out themselves."""

    def write(rows: Rows) -> None:
        switch(rows, "order_to_cash", FlowMode.MANUAL, stage.clock(), who="Dana", reason="We look at each order.")

    await bellwire.ledger.write(write)
    await sell(stage, "7004", "TEA-100")
    await stage.settle()


async def in_bulk(bellwire: Bellwire, stage: Stage) -> None:
    """Work in bulk that didn't come to its end."""

    def write(rows: Rows) -> None:
        stuck = exceptions.chosen_ids(rows, exceptions.EVERY_OPEN_ONE)
        work = errands.plan(rows, "retry", "{}", "Dana", stuck, stage.clock())
        dealt_with(rows, work, stuck[:2], (stuck[0], f"Exception {stuck[0]} is closed already (retried)."))
        errands.stop(rows, work, "There is a fault in Bellwire; the log has the details.")

    await bellwire.ledger.write(write)


async def sell(stage: Stage, number: str, sku: str) -> None:
    shop = stage.part("shop", Shop)  # type: ignore[type-abstract]
    order = shop.place(Sale(number, [SaleLine(sku, 2)]))
    shop.pay(order)
    await stage.send("shop", shop.webhook(order, "order.paid"))


_NEEDS_MORE = ("/connections/callback",)
"""What is there only while something is under way."""


@dataclass
class Camera:
    url: str
    wrong: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """The names of the pages."""

    async def take(self, browser: Browser, path: str, cookie: str) -> None:
        """All four pictures of a page."""
        if not await self._is_a_page(path, cookie):
            return
        name = "-".join(part for part in path.strip("/").split("/") if part) or "today"
        print(f"{path} …", flush=True)
        for device, width in WIDTHS.items():
            context = await browser.new_context(viewport={"width": width, "height": 844})
            if cookie:
                await context.add_cookies([{"name": "bellwire_session", "value": cookie, "url": self.url}])
            await self._take(context, path, name, device, width)
            await context.close()
        self.taken.append(name)

    async def _is_a_page(self, path: str, cookie: str) -> bool:
        """What leads elsewhere, or is a file to be kept, has nothing to show."""
        cookies = {"bellwire_session": cookie} if cookie else {}
        async with (
            aiohttp.ClientSession(cookies=cookies) as session,
            session.get(self.url + path, allow_redirects=False) as got,
        ):
            if got.status >= 400 and path not in _NEEDS_MORE:
                self.wrong.append(f"{path}: {got.status}")
            return got.status == 200 and got.content_type == "text/html"

    async def _take(self, context: BrowserContext, path: str, name: str, device: str, width: int) -> None:
        page = await context.new_page()
        page.on("console", lambda said: self._note(f"{path} ({device})", said))
        page.on("pageerror", lambda error: self.wrong.append(f"{path} ({device}): {error}"))
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            if scheme == SCHEMES[0]:
                await page.goto(self.url + path)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                self.wrong.append(f"{path} ({device}): it is {wide} px wide")
            await page.screenshot(path=FOLDER / f"{name}.{device}.{scheme}.png", full_page=True, animations="disabled")

    def _note(self, where: str, said: ConsoleMessage) -> None:
        """What the browser complains of; it also has hints, such as about a form with several secrets."""
        if said.type in ("error", "warning"):
            self.wrong.append(f"{where}: {said.text}")

    def index(self) -> Iterator[str]:
        """One page with all pictures."""
        yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>The desk</title>'
        yield "<style>body{font:16px sans-serif;margin:2rem}img{border:1px solid #888;vertical-align:top}</style>"
        for name in self.taken:
            yield f"<h2>{html.escape(name)}</h2>"
            for device, width in WIDTHS.items():
                for scheme in SCHEMES:
                    file = html.escape(f"{name}.{device}.{scheme}.png", quote=True)
                    yield f'<a href="{file}"><img src="{file}" alt="{device}, {scheme}" width="{width // 3}"></a>'


async def photograph(bellwire: Bellwire, stage: Stage) -> Camera:
    project, ledger = bellwire.project, bellwire.ledger
    desk = Desk(Site(ledger, project.flows, project.connections))
    pages = [page for page in desk.all_pages() if page.method == "GET" and page.path not in ("/live", "/{rest:path}")]
    camera = Camera(bellwire.url)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        await camera.take(browser, "/setup", "")
        _, cookie = await ledger.write(partial(somebody, name="Dana", role=Role.OWNER, now=stage.clock()))
        await ledger.write(partial(somebody, name="Sam", role=Role.OPERATOR, now=stage.clock()))
        await camera.take(browser, "/sign-in", "")
        for page in pages:
            if page.needs is not None:
                found = await ledger.read(partial(newest, path=page.path))
                await camera.take(browser, address(page.path, found), cookie)
        await browser.close()
    return camera


README = Path(__file__).parent.parent / "docs" / "images"


async def for_readme() -> None:
    with tempfile.TemporaryDirectory(prefix="bellwire-screenshots-") as folder:
        async with business(Path(folder), STORIES[-1:]) as (bellwire, stage), async_playwright() as playwright:
            await play(bellwire, stage, STORIES[-1:])
            _, cookie = await bellwire.ledger.write(partial(somebody, name="Dana", role=Role.OWNER, now=stage.clock()))
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = await browser.new_page(viewport={"width": WIDTHS["laptop"], "height": 600}, color_scheme="light")
            await page.context.add_cookies([{"name": "bellwire_session", "value": cookie, "url": bellwire.url}])
            run = (await bellwire.ledger.read(partial(newest, path="/runs")))["run"]
            await picture(page, f"{bellwire.url}/runs/{run}", "run", "section:has(#timeline-title)")
            await picture(page, f"{bellwire.url}/flows/order_to_cash", "flow", "section:has(#today-title)")
            for number in ("1001", "1002"):  # Which others have in the books already.
                await sell(stage, number, "TEA-100")
            await stage.settle()
            await picture(page, f"{bellwire.url}/exceptions", "exceptions", "main .card:last-of-type")
            await browser.close()


async def picture(page: Page, url: str, name: str, last: str) -> None:
    """Of a page, from its top to the end of `last`."""
    await page.goto(url)
    box = await page.locator(last).last.bounding_box()
    assert box is not None
    await page.screenshot(
        path=README / f"{name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": WIDTHS["laptop"], "height": box["y"] + box["height"] + 24},
        animations="disabled",
    )


async def main() -> int:
    set_up("error")
    if sys.argv[1:] == ["--readme"]:
        await for_readme()
        return 0
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="bellwire-screenshots-") as folder:
        async with business(Path(folder)) as (bellwire, stage):
            await play(bellwire, stage)
            await by_hand(bellwire, stage)
            await in_bulk(bellwire, stage)
            camera = await photograph(bellwire, stage)
    (FOLDER / "index.html").write_text("\n".join(camera.index()), encoding="utf-8")
    print(f"{len(camera.taken)} pages: {FOLDER / 'index.html'}")
    for each in dict.fromkeys(camera.wrong):
        print(f"Wrong: {each}", file=sys.stderr)
    return 1 if camera.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
