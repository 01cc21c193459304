"""The pilot: ten records that find out whether a flow is ready, and a report that says so."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest

from bellwire.flows import parse_flow
from bellwire.practice import Books, Chat, Shop, Till
from bellwire.practice.pilot import Check, Report, Retried, Stuck, Tried, page
from bellwire.practice.pilot.kinds.orders import records
from bellwire.practice.pilot.report import percent
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.quota import Quota
from tests.practice.pilots import ORDER_TO_CASH, SHORT, able, roles, trial
from tests.samples import NOW

PAID = {"invoice": 1, "receipt": 1}
ORDINARY, CLASS, GUEST, TROUBLE, UNKNOWN = 1, 6, 7, 9, 10


async def tried(folder: Path, flow: str, *positions: int, **chosen: str) -> list[Tried]:
    """What comes of these records (of all, if none is named)."""
    wanted = [record for record in records(2001) if record.position in (positions or range(11))]
    async with trial(folder, flow, **chosen) as pilot:
        return [each async for each in pilot.run(wanted)]


async def tried_one(folder: Path, flow: str, position: int) -> Tried:
    (only,) = await tried(folder, flow, position)
    return only


def found(of: Tried) -> dict[str, str]:
    return {check.what: check.actual for check in of.checks}


def differing(of: Tried) -> dict[str, tuple[str, str]]:
    return {check.what: (check.expected, check.actual) for check in of.checks if not check.held}


@pytest.mark.parametrize("shop", able(Shop))
async def test_order_to_cash_is_ready_whatever_the_shop(tmp_path: Path, shop: str) -> None:
    made = await tried(tmp_path, ORDER_TO_CASH, shop=shop)
    assert [each.why_not for each in made] == [""] * 10
    assert all(each.took is not None for each in made)
    ordinary, trouble, unknown = made[ORDINARY - 1], made[TROUBLE - 1], made[UNKNOWN - 1]
    assert found(ordinary)["Stock"] == "TEA-100: -2"
    assert found(ordinary)["In the books"].endswith(" USD, paid")
    assert dict(made[CLASS - 1].skipped).keys() == {"asked", "gift_card", "label", "fulfilled"}
    assert found(made[CLASS - 1])["Shipping labels"] == "none"
    assert found(made[GUEST - 1])["Mails"] == "none"
    assert found(trouble)["Repeats"] == "3 deliveries, one run"
    assert found(trouble)["Trouble that was made"] == "failed and lost-answer"
    assert len(trouble.retried) == 2
    (stuck,) = unknown.stuck
    assert "TEA-500-NEW" in stuck.sentence and stuck.remedy
    assert found(unknown)["After it is mended and retried"] == "done"


async def test_records_come_so_far_apart_that_no_limit_slows_them_down(tmp_path: Path) -> None:
    """As orders do: what a vendor takes in a minute is enough for any one of them."""
    async with trial(tmp_path, SHORT) as pilot:
        pilot.stage.simulators["chat"].quotas = [Quota(3, seconds=60)]
        made = [each async for each in pilot.run(records(2001)[:5])]
    assert [each.why_not for each in made] == [""] * 5
    assert [each.retried for each in made] == [[]] * 5


async def test_order_to_cash_is_ready_with_other_books_another_till_and_another_chat(tmp_path: Path) -> None:
    others = {"books": able(Books)[-1], "stock": able(Till)[-1], "chat": able(Chat)[-1]}
    assert not set(others.values()) & set(roles().values())
    made = await tried(tmp_path, ORDER_TO_CASH, **others)
    assert [each.why_not for each in made] == [""] * 10
    assert found(made[ORDINARY - 1])["In the books"].endswith(" USD, paid")
    assert [found(each)["Messages to the team"] for each in made[:3]] == ["1", "1", "1"]
    (stuck,) = made[UNKNOWN - 1].stuck
    assert "TEA-500-NEW" in stuck.sentence and stuck.remedy


async def test_only_what_the_flow_does_is_compared(tmp_path: Path) -> None:
    only = await tried_one(tmp_path, SHORT, ORDINARY)
    assert list(found(only)) == ["The run", "In the books", "Messages to the team"]
    assert only.as_expected
    assert found(only)["In the books"].endswith("open"), "this flow records no payment"


async def test_a_flow_that_forgets_guests_without_mail_is_not_ready(tmp_path: Path) -> None:
    flow = ORDER_TO_CASH.replace("if: event.email", "if: true")
    only = await tried_one(tmp_path, flow, GUEST)
    assert only.why_not == "the run: expected done, found stuck at notice"
    assert [stuck.action for stuck in only.stuck] == ["notice"]


async def test_a_label_for_what_nobody_sends_is_found(tmp_path: Path) -> None:
    flow = ORDER_TO_CASH.replace("if: event.ships", "if: true")
    assert "stuck at label" in (await tried_one(tmp_path, flow, CLASS)).why_not


async def test_stock_that_falls_twice_is_found(tmp_path: Path) -> None:
    twice = """
  again:
    do: stock.adjust
    with: {lines: "{{ event.lines }}", reason: sale}
