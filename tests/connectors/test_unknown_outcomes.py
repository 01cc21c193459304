"""A vendor does what it was asked, and its answer is lost: asked again, it doesn't do it a second time.

Every action of every connector is tried against its practice server, with the answer lost to each of its requests in
turn. What is compared is all that the practice server holds, so that nothing a vendor keeps is left out.
"""

import dataclasses
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import orjson
import pytest

from bellwire.capabilities import (
    Effect,
    Given,
    Operation,
    Result,
    accounting,
    calendar,
    chat,
    email,
    requests,
    shipping,
    sms,
    stock,
    storefront,
    subscriber,
)
from bellwire.clock import system_clock
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Action, Call, Unkeyed
from bellwire.errors import OutcomeUnknown, Transient
from bellwire.events import Customer
from bellwire.practice import Fault, FaultKind, Practice, Sale, SaleLine, Shop, Simulator
from tests.connecting import call, connection
from tests.samples import NOW, order, usd

T = TypeVar("T")
ACTIONS = [
    pytest.param(connector.name, action, id=f"{connector.name}-{action.operation}")
    for connector in all_connectors()
    for action in connector.actions.values()
]
MAY_DIFFER: Mapping[Operation, set[str]] = {
    # By then the customer is there: the earlier attempt made it.
    accounting.FIND_OR_CREATE_CUSTOMER: {"created"},
}
"""The fields of a result that aren't the same after an attempt whose answer was lost."""


_VISIT = calendar.PutAppointment(
    reference="booking-7", title="Boiler", start=NOW, end=NOW + timedelta(hours=1), zone="Europe/Zurich"
)


@dataclass(frozen=True)
class Desk:
    """One vendor in practice, fresh, and the connection to it."""

    name: str
    simulator: Simulator
    call: Call

    @property
    def shop(self) -> Shop:
        assert isinstance(self.simulator, Shop)
        return self.simulator

    @property
    def held(self) -> Any:
        """All that it holds now."""
        return orjson.loads(orjson.dumps(self.simulator.state(), default=str, option=orjson.OPT_NON_STR_KEYS))

    def paid_order(self) -> str:
        """The id of an order that the shop has taken."""
        order_id = self.shop.place(Sale("1001", [SaleLine("TEA-100", 2)]))
        self.shop.pay(order_id)
        return order_id

    async def first(self, operation: Operation, given: Given, kind: type[T]) -> T:
        """Do what has to be done before; gives its result."""
        made = await self.call.connection.connector.actions[str(operation)](self.call.part("before"), given)
        assert isinstance(made, kind)
        return made


async def _appointment(desk: Desk) -> calendar.CancelAppointment:
    await desk.first(calendar.PUT_APPOINTMENT, _VISIT, calendar.Appointment)
    return calendar.CancelAppointment(reference=_VISIT.reference)


async def _payment(desk: Desk) -> accounting.RecordPayment:
    made = await desk.first(accounting.CREATE_INVOICE, accounting.CreateInvoice(order=order()), accounting.Invoice)
    return accounting.RecordPayment(
        invoice_id=made.id, customer_id=made.customer_id, amount=usd("24.40"), reference="1001"
    )


async def _gift_card(desk: Desk) -> accounting.RedeemGiftCard:
    made = await desk.first(accounting.CREATE_INVOICE, accounting.CreateInvoice(order=order()), accounting.Invoice)
    return accounting.RedeemGiftCard(
        invoice_id=made.id, customer_id=made.customer_id, amount=usd("20.00"), reference="1001"
    )


async def _tracking(desk: Desk) -> shipping.GetTracking:
    label = await desk.first(shipping.CREATE_LABEL, shipping.CreateLabel(order=order()), shipping.Label)
    return shipping.GetTracking(shipping_order_id=label.shipping_order_id)


async def _fulfilment(desk: Desk) -> storefront.MarkFulfilled:
    return storefront.MarkFulfilled(order_id=desk.paid_order(), tracking_number="TRACK-1", carrier="UPS")


async def _reading(desk: Desk) -> storefront.ReadOrder:
    return storefront.ReadOrder(order_id=desk.paid_order())


