"""The engine on a real ledger."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.engine import dismiss, replay, resolve, retry
from bellwire.engine.embedded import EmbeddedEngine
from bellwire.engine.normalise import read, record
from bellwire.engine.starting import Listeners
from bellwire.errors import BellwireError, OutcomeUnknown, Refused, Transient
from bellwire.events import Delivery, Environment
from bellwire.flows import parse_flow
from bellwire.ledger import (
    DeliveryState,
    ExceptionState,
    FlowMode,
    Outcome,
    Rows,
    RunState,
    deliveries,
    events,
    exceptions,
    figures,
    modes,
    runs,
)
from tests.engine.conftest import FLOW, House
from tests.engine.vendor import Vendor
from tests.samples import NOW, order

LATER = NOW.replace(hour=10)
unavailable = Transient("Toy Till is down.")
refused = Refused("Toy Till doesn't know the SKU X.", cause="unknown-sku:X", remedy="Map it.")
unknown = OutcomeUnknown("The connection broke off.")


async def test_a_paid_order_goes_through_every_action_once(house: House) -> None:
    await house.deliver()
    await house.settled()
    assert (await house.run()).state is RunState.DONE
    assert sorted(name for name, _ in house.vendor.done) == ["adjust", "create_label", "post_message"]
    assert await house.exceptions() == []


async def test_a_later_action_sees_the_result_of_an_earlier_one(house: House) -> None:
    await house.deliver()
    await house.settled()
    assert house.vendor.given[-1].text == "1001 TRACK-1"


async def test_independent_actions_run_side_by_side(house: House) -> None:
    """The stock change doesn't end before the label was asked for."""
    label_asked = asyncio.Event()
    house.vendor.next["adjust"].append(lambda: asyncio.wait_for(label_asked.wait(), 30))
    house.vendor.next["create_label"].append(label_asked.set)
    await house.deliver()
    await house.settled()
    assert (await house.run()).state is RunState.DONE


async def test_the_same_fact_in_two_deliveries_runs_once(house: House) -> None:
    await asyncio.gather(*(house.deliver() for _ in range(8)))
    await house.settled()
    assert len(await house.runs()) == 1
    (event,) = await house.ledger.read(lambda rows: events.newest(rows, limit=9))
    assert event.copies == 8


async def test_a_transient_failure_is_tried_again_with_the_same_key(house: House) -> None:
    house.vendor.next["adjust"] += [unavailable, unavailable]
    await house.deliver()
    await house.settled()
    keys = [key for name, key, _ in house.vendor.calls if name == "adjust"]
    assert len(keys) == 3 and len(set(keys)) == 1
    run = await house.run()
    outcomes = [a.outcome for a in await house.ledger.read(lambda r: runs.attempts(r, run.id)) if a.action == "stock"]
    assert outcomes == [Outcome.FAILED, Outcome.FAILED, Outcome.DONE]


async def test_a_long_wait_leaves_memory_and_comes_back_by_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.execution._STAY", NOW - NOW)
    house.vendor.next["adjust"] += [Transient("Toy Till is down.", retry_after=timedelta(seconds=0.3))]
    await house.deliver()
    await house.settled()
    run = await house.run()
    assert run.state is RunState.DONE and run.fence > 1
    assert house.vendor.effects("create_label") == 1


async def test_attempts_that_are_used_up_end_as_an_exception(house: House) -> None:
    house.vendor.next["adjust"] += [unavailable] * 4
    await house.deliver()
    await house.settled()
    (exception,) = await house.exceptions()
    assert exception.sentence == "Toy Till is down."
    assert len([name for name, *_ in house.vendor.calls if name == "adjust"]) == 4


async def test_a_refusal_stops_its_action_and_nothing_beside_it(house: House) -> None:
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.settled()
    run = await house.run()
    assert run.state is RunState.DEAD
    assert house.vendor.effects("create_label") == house.vendor.effects("post_message") == 1
    (exception,) = await house.exceptions()
    assert (exception.action, exception.cause, exception.remedy) == ("stock", "unknown-sku:X", "Map it.")


