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
from decimal import Decimal
from typing import Any, TypeVar

import orjson
import pytest

from bellwire.capabilities import (
    Effect,
    Given,
    Operation,
    Result,
    accounting,
    booking,
    calendar,
    chat,
    crm,
    email,
    esign,
    field_service,
    helpdesk,
    payments,
    projects,
    purchasing,
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
from bellwire.connectors.stripe.actions import PAY_INVOICE, PayInvoice
from bellwire.errors import OutcomeUnknown, Transient
from bellwire.events import Address, Customer, TicketStatus
from bellwire.practice import Bookings, Fault, FaultKind, Practice, Processor, Sale, SaleLine, Shop, Simulator
from bellwire.practice.stripe import StripeSimulator
from tests.connecting import call, connection
from tests.samples import NOW, order, usd

T = TypeVar("T")
ACTIONS = [
    pytest.param(connector.name, action, id=f"{connector.name}-{action.operation}")
    for connector in all_connectors()
    if "practice" not in connector.manifest.exempt  # there is no answer that could be lost
    for action in connector.actions.values()
]
MAY_DIFFER: Mapping[Operation, set[str]] = {
    # By then the customer is there: the earlier attempt made it.
    accounting.FIND_OR_CREATE_CUSTOMER: {"created"},
    # A second link does what the first would have done.
    booking.CREATE_BOOKING_LINK: {"url"},
    crm.FIND_OR_CREATE_CONTACT: {"created"},
    field_service.FIND_OR_CREATE_CLIENT: {"created"},
}
"""The fields of a result that aren't the same after an attempt whose answer was lost."""


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
        made = await self.call.connection.connector.actions[str(operation)](
            self.call.part(f"before: {operation}"), given
        )
        assert isinstance(made, kind)
        return made

    async def attempt(self, action: Action, given: Given, *, again: bool = False) -> Result:
        """A while after what was before it: how requests are paced is tested elsewhere."""
        self.call.connection.api.gate.recover(timedelta(minutes=1))
        return await action(dataclasses.replace(self.call, again=again), given)


async def _payment(desk: Desk) -> accounting.RecordPayment:
    made = await desk.first(accounting.CREATE_INVOICE, accounting.CreateInvoice(order=order()), accounting.Invoice)
    return accounting.RecordPayment(
        invoice_id=made.id, customer_id=made.customer_id, amount=usd("24.40"), reference="1001"
    )


async def _credit(desk: Desk) -> accounting.CreateCreditMemo:
    await desk.first(accounting.RECORD_PAYMENT, await _payment(desk), accounting.Payment)
    back = accounting.CreditLine(sku="TEA-100", name="Green tea, 100 g", amount=usd("8.50"), tax=usd("0.70"))
    return accounting.CreateCreditMemo(invoice_number="1001", lines=(back,), reference="R-7", reason="Broken")


async def _work_invoice(desk: Desk) -> accounting.SendInvoice:
    made = await desk.first(accounting.CREATE_WORK_INVOICE, _WORK, accounting.Invoice)
    return accounting.SendInvoice(invoice_id=made.id, to=_WHO)


async def _gift_card(desk: Desk) -> accounting.RedeemGiftCard:
    made = await desk.first(accounting.CREATE_INVOICE, accounting.CreateInvoice(order=order()), accounting.Invoice)
    return accounting.RedeemGiftCard(
        invoice_id=made.id, customer_id=made.customer_id, amount=usd("20.00"), reference="1001"
    )


def _paid(desk: Desk) -> str:
    """The id of a payment that a customer made."""
    assert isinstance(desk.simulator, Processor)
    return desk.simulator.take(usd("24.40"), "1001")


async def _payment_state(desk: Desk) -> payments.ReadPayment:
    return payments.ReadPayment(payment_id=_paid(desk))


async def _refund(desk: Desk) -> payments.RefundPayment:
    return payments.RefundPayment(payment_id=_paid(desk), amount=usd("8.50"), reason="Broken", reference="R-1")


async def _open_invoice(desk: Desk) -> PayInvoice:
    assert isinstance(desk.simulator, StripeSimulator)
    account = desk.simulator.account
    account.declining = True
    invoice = account.bill(2440, "usd")
    account.declining = False
    return PayInvoice(invoice_id=invoice)


async def _appointment(desk: Desk) -> calendar.CancelAppointment:
    await desk.first(calendar.PUT_APPOINTMENT, _APPOINTMENT, calendar.Appointment)
    return calendar.CancelAppointment(reference=_APPOINTMENT.reference)


async def _busy(desk: Desk) -> calendar.ListBusy:
    await desk.first(calendar.PUT_APPOINTMENT, _APPOINTMENT, calendar.Appointment)
    return calendar.ListBusy(start=NOW, end=NOW + timedelta(days=1))


async def _sent_contract(desk: Desk) -> esign.ReadContract:
    sent = await desk.first(esign.SEND_CONTRACT, _CONTRACT, esign.SentContract)
    return esign.ReadContract(contract_id=sent.id)


async def _open_contract(desk: Desk) -> esign.WithdrawContract:
    sent = await desk.first(esign.SEND_CONTRACT, _CONTRACT, esign.SentContract)
    return esign.WithdrawContract(contract_id=sent.id, reason="The visit was called off.")


async def _purchase(desk: Desk) -> purchasing.CreatePurchaseOrder:
    terms = await desk.first(purchasing.FIND_SUPPLIER, purchasing.FindSupplier(sku="TEA-100"), purchasing.SupplyTerms)
    lines = (purchasing.PurchaseLine(sku="TEA-100", quantity=24, unit_price=usd("4.00")),)
    return purchasing.CreatePurchaseOrder(supplier_id=terms.supplier_id, lines=lines, reference="Reorder 7")


async def _purchased(desk: Desk) -> purchasing.ReadPurchaseOrder:
    made = await desk.first(purchasing.CREATE_PURCHASE_ORDER, await _purchase(desk), purchasing.PurchaseOrder)
    return purchasing.ReadPurchaseOrder(purchase_order_id=made.id)


def _booked(desk: Desk) -> str:
    """The id of a booking that a customer has made."""
    assert isinstance(desk.simulator, Bookings)
    return desk.simulator.book()


async def _booking(desk: Desk) -> booking.ReadBooking:
    return booking.ReadBooking(booking_id=_booked(desk))


async def _cancellation(desk: Desk) -> booking.CancelBooking:
    return booking.CancelBooking(booking_id=_booked(desk), reason="We are ill.")


async def _comment(desk: Desk) -> helpdesk.CommentTicket:
    ticket = await desk.first(helpdesk.CREATE_TICKET, _TICKET, helpdesk.HelpTicket)
    return helpdesk.CommentTicket(ticket_id=ticket.id, text="A new one is on its way.", status=TicketStatus.SOLVED)


async def _ticket(desk: Desk) -> helpdesk.ReadTicket:
    ticket = await desk.first(helpdesk.CREATE_TICKET, _TICKET, helpdesk.HelpTicket)
    return helpdesk.ReadTicket(ticket_id=ticket.id)


async def _contact(desk: Desk) -> str:
    return (await desk.first(crm.FIND_OR_CREATE_CONTACT, _LEAD, crm.CrmContact)).id


async def _deal(desk: Desk) -> crm.CreateDeal:
    return crm.CreateDeal(name="Tea for 40", contact_id=await _contact(desk), reference="L-1", amount=usd("240.00"))


async def _call_back(desk: Desk) -> crm.CreateCrmTask:
    return crm.CreateCrmTask(contact_id=await _contact(desk), subject="Call back", due=NOW)


async def _job(desk: Desk) -> field_service.OpenJob:
    made = await desk.first(field_service.FIND_OR_CREATE_CLIENT, _HOUSEHOLD, field_service.FieldClient)
    return field_service.OpenJob(
        client_id=made.id,
        property_id=made.property_id,
        title="Repair of the boiler",
        reference="B-1",
        start=NOW,
        end=NOW + timedelta(hours=2),
        lines=(field_service.JobLine(name="Labour", quantity=2, unit_price=usd("60.00")),),
    )


async def _opened(desk: Desk) -> str:
    return (await desk.first(field_service.OPEN_JOB, await _job(desk), field_service.OpenedJob)).id


async def _finding(desk: Desk) -> field_service.FindJob:
    job = await _job(desk)
    await desk.first(field_service.OPEN_JOB, job, field_service.OpenedJob)
    return field_service.FindJob(client_id=job.client_id, reference=job.reference)


async def _starting(desk: Desk) -> field_service.StartTimesheet:
    return field_service.StartTimesheet(job_id=await _opened(desk), starts=NOW, assigned_to="kim@example.com")


async def _timesheet(desk: Desk) -> field_service.ReadTimesheet:
    return field_service.ReadTimesheet(job_id=await _opened(desk))


async def _visits(desk: Desk) -> field_service.ListVisits:
    job = await _job(desk)
    await desk.first(field_service.OPEN_JOB, job, field_service.OpenedJob)
    return field_service.ListVisits(start=job.start, end=job.end)


async def _note(desk: Desk) -> field_service.AddJobNote:
    return field_service.AddJobNote(job_id=await _opened(desk), text="The customer has paid.")


async def _closing(desk: Desk) -> field_service.CloseJob:
    return field_service.CloseJob(job_id=await _opened(desk))


async def _project(desk: Desk) -> str:
    return (
        await desk.first(
            projects.CREATE_PROJECT, projects.CreateProject(name="Yard", reference="Y-1"), projects.Project
        )
    ).id


async def _project_task(desk: Desk) -> projects.CreateProjectTask:
    return projects.CreateProjectTask(
        project_id=await _project(desk), name="Pack", reference="1001", checklist=("Tea", "Cup", "Tea")
    )


async def _done(desk: Desk) -> projects.CompleteTask:
    made = await desk.first(projects.CREATE_TASK, await _project_task(desk), projects.ProjectTask)
    return projects.CompleteTask(task_id=made.id)


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


_WHO = "robin@example.com"
_WORK = accounting.CreateWorkInvoice(
    customer=Customer(name="Robin Hill", email=_WHO),
    lines=(accounting.WorkLine(name="Repair of the boiler", quantity=Decimal("1.5"), unit_price=usd("60.00")),),
    reference="B-1",
)
_TICKET = helpdesk.CreateTicket(subject="A broken mug", text="It came broken.", email=_WHO, reference="return 77")
_APPOINTMENT = calendar.PutAppointment(
    reference="visit-1001", title="Visit", start=NOW + timedelta(hours=2), end=NOW + timedelta(hours=3)
)
_CONTRACT = esign.SendContract(template="Service contract", name="Robin Hill", email=_WHO, reference="1001")
_LINES = (stock.StockLine(sku="TEA-100", quantity=2), stock.StockLine(sku="MUG-RED", quantity=1))
_HOUSEHOLD = field_service.FindOrCreateClient(
    customer=Customer(name="Robin Hill", email=_WHO),
    address=Address(line1="1 Main St", city="Austin", postcode="78701"),
)
_LEAD = crm.FindOrCreateContact(name="Robin Hill", email=_WHO, phone="+15125550123")
INPUTS: Mapping[Operation, Given | Callable[[Desk], Awaitable[Given]]] = {
    accounting.FIND_OR_CREATE_CUSTOMER: accounting.FindOrCreateCustomer(
        customer=Customer(id="7", name="Robin Hill", email=_WHO)
    ),
    accounting.CREATE_INVOICE: accounting.CreateInvoice(order=order()),
    accounting.RECORD_PAYMENT: _payment,
    accounting.REDEEM_GIFT_CARD: _gift_card,
    accounting.CREATE_SALES_RECEIPT: accounting.CreateSalesReceipt(order=order()),
    accounting.CREATE_CREDIT_MEMO: _credit,
    accounting.CREATE_WORK_INVOICE: _WORK,
    accounting.SEND_INVOICE: _work_invoice,
    booking.READ_BOOKING: _booking,
    booking.CANCEL_BOOKING: _cancellation,
    booking.CREATE_BOOKING_LINK: booking.CreateBookingLink(service="Boiler service"),
    chat.POST_MESSAGE: chat.PostMessage(channel="packing", text="Order 1001 is paid."),
    crm.FIND_OR_CREATE_CONTACT: _LEAD,
    crm.CREATE_DEAL: _deal,
    crm.CREATE_TASK: _call_back,
    email.SEND_NOTICE: email.SendNotice(to=_WHO, order=order()),
    email.SEND_MAIL: email.SendMail(to=_WHO, subject="Your order 1001", text="It is on its way."),
    PAY_INVOICE: _open_invoice,
    payments.READ_PAYMENT: _payment_state,
    payments.REFUND: _refund,
    purchasing.FIND_SUPPLIER: purchasing.FindSupplier(sku="TEA-100"),
    purchasing.CREATE_PURCHASE_ORDER: _purchase,
    purchasing.READ_PURCHASE_ORDER: _purchased,
    helpdesk.CREATE_TICKET: _TICKET,
    helpdesk.COMMENT: _comment,
    helpdesk.READ_TICKET: _ticket,
    calendar.PUT_APPOINTMENT: _APPOINTMENT,
    calendar.CANCEL_APPOINTMENT: _appointment,
    calendar.LIST_BUSY: _busy,
    esign.SEND_CONTRACT: _CONTRACT,
    esign.READ_CONTRACT: _sent_contract,
    esign.WITHDRAW_CONTRACT: _open_contract,
    field_service.FIND_OR_CREATE_CLIENT: _HOUSEHOLD,
    field_service.OPEN_JOB: _job,
    field_service.FIND_JOB: _finding,
    field_service.START_TIMESHEET: _starting,
    field_service.READ_TIMESHEET: _timesheet,
    field_service.ADD_JOB_NOTE: _note,
    field_service.CLOSE_JOB: _closing,
    field_service.LIST_VISITS: _visits,
    projects.CREATE_PROJECT: projects.CreateProject(name="Shop window", reference="W-1"),
    projects.CREATE_TASK: _project_task,
    projects.COMPLETE_TASK: _done,
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


_TIME = re.compile(r"/Date\(\d+\+0000\)/|\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d[\d.:+Z-]*)?|\d{8}T\d{6}Z|\d{10}\.\d{6}")
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
        result = await at.attempt(action, given)
        requests = len(at.simulator.received) - before
        return Clean(requests, timeless(at.held), told(result, action.operation))


async def until_done(at: Desk, action: Action, given: Given, lost: list[int]) -> Result:
    """Attempt it until an answer comes, as the engine does; attempt n loses the answer to its request `lost[n]`."""
    for attempt, request in enumerate(lost):
        at.simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, skip=request, times=_TWICE))
        try:
            result = await at.attempt(action, given, again=attempt > 0)
        except (OutcomeUnknown, Transient):
            continue
        finally:
            at.simulator.faults.clear()
        # A repeat that looks first, and finds, makes fewer requests.
        assert attempt > 0, f"request {request} was answered though it shouldn't have been"
        return result
    return await at.attempt(action, given, again=True)


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
        first = await at.attempt(action, given)
        held = at.held
        again = await at.attempt(action, given, again=True)
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
