"""Every connector that can find what a person did: it finds it, says what differs, and only reads."""

from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bellwire.capabilities import Given, Result
from bellwire.capabilities.accounting import (
    CreateCreditMemo,
    CreateInvoice,
    CreateSalesReceipt,
    CreateWorkInvoice,
    CreditLine,
    FindOrCreateCustomer,
    RecordPayment,
    RedeemGiftCard,
    SendInvoice,
    WorkLine,
)
from bellwire.capabilities.calendar import PutAppointment
from bellwire.capabilities.crm import CreateCrmTask, CreateDeal, FindOrCreateContact
from bellwire.capabilities.field_service import CloseJob, FindOrCreateClient, OpenJob
from bellwire.capabilities.helpdesk import CreateTicket, Priority
from bellwire.capabilities.payments import RefundPayment
from bellwire.capabilities.projects import CreateProject, CreateProjectTask
from bellwire.capabilities.purchasing import CreatePurchaseOrder, PurchaseLine
from bellwire.capabilities.shipping import CreateLabel, UpsertOrder
from bellwire.capabilities.sms import SendSms
from bellwire.capabilities.storefront import FlagProduct, MarkFulfilled
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Action, Connection, Seen, only_looking
from bellwire.errors import Refused
from bellwire.events import Customer
from bellwire.practice import Practice, Sale, SaleLine
from tests.connecting import call, connection
from tests.purchases import supplier
from tests.samples import ADDRESS, NOW, line, order, usd


def _those(*given: type[Given]) -> list[Any]:
    """The vendors that can look, each with its action; with `given`, those of operations that are given these."""
    return [
        pytest.param(each.name, action, id=f"{each.name}-{key}")
        for each in all_connectors()
        for key, action in each.actions.items()
        if action.look and (not given or action.operation.given in given)
    ]


LOOKS = _those()

DEARER = order(lines=(line(unit_price=usd("9.50"), total=usd("19.00")),), total=usd("26.40"))
ELSEWHERE = ADDRESS.model_copy(update={"line1": "9 Pier Rd", "postcode": "10001"})
CUSTOMER = Customer(name="Robin Hill", email="robin@example.com")
WORK = CreateWorkInvoice(customer=CUSTOMER, lines=(WorkLine(name="Labour", unit_price=usd("95")),), reference="J-7")
MOVED = order(shipping=ADDRESS.model_copy(update={"postcode": "10001"}))
ROBIN = FindOrCreateContact(name="Robin Hill", email="robin@example.com", company="Hill & Leaf")

PROJECT = CreateProject(name="Hill & Leaf", reference="contract 7", due=NOW.date())
TICKET = CreateTicket(subject="Unpaid", text="Call them.", email="robin@example.com", reference="unpaid 7")
VISIT = PutAppointment(reference="B-1", title="Repair of the boiler", start=NOW, end=NOW + timedelta(hours=2))
TEXT = SendSms(to="+15125550123", text="We come tomorrow.")
FLAG = FlagProduct(sku="TEA-100", flag="eta", day=NOW.date())

HOUR = timedelta(hours=1)

Sent = tuple[Given, Given, str]
"""What is done, what Bellwire would have sent instead, and in what they differ; empty: they can't."""

SENT: dict[type[Given], Sent] = {
    CreateInvoice: (CreateInvoice(order=order()), CreateInvoice(order=DEARER), "total"),
    CreateSalesReceipt: (CreateSalesReceipt(order=order()), CreateSalesReceipt(order=DEARER), "total"),
    UpsertOrder: (UpsertOrder(order=order()), UpsertOrder(order=MOVED), "postcode"),
    CreateLabel: (CreateLabel(order=order()), CreateLabel(order=order(), service="another"), "service"),
    FindOrCreateContact: (ROBIN, ROBIN.model_copy(update={"company": "Acme"}), "company"),
    FindOrCreateCustomer: (FindOrCreateCustomer(customer=CUSTOMER), FindOrCreateCustomer(customer=CUSTOMER), ""),
    CreateProject: (PROJECT, PROJECT.model_copy(update={"due": NOW.date() + timedelta(days=1)}), "due"),
    CreateTicket: (TICKET, TICKET.model_copy(update={"priority": Priority.HIGH}), "priority"),
    PutAppointment: (VISIT, VISIT.model_copy(update={"title": "Service of the boiler"}), "title"),
    SendSms: (TEXT, TEXT.model_copy(update={"text": "We come today."}), "text"),
    FlagProduct: (FLAG, FLAG.model_copy(update={"day": NOW.date() + timedelta(days=1)}), "flag"),
    CreateWorkInvoice: (
        WORK,
        WORK.model_copy(update={"lines": (WorkLine(name="Labour", unit_price=usd("85")),)}),
        "total without tax",
    ),
    FindOrCreateClient: (
        FindOrCreateClient(customer=CUSTOMER, address=ADDRESS),
        FindOrCreateClient(customer=CUSTOMER, address=ELSEWHERE),
        "place of work",
    ),
}
"""By what an operation is given."""