async def test_a_retry_goes_on_from_the_action_that_failed(house: House) -> None:
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.settled()
    (exception,) = await house.exceptions()
    await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
    await house.settled()
    assert (await house.run()).state is RunState.DONE
    assert [name for name, *_ in house.vendor.calls].count("create_label") == 1
    assert await house.exceptions() == []
    closed = await house.ledger.read(lambda rows: exceptions.find(rows, exception.id))
    assert closed is not None and closed.state is ExceptionState.RETRIED


async def test_an_unknown_outcome_is_looked_up_before_it_is_sent_again(house: House) -> None:
    house.vendor.next["create_label"] += [unknown]
    await house.deliver()
    await house.settled()
    names = [name for name, *_ in house.vendor.calls if "label" in name]
    assert names == ["create_label", "find_label", "create_label"]


async def test_an_effect_that_did_arrive_is_found_and_not_repeated(house: House) -> None:
    def arrive_and_break() -> None:
        key = house.vendor.calls[-1][1]
        house.vendor.done.append(("create_label", key))
        raise unknown

    house.vendor.next["create_label"] += [arrive_and_break]
    await house.deliver()
    await house.settled()
    assert [name for name, *_ in house.vendor.calls if "label" in name] == ["create_label", "find_label"]
    assert (await house.run()).state is RunState.DONE


async def test_a_fault_in_a_connector_is_told_as_ours_and_its_retry_looks_first(house: House) -> None:
    """It may have come after the vendor had done it."""
    house.vendor.next["create_label"] += [KeyError("tracking")]
    await house.deliver()
    await house.settled()
    (exception,) = await house.exceptions()
    assert "a fault in Bellwire, not in what you did" in exception.sentence
    await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
    await house.settled()
    assert [name for name, *_ in house.vendor.calls if "label" in name] == [
        "create_label",
        "find_label",
        "create_label",
    ]


async def test_an_input_that_does_not_fit_says_which_and_what_to_do(ledger_url: str) -> None:
    flow = FLOW.replace("channel: packing", 'channel: ""')
    async with House(ledger_url, flow=flow).open() as house:
        await house.deliver()
        await house.settled()
        (exception,) = await house.exceptions()
        assert "what the flow gives it as 'channel' doesn't fit" in exception.sentence
        assert "--as-now" in exception.remedy


async def test_a_vendor_that_asks_for_patience_uses_up_no_attempt(house: House) -> None:
    busy = Transient("Toy Till asked to slow down.", cause="rate-limited")
    house.vendor.next["adjust"] += [busy] * 9
    await house.deliver()
    await house.settled()
    assert (await house.run()).state is RunState.DONE
    assert [name for name, *_ in house.vendor.calls].count("adjust") == 10


async def test_goods_without_key_or_look_up_go_to_a_person(ledger_url: str) -> None:
    from bellwire.connectors.kit import Unkeyed

    vendor = Vendor()
    vendor.stock_repeat = Unkeyed("a toy")
    vendor.next["adjust"] += [unknown]
    async with House(ledger_url, vendor).open() as house:
        await house.deliver()
        await house.settled()
        assert [name for name, *_ in vendor.calls].count("adjust") == 1
        (exception,) = await house.exceptions()
        assert exception.action == "stock"


async def test_a_false_condition_skips_with_its_reason(ledger_url: str) -> None:
    flow = FLOW.replace(
        "do: till.create_label", "do: till.create_label\n    if: event.ships\n    otherwise: Nothing is sent."
    )
    async with House(ledger_url, flow=flow).open() as house:
        digital = order(lines=tuple(line.model_copy(update={"ships": False}) for line in order().lines))
        await house.deliver(digital)
        await house.settled()
        run = await house.run()
        attempts = await house.ledger.read(lambda rows: runs.attempts(rows, run.id))
        (label,) = [attempt for attempt in attempts if attempt.action == "label"]
        assert (label.outcome, label.sentence) == (Outcome.SKIPPED, "Nothing is sent.")
        assert run.state is RunState.DONE
        assert house.vendor.given[-1].text == "1001 "