async def _listing(desk: Desk) -> storefront.ListOrdersSince:
    desk.paid_order()
    return storefront.ListOrdersSince(since=system_clock() - timedelta(hours=1))


_LINES = (stock.StockLine(sku="TEA-100", quantity=2), stock.StockLine(sku="MUG-RED", quantity=1))
_WHO = "robin@example.com"
INPUTS: Mapping[Operation, Given | Callable[[Desk], Awaitable[Given]]] = {
    accounting.FIND_OR_CREATE_CUSTOMER: accounting.FindOrCreateCustomer(
        customer=Customer(id="7", name="Robin Hill", email=_WHO)
    ),
    accounting.CREATE_INVOICE: accounting.CreateInvoice(order=order()),
    accounting.RECORD_PAYMENT: _payment,
    accounting.REDEEM_GIFT_CARD: _gift_card,
    accounting.CREATE_SALES_RECEIPT: accounting.CreateSalesReceipt(order=order()),
    calendar.PUT_APPOINTMENT: _VISIT,
    calendar.CANCEL_APPOINTMENT: _appointment,
    calendar.LIST_BUSY: calendar.ListBusy(start=NOW, end=NOW + timedelta(days=7)),
    chat.POST_MESSAGE: chat.PostMessage(channel="packing", text="Order 1001 is paid."),
    email.SEND_NOTICE: email.SendNotice(to=_WHO, order=order()),
    email.SEND_MAIL: email.SendMail(to=_WHO, subject="Your order 1001", text="It is on its way."),
    requests.GET: requests.GetRequest(path="customers"),
    requests.SEND: requests.SendRequest(path="customers", body={"name": "Robin Hill"}),
    shipping.UPSERT_ORDER: shipping.UpsertOrder(order=order()),
    shipping.CREATE_LABEL: shipping.CreateLabel(order=order()),
    shipping.GET_TRACKING: _tracking,
    sms.SEND_SMS: sms.SendSms(to="+15125550123", text="Your order 1001 is ready."),
    stock.ADJUST: stock.AdjustStock(lines=_LINES, reason=stock.StockReason.SALE, reference="1001"),
    stock.COUNT: stock.CountStock(skus=("TEA-100", "MUG-RED")),
    storefront.READ_ORDER: _reading,
    storefront.LIST_ORDERS_SINCE: _listing,
    storefront.FLAG_PRODUCT: storefront.FlagProduct(sku="TEA-100", flag="low-stock"),
    storefront.MARK_FULFILLED: _fulfilment,
    subscriber.SEND_EVENT: subscriber.SendEvent(type="order.packed", data={"number": "1001"}),
}
"""What each operation is given, or how that comes about."""


@asynccontextmanager
async def desk(name: str) -> AsyncIterator[Desk]:
    async with Practice([name]) as practice:
        # What the HTTP client repeats by itself isn't paced.
        practice.simulators[name].quotas.clear()
        made = connection(name, practice)
        try:
            yield Desk(name, practice.simulators[name], dataclasses.replace(call(made), clock=system_clock))
        finally:
            await made.api.close()


async def prepared(at: Desk, operation: Operation) -> Given:
    wanted = INPUTS.get(operation)
    assert wanted is not None, f"Add what {operation} is to be given to INPUTS of {__name__}."
    return wanted if isinstance(wanted, Given) else await wanted(at)


def told(result: Result, operation: Operation) -> Any:
    """A result as far as it must be the same after a repeat."""
    return timeless(result.model_dump(mode="json", exclude=MAY_DIFFER.get(operation, set())))


_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d[\d.:+Z-]*)?|\d{8}T\d{6}Z|\d{10}\.\d{6}")
"""A date, a point in time (in calendars, without signs), or one in seconds since 1970, by which some vendors name what
they keep."""


def timeless(value: Any) -> Any:
    """The same without the times in it: two performances are never at the same."""
    return orjson.loads(_TIME.sub("(time)", orjson.dumps(value).decode()))