"""
    only = await tried_one(tmp_path, ORDER_TO_CASH + twice, ORDINARY)
    assert differing(only) == {"Stock": ("TEA-100: -2", "TEA-100: -4")}


async def test_books_that_hold_another_total_than_the_shop_are_found(tmp_path: Path) -> None:
    first, _, third, *_ = records(2001)
    async with trial(tmp_path, ORDER_TO_CASH) as pilot:
        kind, vendors = pilot.kind, pilot.vendors
        before = kind.state(vendors)
        (_,) = [each async for each in pilot.run([first])]
        other = kind.happen(vendors, third)
        wanted = Wanted({"invoice": "accounting.create_invoice", "receipt": "accounting.record_payment"}, PAID)
        (check,) = kind.checks(third, other, vendors, wanted, before)
        (missing,) = kind.checks(third, other, vendors, wanted, kind.state(vendors))
    assert (check.held, check.actual) == (False, "24.40 USD, paid")
    assert (missing.held, missing.actual) == (False, "nothing")


async def test_a_flow_that_gives_up_at_the_first_failure_is_not_ready(tmp_path: Path) -> None:
    flow = SHORT.replace(
        'with: {order: "{{ event }}"}',
        'with: {order: "{{ event }}"}\n    retry: {attempts: 1, first: 1s, longest: 1s}',
    )
    only = await tried_one(tmp_path, flow, TROUBLE)
    assert "the run" in only.why_not and "stuck at invoice" in only.why_not


async def test_a_condition_of_the_flow_is_no_mistake(tmp_path: Path) -> None:
    flow = SHORT.replace(
        "  bench:\n", "  bench:\n    if: event.total.amount > 1000\n    otherwise: It is a small order.\n"
    )
    only = await tried_one(tmp_path, flow, ORDINARY)
    assert only.as_expected
    assert found(only)["Messages to the team"] == "none"
    assert list(only.skipped) == [("bench", "It is a small order.")]


async def test_without_books_nobody_is_asked_about_an_article(tmp_path: Path) -> None:
    flow = """
name: Word
trigger: shop.order.created
actions:
  bench:
    do: chat.post_message
    with: {channel: packing, text: "A new one: {{ event.number }}"}