async def _order_for(account: Connection, _: Any) -> Sent:
    """Of a supplier of the vendor's own."""
    terms = await supplier(account, "TEA-100")

    def buy(quantity: int) -> Given:
        bought = PurchaseLine(sku="TEA-100", quantity=quantity)
        return CreatePurchaseOrder(supplier_id=terms.supplier_id, lines=(bought,), reference="R-1")

    return buy(24), buy(48), "TEA-100"


async def _payment_of(account: Connection, _: Any) -> Sent:
    return *await _amounts(account, RecordPayment), "amount"


async def _redemption_of(account: Connection, _: Any) -> Sent:
    return *await _amounts(account, RedeemGiftCard), "amount"


async def _amounts(account: Connection, kind: type[RecordPayment | RedeemGiftCard]) -> tuple[Given, Given]:
    invoice = await _invoice(account)
    known = {"invoice_id": invoice.id, "customer_id": invoice.customer_id}
    return kind(**known, amount=usd("9.40")), kind(**known, amount=usd("8.40"))


async def _credit_of(account: Connection, _: Any) -> Sent:
    invoice = await _invoice(account)

    def give_back(amount: str) -> Given:
        line = CreditLine(sku="TEA-100", name="Green tea", amount=usd(amount))
        return CreateCreditMemo(invoice_id=invoice.id, lines=(line,), reference="R-1")

    return give_back("8.50"), give_back("7.50"), "total"


async def _mail_of(account: Connection, _: Any) -> Sent:
    invoice = await _do(account, "accounting.create_work_invoice", WORK)
    other = SendInvoice(invoice_id=invoice.id, to="kim@example.com") if account.name == "quickbooks" else None
    mail = SendInvoice(invoice_id=invoice.id, to="robin@example.com")
    return mail, other or mail, "to" if other else ""


async def _refund_of(_: Connection, processor: Any) -> Sent:
    paid = processor.take(usd("24.40"), "1001")

    def give_back(amount: str) -> Given:
        return RefundPayment(payment_id=paid, amount=usd(amount))

    return give_back("9.40"), give_back("8.40"), "amount"


async def _fulfilment_of(_: Connection, shop: Any) -> Sent:
    placed = shop.place(Sale("1001", (SaleLine("TEA-100"),)))
    shop.pay(placed)

    def fulfil(number: str) -> Given:
        return MarkFulfilled(order_id=placed, tracking_number=number)

    return fulfil("T-1"), fulfil("T-2"), "tracking number"


async def _job_of(account: Connection, _: Any) -> Sent:
    client = await _do(
        account, "field_service.find_or_create_client", FindOrCreateClient(customer=CUSTOMER, address=ADDRESS)
    )
    job = OpenJob(
        client_id=client.id,
        property_id=client.property_id,
        title="Repair of the boiler",
        reference="B-1",
        start=NOW,
        end=NOW + timedelta(hours=2),
    )
    return job, job.model_copy(update={"title": "Service of the boiler"}), "title"


async def _closing_of(account: Connection, simulator: Any) -> Sent:
    opened = await _do(account, "field_service.open_job", (await _job_of(account, simulator))[0])
    closing = CloseJob(job_id=opened.id)
    return closing, closing, ""


async def _deal_of(account: Connection, _: Any) -> Sent:
    contact = await _do(account, "crm.find_or_create_contact", ROBIN)
    deal = CreateDeal(name="Hill & Leaf", contact_id=contact.id, reference="L-1", amount=usd("100"))
    return deal, deal.model_copy(update={"amount": usd("90")}), "amount"


async def _call_to(account: Connection, _: Any) -> Sent:
    contact = await _do(account, "crm.find_or_create_contact", ROBIN)
    task = CreateCrmTask(contact_id=contact.id, subject="Call Robin", due=NOW)
    return task, task.model_copy(update={"due": NOW + timedelta(days=1)}), "due"


async def _task_in(account: Connection, _: Any) -> Sent:
    project = await _do(account, "projects.create_project", PROJECT)
    task = CreateProjectTask(project_id=project.id, name="Onboarding", reference="onboarding 7", due=NOW.date())
    return task, task.model_copy(update={"due": NOW.date() + timedelta(days=1)}), "due"


async def _invoice(account: Connection) -> Any:
    return await _do(account, "accounting.create_invoice", CreateInvoice(order=order()))


