"""The process dies at every durable point there is, one after the other; then it starts again, and all comes right.

Each story is walked by itself: told once without a death, to learn its points, then once for each of them. Every third
time the next life dies too, a few points later, so that what mends a death is itself interrupted. It is `bellwire up`
that dies, or what a person says on the command line beside it, who then says it again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bellwire.desk.gate import SESSION
from bellwire.desk.visitor import Visitor
from bellwire.ledger import Rows, asks, errands, exceptions
from bellwire.practice import Fault, FaultKind, Sale, SaleLine, Webhook
from bellwire.practice.quickbooks import QuickBooks
from bellwire.practice.shopify import Shopify
from bellwire.practice.stories.order_to_cash import UNKNOWN_SKU, Chapter, deliveries
from tests.reliability import aged
from tests.reliability.dying import Fate
from tests.reliability.proof import broken
from tests.reliability.telling import Lives, Told, command, living, prepared, send
from tests.reliability.walking import walk
from tests.running import Town

Words = Sequence[object]
"""Of a command."""

CLOSED = "Exception 1 is closed already"
ANSWERED = "To-do 1 isn't open any more"

RETURNS = """
name: Returned goods
trigger: shop.order.refunded
owner: {name: Dana, contact: dana@example.com}
success: {within: 2m, error_rate: 1%}
manual_minutes: 1
actions:
  flagged:
    do: shop.flag_product
    with: {sku: "{{ event.lines[0].sku }}", flag: returned}
"""


ASKED = """
name: Asked
trigger: shop.order.paid
owner: {name: Dana, contact: dana@example.com}
success: {within: 2m, error_rate: 1%}
manual_minutes: 1
actions:
  flagged:
    emit: order.flagged
    with: {number: "{{ event.number }}"}
  asked:
    do: shop.flag_product
    approve: {ask: "Flag it?", by: Dana}
    with: {sku: "{{ event.lines[0].sku }}", flag: asked}
"""
FLAGGED = """
name: Flagged
trigger: bellwire.order.flagged
owner: {name: Dana, contact: dana@example.com}
success: {within: 2m, error_rate: 1%}
manual_minutes: 1
actions:
  told:
    do: shop.flag_product
    with: {sku: TEA-100, flag: "told"}