async def test_for_each_does_every_item_once_and_retries_only_the_one_that_failed(ledger_url: str) -> None:
    flow = """
name: Test
trigger: till.order.paid
actions:
  each:
    do: till.post_message
    for_each: event.lines
    with: {channel: packing, text: "{{ item.sku }}"}
    retry: {attempts: 3, first: 1s, longest: 4s}
"""
    async with House(ledger_url, flow=flow).open() as house:
        (line,) = order().lines
        house.vendor.next["post_message"] += [unavailable]
        await house.deliver(order(lines=tuple(line.model_copy(update={"sku": sku}) for sku in ("A", "B", "C"))))
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert sorted(given.text for given in house.vendor.given) in (["A", "A", "B", "C"], ["A", "B", "B", "C"])
        assert house.vendor.effects("post_message") == 3


async def test_an_older_state_that_comes_late_is_skipped_with_a_reason(house: House) -> None:
    await house.deliver(order(updated_at=LATER), "order.updated")
    await house.settled()
    await house.deliver(order(updated_at=NOW), "order.updated")
    await house.settled()
    newest = await house.ledger.read(lambda rows: events.newest(rows, limit=1))
    assert newest[0].reason == "A later state of it is known already."


async def test_an_event_that_nobody_listens_to_says_so(house: House) -> None:
    await house.deliver(order(), "order.updated")
    await house.settled()
    (event,) = await house.ledger.read(lambda rows: events.newest(rows, limit=1))
    assert event.reason == "No flow listens to it."


async def test_a_flow_that_is_switched_off_skips_its_events_and_takes_the_next_once_it_is_live(house: House) -> None:
    await house.ledger.write(lambda rows: modes.decide(rows, "test", FlowMode.OFF, "stock-taking", system_clock()))
    await house.deliver(order(id="1"))
    await house.settled()
    assert await house.runs() == []
    (event,) = await house.ledger.read(lambda rows: events.newest(rows, limit=1))
    assert event.reason == "The flow that listens to it is switched off."
    await house.ledger.write(lambda rows: modes.decide(rows, "test", FlowMode.LIVE, "", system_clock()))
    await house.deliver(order(id="2"))
    await house.settled()
    assert (await house.run()).state is RunState.DONE


async def test_a_delivery_that_breaks_its_normaliser_is_kept_and_can_be_retried(house: House) -> None:
    number = await house.deliver(body=b'{"type": "order.paid"}')
    await house.settled()
    (exception,) = await house.exceptions()
    assert exception.delivery == number and "fault in the program" in exception.sentence
    await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
    await house.until(lambda: house.exceptions())
    await house.settled()
    found = await house.ledger.read(lambda rows: deliveries.find(rows, number))
    assert found is not None and found.state is DeliveryState.DEAD


async def test_a_delivery_that_means_nothing_is_skipped_with_a_reason(house: House) -> None:
    number = await house.deliver(body=b"null")
    await house.settled()
    found = await house.ledger.read(lambda rows: deliveries.find(rows, number))
    assert found is not None and (found.state, found.reason) == (DeliveryState.SKIPPED, "It says nothing.")


async def test_what_a_person_did_by_hand_lets_the_run_go_on(house: House) -> None:
    house.vendor.next["create_label"] += [refused]
    await house.deliver()
    await house.settled()
    (exception,) = await house.exceptions()
    told = {"tracking_number": "BY-HAND-7"}
    await house.ledger.write(
        lambda rows: resolve(rows, exception.id, system_clock(), who="Dana", result=told, reason="at the counter")
    )
    await house.settled()
    assert (await house.run()).state is RunState.DONE
    assert house.vendor.given[-1].text == "1001 BY-HAND-7"
    assert house.vendor.effects("create_label") == 0


async def test_a_dismissed_exception_ends_its_run_as_skipped_with_the_reason(house: House) -> None:
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.settled()
    (exception,) = await house.exceptions()
    await house.ledger.write(
        lambda rows: dismiss(rows, exception.id, system_clock(), who="Dana", reason="cancelled by phone")
    )
    run = await house.run()
    assert (run.state, run.reason) == (RunState.SKIPPED, "cancelled by phone")
    with pytest.raises(BellwireError, match="closed already"):
        await house.ledger.write(lambda rows: dismiss(rows, exception.id, system_clock(), who="Dana", reason="again"))


async def test_a_replay_does_everything_again_with_keys_of_its_own(house: House) -> None:
    await house.deliver()
    await house.settled()
    first = await house.run()
    await house.ledger.write(
        lambda rows: replay(rows, first.event, first.flow, first.flow_hash, "nonce", system_clock(), who="Dana")
    )
    await house.settled()
    assert house.vendor.effects("create_label") == 2
    assert [run.state for run in await house.runs()] == [RunState.DONE, RunState.DONE]


