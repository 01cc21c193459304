"""What a run asks of people: a yes or a no, or (in the mode `manual`) to do it themselves; and what it only notes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from bellwire.engine import approve, cancel, decline, go_live, is_signed, leave_out, retry_run, switch, tick_off
from bellwire.errors import BellwireError, NotFound, Refused
from bellwire.flows import parse_flow
from bellwire.ledger import AskKind, AskRow, AskState, FlowMode, Outcome, RunState, asks, audit, events, runs
from tests.engine.conftest import FLOW, House
from tests.engine.test_waiting import Clock
from tests.samples import order

REFUND = """
name: Refund
trigger: till.order.paid
actions:
  label:
    do: till.create_label
    approve:
      ask: "Send {{ event.number }} for {{ event.total | money }}?"
      if: event.total.amount > 20
      by: Dana
      within: 2d
    with: {order: "{{ event }}"}
  bench:
    do: till.post_message
    with: {channel: packing, text: "{{ 'Sent ' ~ label.tracking_number if label else 'Kept' }}"}
"""


class Place(House):
    async def asked(self) -> list[AskRow]:
        return await self.ledger.read(asks.open_ones)

    async def wait_for_asks(self, count: int = 1) -> list[AskRow]:
        async def there() -> bool:
            return len(await self.asked()) == count and [r.held_for for r in await self.runs()] == [runs.A_PERSON]

        await self.until(there)
        return await self.asked()

    async def say(self, what: Any, *args: Any, **options: Any) -> None:
        now = self.clock()
        await self.ledger.write(lambda rows: what(rows, *args, now, who="Dana", **options))

    async def ends(self, state: RunState = RunState.DONE) -> None:
        async def there() -> bool:
            return [run.state for run in await self.runs()] == [state]

        await self.until(there)

    async def outcomes(self, action: str) -> list[Outcome]:
        run = (await self.run()).id
        found = await self.ledger.read(lambda rows: runs.attempts(rows, run))
        return [attempt.outcome for attempt in found if attempt.action == action]

    def said(self) -> list[str]:
        return [given.text for given in self.vendor.given if hasattr(given, "text")]


@asynccontextmanager
async def open_place(url: str, flow: str = REFUND, mode: FlowMode = FlowMode.LIVE) -> AsyncIterator[Place]:
    place = Place(url, flow=flow, clock=Clock())
    async with place.open():
        if mode is not FlowMode.LIVE:
            await place.say(lambda rows, now, who: switch(rows, "test", mode, now, who=who, reason="a try"))
        yield place


async def test_nothing_is_done_before_a_person_said_yes(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        (ask,) = await place.wait_for_asks()
        assert (ask.kind, ask.text, ask.asked) == (AskKind.APPROVAL, "Send 1001 for $24.40?", "Dana")
        assert ask.expires_at is not None and ask.expires_at - ask.asked_at == timedelta(days=2)
        assert orjson.loads(ask.given)["order"]["number"] == "1001"
        assert place.vendor.calls == []
        assert (await place.run()).reason == "It waits for a person: label."
        await place.settled()  # nobody else has anything to do
        await place.say(approve, ask.id)
        await place.ends()
        assert place.said() == ["Sent TRACK-1"]
        assert await place.outcomes("label") == [Outcome.ASKED, Outcome.APPROVED, Outcome.DONE]
        decided = await place.ledger.read(lambda rows: asks.find(rows, ask.id))
        assert decided is not None and (decided.state, decided.who) == (AskState.APPROVED, "Dana")
        (entry,) = await place.ledger.read(lambda rows: audit.newest(rows, limit=1))
        assert (entry.who, entry.what) == ("Dana", "approve")


async def test_after_a_no_it_is_left_out_and_the_others_know(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        (ask,) = await place.wait_for_asks()
        await place.say(decline, ask.id, reason="too much")
        await place.ends()
        assert place.said() == ["Kept"] and place.vendor.effects("create_label") == 0
        run = (await place.run()).id
        attempts = await place.ledger.read(lambda rows: runs.attempts(rows, run))
        assert "Dana said no: too much" in [attempt.sentence for attempt in attempts]


async def test_nobody_is_asked_where_it_is_not_needed(ledger_url: str) -> None:
    async with open_place(ledger_url, REFUND.replace("> 20", "> 100")) as place:
        await place.deliver()
        await place.ends()
        assert place.said() == ["Sent TRACK-1"]


async def test_the_question_outlives_a_restart(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        (ask,) = await place.wait_for_asks()
    async with place.open():
        assert [each.id for each in await place.wait_for_asks()] == [ask.id]
        await place.say(approve, ask.id)
        await place.ends()
        assert place.vendor.effects("create_label") == 1


async def test_if_nobody_decides_in_time_a_person_is_asked_once_more(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.wait_for_asks()
        assert isinstance(place.clock, Clock)
        place.clock.ahead += timedelta(days=2)
        await place.ends(RunState.DEAD)
        (exception,) = await place.exceptions()
        assert exception.sentence == "Dana didn't decide in time whether 'label' is to be done."
        assert await place.asked() == [] and place.vendor.calls == []
        await place.say(retry_run, (await place.run()).id)
        (again,) = await place.wait_for_asks()
        await place.say(approve, again.id)
        await place.ends()


async def test_a_person_decides_once(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        (ask,) = await place.wait_for_asks()
        await place.say(approve, ask.id)
        with pytest.raises(BellwireError, match="isn't open any more: it is approved by Dana"):
            await place.say(decline, ask.id, reason="no")
        with pytest.raises(NotFound):
            await place.say(approve, 999)
        await place.ends()


async def test_a_yes_is_no_way_to_tick_off_a_to_do(ledger_url: str) -> None:
    async with open_place(ledger_url, FLOW, FlowMode.MANUAL) as place:
        await place.deliver()
        (ask, _) = await place.wait_for_asks(2)
        with pytest.raises(BellwireError, match="wants to be done"):
            await place.say(approve, ask.id)


async def test_the_one_who_is_asked_can_be_sent_a_link_that_answers(ledger_url: str) -> None:
    flow = REFUND.partition("  bench:")[0]
    flow += '  ask:\n    do: till.post_message\n    with: {channel: owners, text: "{{ links.label }}"}\n'
    place = Place(ledger_url, flow=flow, clock=Clock(), public_url="https://hooks.example.com")
    async with place.open():
        await place.deliver()
        await place.wait_for_asks()
        run, key = (await place.run()).id, await place.ledger.read(asks.link_key)
        (link,) = place.said()
        start, _, signed = link.rpartition("/")
        assert start == f"https://hooks.example.com/answers/{run}/label"
        assert is_signed(key, run, "label", signed) and not is_signed(key, run + 1, "label", signed)
    async with place.open():
        assert await place.ledger.read(asks.link_key) == key


STOCK = "  stock:\n    do: till.adjust\n    with: {lines: '{{ event.lines }}', reason: sale}\n"


async def test_an_answer_counts_at_once_though_another_action_needs_somebody(ledger_url: str) -> None:
    async with open_place(ledger_url, REFUND + STOCK) as place:
        place.vendor.next["adjust"].append(Refused("No such item.", cause="unknown-sku:X"))
        await place.deliver()
        await place.until(place.exceptions)
        await place.until(place.asked)
        (ask,) = await place.asked()
        await place.say(approve, ask.id)
        await place.until(place.said)
        await place.ends(RunState.DEAD)
        assert place.said() == ["Sent TRACK-1"] and len(await place.exceptions()) == 1
        await place.say(retry_run, (await place.run()).id)
        await place.ends()
        assert place.vendor.effects("create_label") == 1 and place.vendor.effects("adjust") == 1


async def test_an_answer_while_another_action_goes_wrong_is_not_lost(ledger_url: str) -> None:
    async with open_place(ledger_url, REFUND + STOCK) as place:

        async def answered() -> bool:
            ask = await place.ledger.read(lambda rows: asks.find(rows, 1))
            return ask is not None and ask.state is AskState.APPROVED

        async def refuse() -> None:
            await place.until(answered)
            raise Refused("No such item.", cause="unknown-sku:X")

        place.vendor.next["adjust"].append(refuse)
        await place.deliver()
        await place.until(place.asked)
        await place.say(approve, 1)
        await place.until(place.said)
        await place.ends(RunState.DEAD)
        assert place.said() == ["Sent TRACK-1"]


async def test_nobody_is_asked_about_a_run_that_a_later_event_has_ended_meanwhile(ledger_url: str) -> None:
    flow = (REFUND + STOCK).replace("actions:", "ends_on: till.order.cancelled\nactions:", 1)
    async with open_place(ledger_url, flow) as place:

        async def cancelled() -> bool:
            return len(await place.ledger.read(lambda rows: events.newest(rows, limit=9))) == 2

        place.vendor.next["adjust"].append(lambda: place.until(cancelled))
        await place.deliver()
        await place.until(lambda: place.vendor.calls)
        await place.deliver(kind="order.cancelled")
        await place.ends()
        assert "was ended by order.cancelled" in (await place.run()).reason
        assert await place.asked() == [] and place.vendor.effects("create_label") == 0


async def test_in_manual_mode_each_action_is_a_to_do_with_its_values(ledger_url: str) -> None:
    async with open_place(ledger_url, FLOW, FlowMode.MANUAL) as place:
        await place.deliver()
        stock, label = await place.wait_for_asks(2)
        assert (stock.kind, stock.text) == (AskKind.TODO, "Change the stock, in Toy Till")
        assert orjson.loads(stock.given)["lines"][0]["sku"] == "TEA-100" and stock.expires_at is None
        await place.say(tick_off, label.id, result={"tracking_number": "ZX-9"})
        _, bench = await place.wait_for_asks(2)
        assert orjson.loads(bench.given)["text"] == "1001 ZX-9"
        await place.say(tick_off, bench.id, result={})
        await place.say(leave_out, stock.id, reason="counted tomorrow")
        await place.ends()
        assert place.vendor.calls == []
        assert await place.outcomes("label") == [Outcome.ASKED, Outcome.BY_HAND]
        assert await place.outcomes("stock") == [Outcome.ASKED, Outcome.SKIPPED]


async def test_to_switch_to_manual_is_a_way_back_for_what_waits(ledger_url: str) -> None:
    flow = FLOW.replace("    do: till.create_label\n", "    do: till.create_label\n    wait: 1d\n")
    async with open_place(ledger_url, flow) as place:
        await place.deliver()

        async def waits() -> bool:
            return [run.held_for for run in await place.runs()] == [runs.ITS_TIME]

        await place.until(waits)
        await place.say(lambda rows, now, who: switch(rows, "test", FlowMode.MANUAL, now, who=who, reason=""))
        assert isinstance(place.clock, Clock)
        place.clock.ahead += timedelta(days=1)
        (ask,) = await place.wait_for_asks()
        assert ask.action == "label" and place.vendor.effects("create_label") == 0


async def test_back_in_live_mode_a_retry_does_what_was_to_be_done_by_hand(ledger_url: str) -> None:
    async with open_place(ledger_url, FLOW, FlowMode.MANUAL) as place:
        await place.deliver()
        asked = await place.wait_for_asks(2)
        flow, accounts = parse_flow(FLOW, Path("flows/test.yaml")), {"till": place.vendor.environment}
        await place.say(lambda rows, now, who: go_live(rows, flow, accounts, now, who=who, reason=""))
        await place.say(retry_run, (await place.run()).id)
        await place.ends()
        assert place.said() == ["1001 TRACK-1"] and await place.asked() == []
        closed = await place.ledger.read(lambda rows: asks.find(rows, asked[0].id))
        assert closed is not None and closed.state is AskState.WITHDRAWN


async def test_a_run_that_is_cancelled_asks_nothing_any_more(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.wait_for_asks()
        await place.say(cancel, (await place.run()).id, reason="They called.")
        assert await place.asked() == []


async def test_in_shadow_mode_everything_is_noted_and_nothing_is_sent(ledger_url: str) -> None:
    async with open_place(ledger_url, FLOW, FlowMode.SHADOW) as place:
        await place.deliver()
        await place.ends()
        assert place.vendor.calls == []
        run = (await place.run()).id
        noted = {a.action: a for a in await place.ledger.read(lambda rows: runs.attempts(rows, run))}
        assert {attempt.outcome for attempt in noted.values()} == {Outcome.NOTED}
        assert orjson.loads(noted["bench"].result or "")["text"] == "1001 ‹label.tracking_number›"
        assert orjson.loads(noted["stock"].result or "")["lines"][0]["quantity"] == 2


async def test_in_shadow_mode_what_would_not_fit_is_told(ledger_url: str) -> None:
    flow = FLOW.replace("reason: sale", 'reason: "{{ event.note }}"')
    async with open_place(ledger_url, flow, FlowMode.SHADOW) as place:
        await place.deliver(order(note="stolen"))
        await place.ends(RunState.DEAD)
        assert [each.action for each in await place.exceptions()] == ["stock"] and place.vendor.calls == []


async def test_an_answer_while_other_actions_go_on_is_not_lost(ledger_url: str) -> None:
    async with open_place(ledger_url, REFUND + STOCK) as place:

        async def answered() -> bool:
            ask = await place.ledger.read(lambda rows: asks.find(rows, 1))
            return ask is not None and ask.state is AskState.APPROVED

        async def there() -> bool:
            return bool(await place.asked())

        place.vendor.next["adjust"].append(lambda: place.until(answered))
        await place.deliver()
        await place.until(there)
        (ask,) = await place.asked()
        assert (await place.run()).state is RunState.RUNNING
        await place.say(approve, ask.id)
        await place.ends()
        assert place.said() == ["Sent TRACK-1"]