def distinct(held: Any) -> Any:
    """The same without repetitions in its lists: for messages that may come twice, and then are the same message."""
    if isinstance(held, dict):
        return {key: distinct(value) for key, value in held.items()}
    if isinstance(held, list):
        return [value for index, value in enumerate(held) if value not in held[:index]]
    return held


_TWICE = 2
"""The HTTP client sends by itself once more what HTTP calls safe to repeat (GET, PUT)."""


@dataclass(frozen=True)
class Clean:
    """One performance on a good day."""

    requests: int
    held: Any
    result: Any


async def on_a_good_day(name: str, action: Action) -> Clean:
    async with desk(name) as at:
        given = await prepared(at, action.operation)
        before = len(at.simulator.received)
        result = await action(at.call, given)
        requests = len(at.simulator.received) - before
        return Clean(requests, timeless(at.held), told(result, action.operation))


async def until_done(at: Desk, action: Action, given: Given, lost: list[int]) -> Result:
    """Attempt it until an answer comes, as the engine does; attempt n loses the answer to its request `lost[n]`."""
    for attempt, request in enumerate(lost):
        at.simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, skip=request, times=_TWICE))
        try:
            result = await action(dataclasses.replace(at.call, again=attempt > 0), given)
        except (OutcomeUnknown, Transient):
            continue
        finally:
            at.simulator.faults.clear()
        # A repeat that looks first, and finds, makes fewer requests.
        assert attempt > 0, f"request {request} was answered though it shouldn't have been"
        return result
    return await action(dataclasses.replace(at.call, again=True), given)


async def done_once(name: str, action: Action, clean: Clean, lost: list[int]) -> None:
    async with desk(name) as at:
        given = await prepared(at, action.operation)
        result = await until_done(at, action, given, lost)
        what = f"the answers to requests {lost} were lost"
        may_repeat = isinstance(action.repeat, Unkeyed) and action.operation.effect is Effect.MESSAGE
        held = distinct(timeless(at.held)) if may_repeat else timeless(at.held)
        assert held == clean.held, what
        assert told(result, action.operation) == clean.result, what


@pytest.mark.parametrize(("name", "action"), ACTIONS)
async def test_an_answer_that_is_lost_to_any_request_of_an_action_doubles_nothing(name: str, action: Action) -> None:
    clean = await on_a_good_day(name, action)
    assert clean.requests, f"{action.operation} asks nothing of its vendor with what INPUTS gives it."
    for request in range(clean.requests):
        if action.repeatable:
            await done_once(name, action, clean, [request])


@pytest.mark.parametrize(("name", "action"), ACTIONS)
async def test_a_vendor_that_loses_one_answer_in_every_attempt_still_does_it_once(name: str, action: Action) -> None:
    clean = await on_a_good_day(name, action)
    if action.repeatable:
        await done_once(name, action, clean, list(range(clean.requests)))
        await done_once(name, action, clean, list(reversed(range(clean.requests))))


@pytest.mark.parametrize(("name", "action"), ACTIONS)
async def test_a_repeat_after_success_changes_nothing_and_says_the_same(name: str, action: Action) -> None:
    """The answer came, but the process ended before it was written down."""
    async with desk(name) as at:
        given = await prepared(at, action.operation)
        first = await action(at.call, given)
        held = at.held
        again = await action(dataclasses.replace(at.call, again=True), given)
        may_repeat = isinstance(action.repeat, Unkeyed) and action.operation.effect is Effect.MESSAGE
        assert (distinct(at.held) if may_repeat else at.held) == held
        assert told(again, action.operation) == told(first, action.operation)


def test_every_input_is_of_an_operation_that_some_connector_has() -> None:
    """An entry that nobody needs is a misspelt or a removed one."""
    known = {action.operation for connector in all_connectors() for action in connector.actions.values()}
    assert INPUTS.keys() <= known


def test_what_moves_money_or_goods_or_keeps_a_record_has_a_key_or_a_look_up_everywhere() -> None:
    """Where a vendor offers neither, a person is asked after each failure: that would be worth a word in its docs."""
    asked = [
        f"{connector.name}: {action.operation}"
        for connector in all_connectors()
        for action in connector.actions.values()
        if not action.repeatable
    ]
    assert asked == []
