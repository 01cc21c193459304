"""Edit and retry: what may be changed of an input, and that the engine takes it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from bellwire.business import BusinessCalendar
from bellwire.capabilities import OPERATIONS, accounting, stock
from bellwire.clock import system_clock
from bellwire.engine import Edited, Input, Means, edit, input_of, lacking, retry, still_open
from bellwire.errors import BellwireError, Refused
from bellwire.ledger import Rows, RunState, audit, edits
from bellwire.records import LedgerCrosswalk
from tests.engine.conftest import FLOW, House
from tests.samples import line, order

refused = Refused("Toy Till doesn't know the SKU X.", cause="unknown-sku:X")
EACH = """
name: Test
trigger: till.order.paid
actions:
  each:
    do: till.post_message
    for_each: event.lines
    with: {channel: packing, text: "{{ item.sku }}"}
"""


def means(house: House) -> Means:
    connections = {house.vendor.name: house.connection}
    crosswalk, random = LedgerCrosswalk(house.ledger), Random(1)  # noqa: S311 - for waits
    return Means.make(house.ledger, connections, crosswalk, system_clock, random, BusinessCalendar())


async def seen(house: House, number: int = 1) -> Input:
    return await house.ledger.read(lambda rows: input_of(rows, means(house), still_open(rows, number)))


async def send(house: House, edited: Edited, number: int = 1) -> None:
    def edit_and_retry(rows: Rows) -> None:
        edit(rows, number, edited, system_clock(), who="Dana")
        retry(rows, number, system_clock(), who="Dana")

    await house.ledger.write(edit_and_retry)
    await house.settled()


async def test_the_input_is_what_the_engine_gave(house: House) -> None:
    house.vendor.next["post_message"] += [refused]
    await house.deliver()
    await house.settled()
    assert (await seen(house)).values == {"channel": "packing", "text": "1001 TRACK-1"}
    (given,) = [given for given in house.vendor.given if hasattr(given, "channel")]
    assert given.model_dump(mode="json") == (await seen(house)).values


async def test_the_edited_input_is_sent_with_the_same_key_and_the_edit_is_on_record(house: House) -> None:
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.settled()
    await send(house, (await seen(house)).with_changes([("lines[0].sku", "TEA-250"), ("reference", "by Dana")]))
    assert (await house.run()).state is RunState.DONE
    first, second = [given for given in house.vendor.given if hasattr(given, "lines")]
    assert (first.lines[0].sku, second.lines[0].sku) == ("TEA-100", "TEA-250")
    assert (second.reference, second.lines[0].quantity) == ("by Dana", first.lines[0].quantity)
    assert len({key for name, key, _ in house.vendor.calls if name == "adjust"}) == 1
    (kept,) = await house.ledger.read(lambda rows: edits.of_run(rows, 1))
    assert (kept.action, kept.who, kept.fields) == ("stock", "Dana", ("lines[0].sku", "reference"))
    (act,) = await house.ledger.read(lambda rows: audit.newest(rows, limit=9, target="run 1"))
    assert act.what == "edit" and "TEA-250" not in act.detail


async def test_an_edit_holds_for_every_later_attempt_and_for_a_restart(ledger_url: str) -> None:
    async with House(ledger_url).open() as house:
        house.vendor.next["adjust"] += [refused, refused]
        await house.deliver()
        await house.settled()
        await send(house, (await seen(house)).with_changes([("reference", "by Dana")]))
    async with house.at().open() as house:
        (exception,) = await house.exceptions()
        assert (await seen(house, exception.id)).values["reference"] == "by Dana"
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Robin"))
        await house.settled()
        assert (await house.run()).state is RunState.DONE
        assert [given.reference for given in house.vendor.given if hasattr(given, "lines")] == [
            "",
            "by Dana",
            "by Dana",
        ]


async def test_of_a_list_only_the_item_that_is_stuck_is_edited(ledger_url: str) -> None:
    async with House(ledger_url, flow=EACH).open() as house:
        house.vendor.next["post_message"] += [lambda: None, refused]
        await house.deliver(order(lines=(line(sku="A"), line(sku="B"), line(sku="C"))))
        await house.settled()
        (exception,) = await house.exceptions()
        before = (await seen(house)).values["text"]
        assert before == "ABC"[exception.item]
        await send(house, (await seen(house)).with_changes([("text", "edited")]))
        assert sorted(given.text for given in house.vendor.given) == sorted(["A", "B", "C", "edited"])


async def test_what_the_flow_gives_may_not_fit_and_is_mended_by_the_edit(ledger_url: str) -> None:
    async with House(ledger_url, flow=FLOW.replace("channel: packing", 'channel: ""')).open() as house:
        await house.deliver()
        await house.settled()
        before = await seen(house)
        assert before.values == {"channel": "", "text": "1001 TRACK-1"}
        await send(house, before.with_changes([("channel", "packing")]))
        assert (await house.run()).state is RunState.DONE
        assert house.vendor.given[-1].channel == "packing"


async def test_what_can_not_be_worked_out_is_given_by_the_edit(ledger_url: str) -> None:
    flow = FLOW.replace("channel: packing", 'channel: "{{ event.shipping.city }}"')
    async with House(ledger_url, flow=flow).open() as house:
        await house.deliver(order(shipping=None))
        await house.settled()
        before = await seen(house)
        assert before.values == {"text": "1001 TRACK-1"}
        await send(house, before.with_changes([("channel", "packing")]))
        assert (await house.run()).state is RunState.DONE


async def test_nothing_is_kept_of_what_does_not_fit(house: House) -> None:
    house.vendor.next["adjust"] += [refused]
    await house.deliver()
    await house.settled()
    with pytest.raises(BellwireError):
        (await seen(house)).with_changes([("reason", "theft")])
    assert await house.ledger.read(lambda rows: edits.of_run(rows, 1)) == []
    assert len(await house.exceptions()) == 1


async def test_a_delivery_that_cannot_be_read_has_no_input(house: House) -> None:
    await house.deliver(body=b"{}")
    await house.settled()
    with pytest.raises(BellwireError, match="not about an action"):
        await seen(house)


INVOICE = Input(accounting.CREATE_INVOICE, {"order": order(shipping=None).model_dump(mode="json"), "due": None})
ADJUST = Input(
    stock.ADJUST,
    {
        "lines": [{"sku": "A", "quantity": 1, "name": "", "ships": True}],
        "reason": "sale",
        "reference": "",
        "location": "",
    },
)


@pytest.mark.parametrize(
    ("seen", "path", "value", "told"),
    [
        (INVOICE, "customer.email", "x", "There is no field 'customer'. Did you mean 'order.customer'?"),
        (INVOICE, "order.custmer.email", "x", "There is no field 'order.custmer'. Did you mean 'order.customer'?"),
        (INVOICE, "order.customer.emial", "x", "There is no field 'order.customer.emial'. Did you mean"
         " 'order.customer.email'?"),
        (INVOICE, "order.lines[0].skew", "x", "There is no field 'order.lines[0].skew'. Did you mean"
         " 'order.lines[0].sku'?"),
        (INVOICE, "order.lines[3].sku", "x", "'order.lines' has 1 in it, so there is no order.lines[3]. The first one"
         " is [0]."),
        (INVOICE, "order.lines.sku", "x", "'order.lines' is a list. Write order.lines[0].sku for the first one."),
        (INVOICE, "order.number[0]", "x", "'order.number' isn't a list, so it has no [0]."),
        (INVOICE, "order.number.x", "x", "'order.number' has no fields, so there is no 'order.number.x'."),
        (INVOICE, "order..number", "x", "'order..number' isn't the name of a field. Write e.g. customer.email or"
         " lines[0].sku."),
        (INVOICE, "order.lines", "[1", "The value of 'order.lines' begins like JSON and isn't:"),
        (INVOICE, "due", "tomorrow", "'due' doesn't fit:"),
        (INVOICE, "order.total.amount", "much", "'order.total.amount' doesn't fit:"),
        (ADJUST, "lines[0].quantity", "two", "'lines[0].quantity' doesn't fit:"),
        (ADJUST, "reason", "theft", "'reason' doesn't fit: input should be 'sale', 'return', 'receipt' or"
         " 'correction'."),
        (ADJUST, "lines[0]", '{"sku": "B"}', "'lines[0].quantity' is missing. Give it with --set"),
        (ADJUST, "reason", "sale", "That is what it is given already, so nothing was changed."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_what_was_meant(seen: Input, path: str, value: str, told: str) -> None:
    with pytest.raises(BellwireError) as raised:
        seen.with_changes([(path, value)])
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize(
    ("seen", "changes", "fields"),
    [
        (ADJUST, [("lines[0].quantity", "2")], ("lines[0].quantity",)),
        (ADJUST, [("lines[0].ships", "false"), ("location", "L1")], ("lines[0].ships", "location")),
        (ADJUST, [("lines", '[{"sku": "B", "quantity": 1}, {"sku": "C", "quantity": 2}]')], ("lines",)),
        (INVOICE, [("due", "2026-12-24")], ("due",)),
        (INVOICE, [("order.shipping.city", "Austin")], ("order.shipping",)),
        (INVOICE, [("order.billing", "null")], ("order.billing",)),
        (INVOICE, [("order.total.amount", "12.50")], ("order.total.amount",)),
        (INVOICE, [("order.customer.phone", "007")], ("order.customer.phone",)),
    ],
)
def test_what_fits_says_what_was_changed_and_the_engine_reads_it_as_it_was_meant(
    seen: Input, changes: Sequence[tuple[str, str]], fields: tuple[str, ...]
) -> None:
    edited = seen.with_changes(changes)
    assert edited.fields == fields
    again = seen.operation.given.model_validate_json(edited.given)
    assert again.model_dump_json() == edited.given


@pytest.mark.parametrize("value", [{}, [], None, "text", {"order": None}])
def test_a_whole_input_that_is_none_is_refused_in_a_sentence(value: Any) -> None:
    with pytest.raises(BellwireError):
        INVOICE.replaced(value)


@settings(max_examples=200, deadline=timedelta(seconds=2))
@given_by(st.text(max_size=30), st.text(max_size=30), st.sampled_from([INVOICE, ADJUST]))
def test_whatever_is_written_it_fits_or_is_refused_in_a_sentence(path: str, value: str, seen: Input) -> None:
    try:
        edited = seen.with_changes([(path, value)])
    except BellwireError as error:
        assert error.sentence
    else:
        seen.operation.given.model_validate(orjson.loads(edited.given))


def test_every_operation_of_every_capability_can_be_edited() -> None:
    """Its input survives being kept as JSON: none holds what JSON can't."""
    operations = [operation for named in OPERATIONS.values() for operation in named]
    assert len(operations) > 10
    for operation in operations:
        assert operation.given.model_json_schema()


async def test_what_later_actions_can_not_do_without_is_known(house: House, tmp_path: Path) -> None:
    house.vendor.next["create_label"] += [refused]
    flow = FLOW.replace("channel: packing", 'channel: "{{ label.carrier }}"')
    async with house.at(url=f"sqlite:///{tmp_path}/other.db", flow=flow).open() as other:
        await other.deliver()
        await other.settled()

        async def missing(**told: object) -> dict[str, list[str]]:
            return await other.ledger.read(lambda rows: lacking(rows, means(other), still_open(rows, 1), told))

        assert await missing() == {"bench": ["carrier", "tracking_number"]}
        assert await missing(tracking_number="1") == {"bench": ["carrier"]}
        assert await missing(carrier="post") == {}