async def _do(account: Connection, operation: str, given: Given) -> Any:
    return await account.connector.actions[operation](call(account, key="f" * 32), given)


PREPARED: dict[type[Given], Callable[[Connection, Any], Awaitable[Sent]]] = {
    CreatePurchaseOrder: _order_for,
    RecordPayment: _payment_of,
    RedeemGiftCard: _redemption_of,
    CreateCreditMemo: _credit_of,
    SendInvoice: _mail_of,
    RefundPayment: _refund_of,
    MarkFulfilled: _fulfilment_of,
    OpenJob: _job_of,
    CloseJob: _closing_of,
    CreateDeal: _deal_of,
    CreateCrmTask: _call_to,
    CreateProjectTask: _task_in,
}
"""The same, where something has to be there before."""


async def sent(account: Connection, simulator: Any, given: type[Given]) -> Sent:
    return await PREPARED[given](account, simulator) if given in PREPARED else SENT[given]


@pytest.fixture
async def practised(vendor: str) -> AsyncIterator[tuple[Practice, Connection]]:
    async with Practice([vendor]) as practice:
        made = connection(vendor, practice)
        yield practice, made
        await made.api.close()


async def look(account: Connection, action: Action, given: Given, *, since: timedelta = -HOUR) -> Seen | None:
    """`since`: when the flow would have done it, after what is now for the tests."""
    assert action.look is not None
    with only_looking():
        return await action.look(replace(call(account, key="0" * 32), since=NOW + since), given)


def test_several_can_look() -> None:
    """What isn't found here isn't tested here."""
    assert len(LOOKS) >= 40


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_what_is_there_is_found_with_what_differs_and_nothing_is_changed(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    simulator = practice.simulators[vendor]
    done, otherwise, field = await sent(account, simulator, action.operation.given)
    assert await look(account, action, done) is None

    made = await action.perform(call(account), done)
    before: Any = deepcopy(simulator.state())
    simulator.received.clear()
    found, other = await look(account, action, done), await look(account, action, otherwise)

    assert found is not None and all(each.same for each in found.compared), found
    assert found.result is not None and _built_on(found.result) == _built_on(made)
    apart = [each.name for each in other.compared if not each.same] if other else None
    assert apart == ([field] if field else []), other
    # Where reading is a POST too, what is held tells.
    assert simulator.received and simulator.state() == before


@pytest.mark.parametrize(("vendor", "action"), _those(CreateCreditMemo, CreateWorkInvoice, CreateTicket))
async def test_what_a_person_calls_otherwise_is_found_by_whom_it_is_for(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    done, _, _ = await sent(account, practice.simulators[vendor], action.operation.given)
    await action.perform(call(account), done.model_copy(update={"reference": "by hand"}))
    found = await look(account, action, done)
    assert found is not None and all(each.same for each in found.compared), found
    assert await look(account, action, done, since=timedelta(days=3650)) is None


@pytest.mark.parametrize("vendor", ["shopify", "woocommerce"])
async def test_a_flag_that_is_to_go_is_looked_for_too(practised: tuple[Practice, Connection], vendor: str) -> None:
    _, account = practised
    action = account.connector.actions["storefront.flag_product"]
    await action.perform(call(account), FLAG)
    gone = FLAG.model_copy(update={"day": None, "on": False})
    assert await look(account, action, gone) is None
    await action.perform(call(account), gone)
    found = await look(account, action, gone)
    assert found is not None and found.label == "the product without 'eta'"


@pytest.mark.parametrize("vendor", ["google_calendar", "caldav", "jobber"])
async def test_what_is_at_another_time_is_something_else(practised: tuple[Practice, Connection], vendor: str) -> None:
    practice, account = practised
    given: Any = (await _job_of(account, practice.simulators[vendor]))[0] if vendor == "jobber" else VISIT
    name = "field_service.open_job" if vendor == "jobber" else "calendar.put_appointment"
    action, later = account.connector.actions[name], timedelta(days=1)
    moved = given.model_copy(update={"start": given.start + later, "end": given.end + later})
    await action.perform(call(account), moved)
    assert await look(account, action, given) is None and await look(account, action, moved) is not None


def _built_on(result: Result) -> dict[str, Any]:
    """What later actions may need of it."""
    return result.model_dump(exclude={"created"})


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_whatever_would_change_something_isnt_sent(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    done, _, _ = await sent(account, practice.simulators[vendor], action.operation.given)
    before: Any = deepcopy(practice.simulators[vendor].state())
    with only_looking(), pytest.raises(Refused) as refused:
        await action.perform(call(account), done)
    assert refused.value.cause == "only-looking"
    assert practice.simulators[vendor].state() == before
    await action.perform(call(account), done)  # afterwards it is
    assert practice.simulators[vendor].state() != before
