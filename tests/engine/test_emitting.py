"""Events that a flow makes, and the flows that they begin."""

from bellwire.events import OWN
from bellwire.ledger import EventRow, RunRow, RunState, events
from tests.engine.conftest import House

EMIT = """
name: Emit
trigger: till.order.paid
actions:
  low:
    emit: stock.seems_low
    for_each: event.lines
    with: {sku: "{{ item.sku }}", left: 3}
  said:
    do: till.post_message
    with: {channel: packing, text: "{{ low | length }}: {{ low[0].business_key }}"}
"""
LISTEN = """
name: Listen
trigger: bellwire.stock.seems_low
actions:
  told:
    do: till.post_message
    with: {channel: packing, text: "{{ event.sku }} is low"}
"""
CIRCLE = """
name: Circle
trigger: bellwire.stock.seems_low
actions:
  again:
    emit: stock.seems_low
    with: {sku: "{{ event.sku }}"}
"""


async def found(place: House) -> tuple[list[EventRow], list[RunRow]]:
    return await place.ledger.read(lambda rows: events.newest(rows, limit=99)), await place.runs()


async def test_an_event_that_a_flow_makes_begins_other_flows(ledger_url: str) -> None:
    async with House(ledger_url, flow=EMIT, beside={"listen": LISTEN}).open() as place:
        await place.deliver()
        await place.settled()
        made, runs = await found(place)
        assert [run.state for run in runs] == [RunState.DONE, RunState.DONE]
        assert made[0].connection == OWN and made[0].type == "stock.seems_low" and made[0].delivery is None
        assert made[0].environment == "sandbox"
        key = "till/order/450789469/paid>test.low.0"
        assert made[0].business_key == key
        assert sorted(given.text for given in place.vendor.given) == [f"1: {key}", "TEA-100 is low"]


async def test_an_event_for_which_no_flow_listens_says_so(ledger_url: str) -> None:
    async with House(ledger_url, flow=EMIT).open() as place:
        await place.deliver()
        await place.settled()
        made, _ = await found(place)
        assert made[0].reason == "No flow listens to it."


async def test_flows_that_begin_each_other_in_a_circle_end_as_an_exception(ledger_url: str) -> None:
    async with House(ledger_url, flow=EMIT, beside={"circle": CIRCLE}).open() as place:
        await place.deliver()
        await place.settled()
        (exception,) = await place.exceptions()
        assert exception.cause == "circle:circle" and "circle" in exception.sentence
        made, _ = await found(place)
        assert len(made) == 1 + 1 + 7


async def test_what_does_not_fit_the_event_goes_to_a_person(ledger_url: str) -> None:
    flow = EMIT.replace("stock.seems_low", "lead.created")
    async with House(ledger_url, flow=flow).open() as place:
        await place.deliver()
        await place.settled()
        (exception,) = await place.exceptions()
        assert exception.cause.startswith("input:low:")
        made, _ = await found(place)
        assert len(made) == 1


async def test_a_flow_can_have_bellwire_itself_work_something_out(ledger_url: str) -> None:
    flow = """
name: Plan
trigger: till.order.paid
actions:
  plan:
    do: bellwire.plan_refund
    with:
      lines: "{{ event.lines }}"
      returned: "{{ event.lines }}"
      taxes_included: "{{ event.taxes_included }}"
      paid: "{{ event.total }}"
      damaged: full
  said:
    do: till.post_message
    with: {channel: packing, text: "{{ plan.amount | money }}"}
"""
    async with House(ledger_url, flow=flow).open() as place:
        await place.deliver()
        await place.settled()
        assert [(e.sentence, e.detail) for e in await place.exceptions()] == []
        assert [given.text for given in place.vendor.given] == ["$18.40"]