"""
    trouble, unknown = await tried(tmp_path, flow, TROUBLE, UNKNOWN)
    assert (trouble.why_not, unknown.why_not) == ("", "")
    assert not unknown.stuck


async def test_an_event_that_starts_no_run_is_said(tmp_path: Path) -> None:
    async with trial(tmp_path, SHORT) as pilot:
        # The engine listens to what the file says; the pilot sends what is asked for here.
        other = replace(pilot.flow, event_type="order.created")
        pilot.flow, pilot.vendors = other, Vendors(other, pilot.stage.simulators)
        (only,) = [each async for each in pilot.run(records(2001)[:1])]
    assert only.why_not == "the run: expected done, found no run: No flow listens to it."


async def test_a_signature_that_is_refused_is_said(tmp_path: Path) -> None:
    async with trial(tmp_path, SHORT) as pilot:
        pilot.stage.signs = lambda _, webhook: replace(webhook, body=webhook.body + b" ")
        (only,) = [each async for each in pilot.run(records(2001)[:1])]
    assert only.why_not.startswith("taken in: expected answered 200, found refused: None of the secrets")
    assert only.took is None


# The report


def report(made: Sequence[Tried], flow: str = SHORT) -> Report:
    return Report(
        parse_flow(flow, Path("flows/short.yaml")),
        simulated=True,
        began=NOW,
        took=timedelta(seconds=5),
        systems={"books": "Tidy <Books>"},
        tried=made,
    )


def handmade(*, seconds: float = 0.4, held: bool = True, sentence: str = "") -> list[Tried]:
    check = Check("The run", "done", "done" if held else "stuck at invoice", held)
    stuck = [Stuck("invoice", sentence, "Mend it.")] if sentence else []
    return [
        Tried(record.position, record.name, record.about, [check], timedelta(seconds=seconds), (), stuck)
        for record in records(2001)
    ]


def test_ready_means_that_nothing_speaks_against_it() -> None:
    good = report(handmade())
    assert good.ready and good.error_rate == 0
    assert [(check.expected, check.actual) for check in good.criteria] == [
        ("at most 1 min", "0.4 s"),
        ("at most 5 %", "0 %"),
    ]
    assert good.by_hand == timedelta(hours=1)


def test_being_slower_than_promised_is_a_reason() -> None:
    late = report(handmade(seconds=61))
    assert not late.ready
    assert late.why_not == ["Time to the last step: promised at most 1 min, measured 1 min 1 s."]


def test_time_is_measured_where_nothing_went_wrong() -> None:
    slow, *others = handmade()
    slow = replace(slow, took=timedelta(seconds=90), retried=[Retried("invoice", "Tidy Books", "It failed.")])
    assert report([slow, *others]).ready


def test_what_fails_alike_is_said_once() -> None:
    bad = report(handmade(held=False, sentence="The books are closed."))
    assert bad.error_rate == 1
    assert bad.why_not == [
        "Records 1, 2, 3, 4, 5, 6, 7, 8, 9, 10: the run: expected done, found stuck at invoice. The books are closed."
    ]


def test_one_failure_is_named_by_what_is_peculiar_about_it() -> None:
    made = handmade()
    made[4] = handmade(held=False)[4]
    (why,) = report(made).why_not
    assert why.startswith("Record 5 (cents that don't divide")


def test_a_flow_without_criteria_has_none() -> None:
    plain = SHORT.replace("success: {within: 1m, error_rate: 5%}\nmanual_minutes: 6\n", "")
    bare = report(handmade(), plain)
    assert (bare.ready, bare.criteria, bare.by_hand) == (True, [], None)
    assert "By hand" not in page(bare)


def test_json_says_it_all() -> None:
    told = orjson.loads(orjson.dumps(report(handmade(held=False, sentence="Closed.")).as_json()))
    assert told["ready"] is False and len(told["records"]) == 10
    first = told["records"][0]
    assert first["checks"][0] == {"what": "The run", "expected": "done", "actual": "stuck at invoice", "held": False}
    assert first["exceptions"] == [{"action": "invoice", "sentence": "Closed.", "remedy": "Mend it."}]


class Outline(HTMLParser):
    """The tags of a page, in pairs, and what it loads."""

    VOID = ("meta", "link", "br", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("held", [True, False])
def test_the_page_stands_alone_and_is_well_formed(held: bool) -> None:
    text = page(report(handmade(held=held)))
    outline = Outline(text)
    assert outline.open == [] and outline.loads == []
    assert "script" not in outline.seen and "link" not in outline.seen
    assert outline.seen.count("h1") == 1 and outline.seen.count("caption") == 11
    assert '<html lang="en">' in text
    assert ("Ready." in text, "Not ready." in text) == (held, not held)


def test_a_vendors_words_are_only_words_on_the_page() -> None:
    text = page(report(handmade(held=False, sentence="<script>alert(1)</script>")))
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "Tidy &lt;Books&gt;" in text


def test_shares_are_told_in_percent() -> None:
    assert [percent(Decimal(text)) for text in ("0", "0.01", "0.125", "1")] == ["0 %", "1 %", "12.5 %", "100 %"]