async def test_sandbox_and_production_never_mix(house: House) -> None:
    """An event from production meets an account of the sandbox: nothing is sent."""
    production = Vendor("till", Environment.PRODUCTION).connection()
    body = {"type": "order.paid", "order": order().model_dump(mode="json")}
    delivery = Delivery("till", {}, json.dumps(body).encode(), NOW)
    reading = read(1, delivery, production)
    flow, now = parse_flow(house.flow, Path("flows/test.yaml")), system_clock()

    def write(rows: Rows) -> None:
        """At once, so that the engine doesn't read it first."""
        modes.decide(rows, flow.id, FlowMode.LIVE, "a try", now)
        deliveries.accept(rows, delivery, "x", Environment.PRODUCTION)
        record(rows, reading, Listeners.of([flow]), production, now=now, holding=False)

    await house.ledger.write(write)
    await house.settled()
    assert house.vendor.calls == []
    assert {exception.cause for exception in await house.exceptions()} == {"environment:till"}


async def test_a_restart_takes_up_what_was_interrupted_without_doing_it_twice(ledger_url: str) -> None:
    vendor = Vendor()
    started = asyncio.Event()

    def hang() -> object:
        started.set()
        return asyncio.sleep(3600)

    vendor.next["post_message"] += [hang]
    async with House(ledger_url, vendor).open() as house:
        await house.deliver()
        await asyncio.wait_for(started.wait(), 30)
        await house.until(lambda: house.vendor.effects("adjust") == 1)
        await house.engine.stop(grace=0)
    async with House(ledger_url, vendor).open() as house:
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [name for name, *_ in vendor.calls].count("create_label") == 1
        assert [name for name, *_ in vendor.calls].count("adjust") == 1
        assert [again for name, _, again in vendor.calls if name == "post_message"] == [False, True]


async def test_deliveries_that_were_only_accepted_are_taken_up_after_a_restart(ledger_url: str) -> None:
    async with House(ledger_url).open() as house:
        await house.engine.stop(grace=0)
        await house.deliver()
    async with House(ledger_url).open() as house:
        await house.settled()
        assert (await house.run()).state is RunState.DONE


async def test_the_books_balance(house: House) -> None:
    house.vendor.next["adjust"] += [refused]
    for number in range(5):
        await house.deliver(order(id=str(number)))
    await house.deliver(order(id="0"))
    await house.deliver(order(id="0"), "order.updated")
    await house.settled()
    balances = await house.ledger.read(
        lambda rows: figures.balances(rows, NOW.replace(year=2020), NOW.replace(year=2100))
    )
    assert [(b.flow, b.received, b.done, b.dead, b.skipped) for b in balances] == [
        ("test", 5, 4, 1, 0),
        ("", 1, 0, 0, 1),
    ]
    assert all(balance.balanced for balance in balances)


async def test_what_is_still_recorded_while_it_stops_begins_nothing_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.embedded.POLL", 60.0)
    vendor, file = Vendor(), tmp_path / "ledger.db"
    async with House(f"sqlite:///{file}", vendor).open() as house:
        assert isinstance(house.engine, EmbeddedEngine)
        await house.deliver()
        await house.settled()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            body = json.dumps({"type": "order.paid", "order": order(id="2").model_dump(mode="json")}).encode()
            delivery = Delivery(vendor.name, {}, body, NOW)
            accepted = await house.ledger.write(
                lambda rows: deliveries.accept(rows, delivery, "second", vendor.environment)
            )
            other.execute("BEGIN IMMEDIATE")
            house.engine.arrived(accepted.id, delivery)
            recording = house.engine._recording
            await house.until(lambda: bool(recording))
            stopping = asyncio.create_task(house.engine.stop())
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
        await stopping
        assert vendor.effects("adjust") == 1
        assert [run.state for run in await house.runs()] == [RunState.RUNNING, RunState.DONE]
    monkeypatch.undo()
    async with House(f"sqlite:///{file}", vendor).open() as house:
        await house.settled()
        assert [vendor.effects(name) for name in ("adjust", "create_label", "post_message")] == [2, 2, 2]
