"""Simulated processors charge what customers owe; their webhooks say to our connectors what has happened, as far as
the processor can tell, and are right whenever they are signed."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bellwire.clock import system_clock
from bellwire.connectors.kit import POLLED
from bellwire.events import Customer, Delivery, Event, Payment, Subscription
from bellwire.practice import Parcels, Practised, Subscriptions, Webhook, practising
from bellwire.practice.driving import in_role, sign
from bellwire.practice.square import SOMEWHERE
from tests.samples import usd

URL = SOMEWHERE
ROBIN = Customer(id="7", name="Robin Hill", email="robin.hill@example.com", phone="+15125550123")
PRICE = usd("24.40")


class Pay:
    """A simulated processor, and the connection to it."""

    def __init__(self, practised: Practised) -> None:
        self.practised = practised
        self.simulator = in_role(practised.simulator, Subscriptions)  # type: ignore[type-abstract]

    def check(self, webhook: Webhook, now: datetime) -> Delivery:
        """As the intake does. Raises BadSignature."""
        return checked(self.practised, webhook, now)

    def events(self, about: str, event_type: str) -> list[Event]:
        """What the newest webhook of a kind means; one that only wakes a poll, as the poll would bring it."""
        delivery = self.check(self.simulator.notice(about, event_type), system_clock())
        polled = Delivery(
            delivery.connection, {**delivery.headers, POLLED: "events"}, delivery.body, delivery.received_at
        )
        return list(self.practised.events(polled))

    def only(self, about: str, event_type: str) -> Event:
        return next(event for event in self.events(about, event_type) if event.type == event_type)

    def payment(self, about: str, event_type: str) -> Payment:
        data = self.only(about, event_type).data
        assert isinstance(data, Payment)
        return data


def checked(practised: Practised, webhook: Webhook, now: datetime) -> Delivery:
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    delivery = Delivery(practised.connection.name, headers, webhook.body, now, URL)
    assert practised.connection.webhook is not None
    practised.connection.webhook.verify(delivery, practised.connection.secrets, now)
    return delivery


@pytest.fixture(params=["stripe", "paypal", "square"])
async def pay(request: pytest.FixtureRequest) -> AsyncIterator[Pay]:
    async with practising(request.param) as practised:
        yield Pay(practised)


async def test_a_period_that_couldnt_be_charged_is_tried_again_until_it_is_paid(pay: Pay) -> None:
    plan = pay.simulator.subscribe(PRICE, ROBIN, "450789469")
    noon = system_clock().replace(microsecond=0)
    pay.simulator.go_by(lambda: noon)
    pay.simulator.charge(plan, declined=True)
    failed, told = pay.payment(plan, "payment.failed"), pay.only(plan, "payment.failed").business_key
    assert (failed.amount, failed.customer.email, failed.subscription_id) == (PRICE, ROBIN.email, plan)
    pay.simulator.go_by(lambda: noon + timedelta(days=5))
    pay.simulator.charge(plan, declined=True)
    assert pay.only(plan, "payment.failed").business_key != told, "each failure is a fact of its own"
    again = pay.payment(plan, "payment.failed")
    assert [failed.attempts, again.attempts] == ([1, 2] if pay.simulator.tells().tries else [None, None])
    pay.simulator.charge(plan)
    paid = pay.payment(plan, "subscription.renewed")
    assert (paid.amount, paid.subscription_id) == (PRICE, plan)
    assert (bool(paid.id) and paid.reference == "450789469") is pay.simulator.tells().orders


async def test_what_is_paid_is_followed_by_a_new_period(pay: Pay) -> None:
    plan = pay.simulator.subscribe(PRICE, ROBIN)
    keys = set()
    for _ in range(2):
        pay.simulator.charge(plan)
        keys.add(pay.only(plan, "subscription.renewed").business_key)
    assert len(keys) == 2


async def test_a_renewal_names_no_order_that_nobody_named(pay: Pay) -> None:
    plan = pay.simulator.subscribe(PRICE, ROBIN)
    pay.simulator.charge(plan)
    paid = pay.payment(plan, "subscription.renewed")
    assert not (paid.id and paid.reference)


async def test_it_says_that_a_subscription_has_ended(pay: Pay) -> None:
    plan = pay.simulator.subscribe(PRICE, ROBIN)
    pay.simulator.end(plan)
    data = pay.only(plan, "subscription.ended").data
    assert isinstance(data, Subscription)
    assert (data.id, data.ended) == (plan, True)


async def test_an_invoice_of_no_subscription_is_known_again_where_the_processor_says_so(pay: Pay) -> None:
    invoice = pay.simulator.bill(PRICE, ROBIN)
    if not invoice:
        assert pay.practised.simulator.vendor == "paypal"
        return
    pay.simulator.charge(invoice, declined=True)
    failed = pay.payment(invoice, "payment.failed")
    assert (failed.amount, failed.invoice_id, failed.subscription_id) == (PRICE, invoice, "")
    pay.simulator.charge(invoice)
    paid = [event.data.invoice_id for event in pay.events(invoice, "payment.succeeded")]
    assert paid == ([invoice] if pay.simulator.tells().invoices else [])


async def test_a_card_that_is_declined_at_the_checkout_is_of_nothing_that_is_owed(pay: Pay) -> None:
    refused = pay.payment(pay.simulator.refuse(PRICE, ROBIN), "payment.failed")
    assert (refused.amount, refused.invoice_id, refused.subscription_id) == (PRICE, "", "")


async def test_it_goes_by_the_clock_that_it_is_given(pay: Pay) -> None:
    later = system_clock().replace(microsecond=0) + timedelta(days=5)
    pay.simulator.go_by(lambda: later)
    plan = pay.simulator.subscribe(PRICE, ROBIN)
    pay.simulator.charge(plan, declined=True)
    assert pay.payment(plan, "payment.failed").created_at == later


async def test_what_is_signed_anew_later_is_taken_then(pay: Pay) -> None:
    plan = pay.simulator.subscribe(PRICE, ROBIN)
    pay.simulator.charge(plan)
    webhook, later = pay.simulator.notice(plan, "subscription.renewed"), system_clock() + timedelta(days=30)
    headers = sign(pay.practised.connection, webhook.headers, webhook.body, URL, now=later)
    assert pay.check(Webhook(webhook.topic, headers, webhook.body), later).body == webhook.body


@pytest.mark.parametrize("event_type", ["shipment.delivered", "shipment.exception"])
async def test_a_parcels_webhook_is_taken_and_wakes_the_list_also_when_signed_anew_later(event_type: str) -> None:
    async with practising("shipstation") as practised:
        parcels = in_role(practised.simulator, Parcels)  # type: ignore[type-abstract]
        webhook, later = parcels.turn(parcels.hand_in("4001", ROBIN), event_type), system_clock() + timedelta(days=9)
        headers = sign(practised.connection, webhook.headers, webhook.body, URL, now=later)
        delivery = checked(practised, Webhook(webhook.topic, headers, webhook.body), later)
        assert practised.connection.connector.triggers is not None
        assert practised.connection.connector.triggers.normalise(delivery, practised.connection).wake == ("parcels",)
