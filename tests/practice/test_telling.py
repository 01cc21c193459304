"""Simulated senders of the business's own say what they are given, and what they say is read as just that."""

from datetime import UTC, datetime, timedelta

import pytest

from bellwire.connectors.kit import BadSignature
from bellwire.events import (
    Address,
    Answer,
    Booking,
    Condition,
    Contract,
    Customer,
    Delivery,
    Event,
    Fact,
    Lead,
    Return,
    ReturnLine,
)
from bellwire.practice import Practised, Teller, Webhook, find_simulator, practising, simulator_names

TELLERS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Teller)]
ASKED = datetime(2026, 11, 27, 20, 15, tzinfo=UTC)
"""A Friday evening, long before the test."""
ROBIN = Customer(name="Robin Hill", email="robin@example.com", phone="+15125550123", company="Hill & Sons")
BACK = Return(
    id="R-7",
    number="R-7",
    order_id="42",
    order_number="1001",
    customer=ROBIN,
    lines=(
        ReturnLine(line_id="1", sku="TEA-100", quantity=2, reason="Too green"),
        ReturnLine(name="The blue pot", quantity=1),
    ),
    refund_shipping=False,
    payment_id="p1",
    notes="By post",
    updated_at=ASKED,
)
FOUND = tuple(line.model_copy(update={"condition": Condition.DAMAGED}) for line in BACK.lines)
FACTS: list[tuple[str, Fact]] = [
    ("lead.created", Lead(id="1", created_at=ASKED, source="website")),
    (
        "lead.created",
        Lead(
            id="2",
            **ROBIN.model_dump(exclude={"id"}),
            address=Address(line1="1 Main St", city="Austin", region="TX", postcode="78701", country="US"),
            message="Haben Sie grünen Tee?\nお茶はありますか。 & = %",
            source="fair",
            answers=(Answer(question="How much?", answer="2 kg"),),
            created_at=ASKED,
        ),
    ),
    (
        "booking.created",
        Booking(
            id="b1",
            service="Boiler service",
            start=ASKED + timedelta(days=7),
            end=ASKED + timedelta(days=7, minutes=45),
            zone="Europe/Zurich",
            customer=ROBIN,
            staff=("Kim",),
            answers=(Answer(question="Which boiler?", answer="A big one"),),
            notes="The bell is broken.",
            updated_at=ASKED,
        ),
    ),
    ("return.created", BACK),
    ("return.received", BACK.model_copy(update={"number": "R-7/2", "lines": FOUND, "received_at": ASKED})),
]


def read(practised: Practised, webhook: Webhook) -> Event:
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    delivery = Delivery(practised.connection.name, headers, webhook.body, datetime.now(UTC))
    scheme = practised.connection.webhook
    assert scheme is not None
    scheme.verify(delivery, practised.connection.secrets, delivery.received_at)
    (event,) = practised.events(delivery)
    return event


@pytest.mark.parametrize("vendor", TELLERS)
@pytest.mark.parametrize(("event_type", "fact"), FACTS)
async def test_what_is_told_is_read_as_it_was_and_told_again_it_is_the_same_fact(
    vendor: str, event_type: str, fact: Fact
) -> None:
    async with practising(vendor) as practised:
        assert isinstance(practised.simulator, Teller)
        event, again = (read(practised, practised.simulator.tell(event_type, fact)) for _ in range(2))
        assert (event.type, event.data) == (event_type, fact)
        assert event.business_key == again.business_key
        assert len(practised.simulator.state()["sent"]) == 2


@pytest.mark.parametrize("vendor", TELLERS)
async def test_what_was_changed_on_the_way_is_refused(vendor: str) -> None:
    async with practising(vendor) as practised:
        assert isinstance(practised.simulator, Teller)
        told = practised.simulator.tell(*FACTS[1])
        forged = Webhook(told.topic, told.headers, told.body.replace(b"robin", b"robot"))
        with pytest.raises(BadSignature):
            read(practised, forged)


def test_a_form_says_only_what_there_is_a_form_for() -> None:
    simulator = find_simulator("form")()
    assert isinstance(simulator, Teller)
    with pytest.raises(ValueError, match=r"no form says contract\.signed"):
        simulator.tell("contract.signed", Contract(id="1", updated_at=ASKED))
    assert simulator.state() == {"sent": []}