"""
ASKING = {"asked.yaml": ASKED, "flagged.yaml": FLAGGED}


def as_told(place: Town, chapter: Chapter) -> Iterator[Webhook]:
    """What the shop sends."""
    place.chapters.append(chapter)
    return (each.webhook for each in deliveries(place.holdings.shop, [chapter], place.placed))


def refund_first(place: Town, chapter: Chapter) -> Iterator[Webhook]:
    """A refund overtakes the payment; the state between the two comes last of all."""
    shop, paid = place.holdings.shop, place.paid(chapter)
    assert isinstance(shop, Shopify)
    order_id = place.placed[chapter.sale.number]
    between = shop.webhook(order_id, "order.updated")
    shop.refund(order_id, {str(shop.orders[order_id]["line_items"][0]["id"]): 1})
    yield shop.webhook(order_id, "order.refunded")
    yield shop.webhook(order_id, "order.updated")
    yield paid
    yield between


def nothing(_place: Town) -> Sequence[Words]:
    return ()


def map_it(place: Town) -> Sequence[Words]:
    """Say which item the unknown SKU is, and retry."""
    item = place.holdings.books.item_for(UNKNOWN_SKU)
    return ("records", "map", "books", "product", UNKNOWN_SKU, item), ("exception", "retry", 1)


def write_it(place: Town) -> Sequence[Words]:
    """Write the invoice by hand, and say so; its payment is still to be recorded."""
    books, (number, order_id) = place.holdings.books, *place.placed.items()
    assert isinstance(books, QuickBooks)
    total, currency = place.holdings.shop.total(order_id), {"value": "USD"}
    customer = books.books.add("Customer", DisplayName="By hand", CurrencyRef=currency)
    invoice = books.books.add(
        "Invoice",
        DocNumber=number,
        CustomerRef={"value": customer["Id"]},
        CurrencyRef=currency,
        Line=[{"Amount": float(total.amount), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}],
        TotalAmt=float(total.amount),
        Balance=float(total.amount),
    )
    return (("exception", "resolve", 1, "--id", invoice["Id"], "--with", f"customer_id={customer['Id']}"),)


def leave_it(_place: Town) -> Sequence[Words]:
    """Do without the invoice."""
    return (("exception", "dismiss", 1, "--reason", "It was a sample."),)


def say_yes(_place: Town) -> Sequence[Words]:
    return (("todo", "approve", 1),)


@dataclass(frozen=True)
class Story:
    """What is walked, and which of its points: those that no other story has."""

    chapter: Chapter
    fewest: int = 90
    """So many points it has at least, for `bellwire up`."""
    shares: int = 1
    """Tests for it: each walks its part of the points."""
    about: tuple[str, ...] = ("",)
    """Of a point, what has to be in its name."""
    fault: tuple[str, Fault] | None = None
    """Of the vendor in a role."""
    webhooks: Callable[[Town, Chapter], Iterator[Webhook]] = as_told
    beside: Mapping[str, str] = field(default_factory=dict)
    """Flows beside the usual one."""
    by_person: Callable[[Town], Sequence[Words]] = nothing
    """What the owner says once somebody is needed. The last of it may die, in place of `bellwire up`."""
    booked: bool = True
    closed: str = CLOSED
    """What the last of what the owner says hears if it is done already."""


def _plain(number: str) -> Chapter:
    return Chapter(Sale(number, [SaleLine("TEA-100", 2)]), "")


def _unknown(number: str) -> Chapter:
    return Chapter(Sale(number, [SaleLine(UNKNOWN_SKU), SaleLine("TEA-100")]), "")


STORIES = {
    "a webhook that comes three times": Story(Chapter(Sale("1001", [SaleLine("TEA-100", 2)]), "", copies=3), shares=2),
    "a webhook that was overtaken": Story(Chapter(Sale("1002", [SaleLine("MUG-RED")]), "", overtaken=True), shares=2),
    "a SKU that the owner has to map": Story(_unknown("1003"), shares=2, by_person=map_it),
    "a vendor that asks to slow down": Story(
        _plain("1004"),
        fewest=10,
        about=("of shipping", "attempts label"),
        fault=("shipping", Fault(kind=FaultKind.RATE_LIMITED, match="POST .*1004", seconds=1)),
    ),
    "a vendor that does it, and then the line goes dead": Story(
        _plain("1005"),
        fewest=10,
        about=("of books", "attempts invoice"),
        fault=("books", Fault(kind=FaultKind.LOST_ANSWER, match='POST .*"1005"')),
    ),
    "a sign-in that has ended": Story(
        _plain("1006"),
        fewest=10,
        about=("of books", "attempts invoice", "vault"),
        fault=("books", Fault(kind=FaultKind.SIGNED_OUT, match="invoice")),
    ),
    "a flow that asks a person, and begins another": Story(
        _plain("1010"),
        fewest=8,
        about=("attempts asked", "attempts flagged", "attempts told", "insert into events", "asks"),
        beside=ASKING,
        by_person=say_yes,
        closed=ANSWERED,
    ),
    "a refund that comes before the payment": Story(
        _plain("1007"),
        fewest=20,
        about=("deliveries", "answering", "attempts flagged"),
        # So that the payment finds it still going on, and has to wait for its turn.
        fault=("shop", Fault(kind=FaultKind.SLOW, match="tagsAdd", seconds=0.2)),
        webhooks=refund_first,
        beside={"returns.yaml": RETURNS},
    ),
}
SHARES = [(name, (share, story.shares)) for name, story in STORIES.items() for share in range(story.shares)]


@pytest.mark.parametrize(("story", "share"), SHARES, ids=[f"{name}-{share[0]}" for name, share in SHARES])
async def test_the_process_may_die_at_any_point_and_then_soon_again(
    story: str, share: tuple[int, int], empty_ledger: Path, tmp_path: Path
) -> None:
    told = STORIES[story]

    def wanted(point: str) -> bool:
        return any(part in point for part in told.about)

    walked = await walk(partial(tell, told, empty_ledger), tmp_path, which=wanted, share=share)
    walked.holds(fewest=told.fewest)


STOPS = {
    "while it books the payment": ("a webhook that comes three times", "before POST payment of books #1"),
    "while it waits for its time": (
        "a vendor that asks to slow down",
        "after a commit of insert into attempts label failed #1",
    ),
}


@pytest.mark.parametrize("when", STOPS)
async def test_the_process_may_die_at_any_point_while_it_stops(when: str, empty_ledger: Path, tmp_path: Path) -> None:
    story, stops_at = STOPS[when]
    walked = await walk(partial(tell, STORIES[story], empty_ledger), tmp_path, stops_at=stops_at)
    walked.holds(fewest=10)


BY_PERSON = {
    "retries": STORIES["a SKU that the owner has to map"],
    "says yes": STORIES["a flow that asks a person, and begins another"],
    "resolves": Story(_unknown("1008"), by_person=write_it),
    "dismisses": Story(_unknown("1009"), by_person=leave_it, booked=False),
}


@pytest.mark.parametrize("what", BY_PERSON)
async def test_a_command_may_die_at_any_point_and_is_given_again(what: str, empty_ledger: Path, tmp_path: Path) -> None:
    walked = await walk(partial(tell, BY_PERSON[what], empty_ledger, dies="command"), tmp_path)
    # Once it is done, saying it again comes to no point.
    walked.holds(fewest=4, missed=0, again=1 / 2)


async def test_work_in_bulk_may_die_at_any_point_and_goes_on_by_itself(empty_ledger: Path, tmp_path: Path) -> None:
    """Asked for in the desk, whose process it is that dies; each exception is sent again once."""

    async def tell_in_bulk(folder: Path, fates: Sequence[Fate]) -> Told:
        async with prepared(folder, empty_ledger) as place:
            books = place.holdings.books
            assert isinstance(books, QuickBooks)
            async with living(place, fates, books.forget) as lives:
                webhooks = [each for number in ("1011", "1012") for each in as_told(place, _unknown(number))]
                acknowledged = await send(lives, webhooks)
                await lives.until_done()
                item = books.item_for(UNKNOWN_SKU)
                await command(place, "records", "map", "books", "product", UNKNOWN_SKU, item)
                await retry_all(lives)
                while place.look(_needs_somebody) or place.look(errands.unfinished):
                    await lives.moment()
                await lives.until_done()
            return lives.told(broken(place, acknowledged))

    walked = await walk(tell_in_bulk, tmp_path, which=lambda point: "errand" in point)
    walked.holds(fewest=4, missed=0)


async def retry_all(lives: Lives) -> None:
    """Ask for it in the desk, and again as long as no answer comes, unless nothing is left to be asked for."""
    owner = Visitor("", frozenset(), "s" * 43)
    form = {"form_token": owner.form_token, "do": "retry", "which": "all"}
    async with aiohttp.ClientSession(cookies={SESSION: owner.secret}) as session:
        while lives.place.look(_needs_somebody):
            with suppress(aiohttp.ClientError):
                async with session.post(f"{lives.place.url}/exceptions/many", data=form) as got:
                    assert got.status == 200, await got.text()
                    return
            await lives.moment()


async def test_a_purge_may_die_at_any_point_and_is_given_again(aged_ledger: Path, tmp_path: Path) -> None:
    async def purge(folder: Path, fates: Sequence[Fate]) -> Told:
        async with prepared(folder, aged_ledger) as place:
            told = (await command(place, "purge", fates=fates)).told([])
            kept = place.look(aged.payloads), place.look(aged.details)
        wanted = {aged.YOUNG, aged.UNREADABLE}, {aged.YOUNG, aged.STUCK}
        return told if kept == wanted else replace(told, broken=[*told.broken, f"It left {kept}."])

    walked = await walk(purge, tmp_path)
    walked.holds(fewest=12, missed=0)


def _needs_somebody(rows: Rows) -> bool:
    return bool(exceptions.open_ones(rows) or asks.open_ones(rows))


async def tell(story: Story, ledger: Path, folder: Path, fates: Sequence[Fate], dies: str = "up") -> Told:
    async with prepared(folder, ledger, story.beside) as place:
        if story.fault is not None:
            role, fault = story.fault
            place.practice.simulators[place.roles[role]].faults.add(fault)
        books = place.holdings.books
        assert isinstance(books, QuickBooks)
        # After a death they know no key any more: how long they do, nobody promises.
        async with living(place, fates if dies == "up" else (), books.forget) as lives:
            walked = lives
            acknowledged = await send(lives, story.webhooks(place, story.chapter))
            await lives.until_done()
            if place.look(_needs_somebody) and (said_by_person := story.by_person(place)):
                *before, last = said_by_person
                for words in before:
                    await command(place, *words)
                said = await command(place, *last, fates=fates if dies == "command" else (), done_before=story.closed)
                await lives.until_done()
                walked = said if dies == "command" else lives
        given_up = () if story.booked else place.placed
        wrong = broken(place, acknowledged, given_up)
        return walked.told(wrong if walked is lives else [*lives.harm, *wrong])
