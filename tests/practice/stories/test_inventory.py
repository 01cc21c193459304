"""The story of inventory: that each of its promises can be broken, and that its causes are real ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from bellwire.cli import app
from bellwire.practice import Supply
from bellwire.practice.netsuite import NetSuite
from bellwire.practice.shopify import Shopify
from bellwire.practice.slack import SlackSimulator
from bellwire.practice.stories.inventory.chapters import Low, Point
from bellwire.practice.stories.inventory.day import Day
from bellwire.practice.stories.inventory.promises import verdicts as real
from bellwire.practice.stories.telling import Verdict

DRAFTS, LINES = (
    "One draft for each supplier",
    ("Each has what was low, in quantities that suit target, minimum and pack"),
)
EXPECTED, SUMS = "Each is expected when its slowest line can be there", "Each comes to its lines' prices, to the cent"
SHOWN, STRANGE = "The shop shows what is low, and on which day more is expected", "No other product has a flag"
LOW = "The buyer is told once of what was low within the hour, with each draft"
CAME = "The buyer is told of each time that goods came in, once"
ELSE = "The buyer is told nothing else"


@dataclass(frozen=True)
class Played:
    told: str
    day: Day

    @property
    def broken(self) -> set[str]:
        """The promises that don't hold by now."""
        return {verdict.promise for verdict in real(self.day) if not verdict.held}

    @property
    def buying(self) -> NetSuite:
        assert isinstance(self.day.holdings.buying, NetSuite)
        return self.day.holdings.buying

    @property
    def chat(self) -> SlackSimulator:
        assert isinstance(self.day.holdings.chat, SlackSimulator)
        return self.day.holdings.chat

    @property
    def tags(self) -> dict[str, list[str]]:
        """Of each product, by SKU."""
        assert isinstance(self.day.holdings.shop, Shopify)
        return {each["variants"][0]["sku"]: each["tags"] for each in self.day.holdings.shop.products.values()}


@pytest.fixture
def played() -> Iterator[Played]:
    seen: list[Day] = []

    def verdicts(day: Day) -> list[Verdict]:
        seen.append(day)
        return real(day)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bellwire.practice.stories.inventory.story.verdicts", verdicts)
        cast = ["--use", "stock=square", "--use", "buying=netsuite", "--use", "shop=shopify", "--use", "chat=slack"]
        result = CliRunner().invoke(app, ["demo", "inventory", "--once", *cast], env={"COLUMNS": "300"})
    assert result.exit_code == 0, result.output
    yield Played(result.stdout, seen[-1])


def test_it_tells_what_happens_and_each_promise_can_be_broken(played: Played) -> None:
    for sentence in (
        "GIFT-BOX                                          is at its reorder point",
        "duplicate of delivery",
        "an older webhook comes after a newer one",
        "The shop has no product with the SKU TEA-250",
        "NetSuite knows no preferred supplier of 'SCOOP-01'",
        "GIFT-BOX  flagged   Shopify asked to slow down",
        "GIFT-BOX  orders    NetSuite broke off before it answered",
        "GIFT-BOX  buyer     Slack failed (500)",
        "brings a part, told three times",
        "2 events = 2 done + 0 waiting + 0 exceptions + 0 skipped",
    ):
        assert sentence in played.told, sentence
    assert played.broken == set()

    tags = played.tags
    tags["TEA-100"].remove("low-stock")
    assert played.broken == {SHOWN}
    tags["TEA-100"].append("low-stock")
    tags["TEA-100"].append("eta-2026-01-01")
    assert played.broken == {SHOWN}, "the day of an older order"
    tags["TEA-100"].remove("eta-2026-01-01")
    tags["MUG-RED"].append("low-stock")
    assert played.broken == {STRANGE}
    tags["MUG-RED"].remove("low-stock")

    posted = played.chat.posted
    drafted = next(each for each in posted if each.text.startswith("Low on stock"))
    came = next(each for each in posted if each.text.startswith("Goods came in"))
    for more, broken in ((drafted, {LOW, ELSE}), (came, {CAME, ELSE}), (replace(came, text="Good morning"), {ELSE})):
        posted.append(replace(more, ts="again"))
        assert played.broken == broken, more.text
        del posted[-1]

    day = played.day
    day.lows.append(Low({"TEA-250": 3}))
    assert played.broken == {DRAFTS, LINES, LOW, ELSE}, "it was low a second time, and nobody did anything"
    del day.lows[-1]
    (order, *_) = played.buying.ordered()
    sku = next(iter(order.units))
    played.buying.bring(order.id)
    played.buying.change_item(sku, leadtime=99)
    assert EXPECTED in played.broken
    played.buying.change_item(sku, leadtime=14, cost="1.00")
    assert played.broken == {SUMS}
    played.buying.order(order.supplier, {"TEA-100": 6})
    assert {DRAFTS, LINES} <= played.broken, "somebody orders it once more"


@pytest.mark.parametrize(
    ("point", "available", "terms", "units"),
    [
        (Point("TEA-100", 40, target=120), 38, (1, 1), 82),
        (Point("TEA-100", 40, target=120), 38, (1, 6), 84),
        (Point("TEA-100", 40), 38, (1, 1), 42),
        (Point("TEA-100", 40), 38, (50, 12), 60),
    ],
)
def test_what_is_wanted_goes_by_target_minimum_and_pack(
    point: Point, available: int, terms: tuple[int, int], units: int
) -> None:
    minimum, pack = terms
    assert point.wanted(available, Supply("Leaf & Sons", 7, minimum, pack, Decimal("4.25"))) == units
