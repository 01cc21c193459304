"""The process dies at every durable point there is, one after the other; then it starts again, and all comes right.

Each story is walked by itself: told once without a death, to learn its points, then once for each of them. Every third
time the next life dies too, a few points later, so that what mends a death is itself interrupted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bellwire.ledger import exceptions
from bellwire.practice import Fault, FaultKind, Sale, SaleLine, Webhook
from bellwire.practice.story import UNKNOWN_SKU, Chapter, deliveries
from tests.reliability.dying import KILLED, Fate
from tests.reliability.proof import broken
from tests.reliability.telling import Told, command, living, prepared, send
from tests.reliability.walking import walk
from tests.running import Town


@dataclass(frozen=True)
class Story:
    """What is walked, and which of its points: those that no other story has."""

    chapter: Chapter
    fewest: int
    """So many points it has at least."""
    shares: int = 1
    """Tests for it: each walks its part of the points."""
    about: tuple[str, ...] = ("",)
    """Of a point, what has to be in its name."""
    fault: tuple[str, Fault] | None = None
    """Of the vendor in a role."""

    def webhooks(self, place: Town) -> Iterator[Webhook]:
        place.chapters.append(self.chapter)
        return (each.webhook for each in deliveries(place.holdings.shop, [self.chapter], place.placed))


def _plain(number: str) -> Chapter:
    return Chapter(Sale(number, [SaleLine("TEA-100", 2)]), "")


STORIES = {
    "a webhook that comes three times": Story(
        Chapter(Sale("1001", [SaleLine("TEA-100", 2)]), "", copies=3), fewest=90, shares=2
    ),
    "a webhook that was overtaken": Story(
        Chapter(Sale("1002", [SaleLine("MUG-RED")]), "", overtaken=True), fewest=90, shares=2
    ),
    "a SKU that the owner has to map": Story(
        Chapter(Sale("1003", [SaleLine(UNKNOWN_SKU), SaleLine("TEA-100")]), ""), fewest=90, shares=2
    ),
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


async def tell(story: Story, ledger: Path, folder: Path, fates: Sequence[Fate]) -> Told:
    async with prepared(folder, ledger) as place:
        if story.fault is not None:
            role, fault = story.fault
            place.practice.simulators[place.roles[role]].faults.add(fault)
        async with living(place, fates) as lives:
            acknowledged = await send(lives, story.webhooks(place))
            await lives.until_done()
            if place.look(exceptions.open_ones):
                await mend(place)
                await lives.until_done()
        return lives.told(broken(place, acknowledged))


async def mend(place: Town) -> None:
    """The owner says which item the unknown SKU is, and retries; on the command line, which is killed as well."""
    item = place.holdings.books.item_for(UNKNOWN_SKU)
    assert await command(place, "records", "map", "books", "product", UNKNOWN_SKU, item) == 0
    for fate in (Fate(1), Fate(2), Fate()):
        if stuck := place.look(exceptions.open_ones):
            code = await command(place, "exception", "retry", stuck[0].id, fate=fate)
            assert code == (KILLED if fate.dies_at else 0)
