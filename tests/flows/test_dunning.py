"""The template for subscriptions: what it says and does for ordinary and odd payments and parcels."""

from datetime import timedelta
from typing import Any

import pytest

from bellwire.capabilities import OPERATIONS, Given
from bellwire.capabilities.shipping import CreateLabel, Label
from bellwire.capabilities.storefront import FoundOrder
from bellwire.events import Customer, Environment, Event, Order, Payment, PaymentStatus, Shipment, Subscription
from bellwire.events.orders import Fulfilment, PaymentState
from bellwire.events.shipments import ShipmentStatus
from bellwire.flows import SKIPPED, Scope, Waited, bundled, parse_flow, scope_for
from bellwire.money import Money
from tests.flows.writing import PATH
from tests.samples import NOW, line, order, usd

DUNNING, RENEWED, PAID, ARRIVED, TROUBLE = (
    parse_flow(bundled(name), PATH.with_stem(name))
    for name in ("dunning", "subscription_renewed", "payment_succeeded", "delivery_news", "delivery_trouble")
)
ROBIN = Customer(id="c1", name="Robin Hill", email="robin@example.com", phone="+15125550123")
DAY = timedelta(days=1)


def payment(**changes: Any) -> Payment:
    """As Stripe tells of an invoice of a subscription that couldn't be charged."""
    values: dict[str, Any] = {
        "id": "in_1",
        "status": PaymentStatus.FAILED,
        "amount": usd("24.40"),
        "customer": ROBIN,
        "reference": "A-1",
        "invoice_id": "in_1",
        "subscription_id": "sub_1",
        "attempts": 1,
        "next_try_at": NOW + 3 * DAY,
        "pay_url": "https://pay.example/in_1",
        "created_at": NOW,
    }
    return Payment(**(values | changes))


def shipment(**changes: Any) -> Shipment:
    values: dict[str, Any] = {
        "id": "l1",
        "status": ShipmentStatus.DELIVERED,
        "reference": "1001",
        "recipient": ROBIN,
        "carrier": "ups",
        "tracking_number": "1Z999",
        "tracking_url": "https://t.example/1Z999",
        "created_at": NOW,
    }
    return Shipment(**(values | changes))


def scope(data: Any, **results: Any) -> Scope:
    event = Event(
        type="payment.failed",
        connection="pay",
        environment=Environment.SANDBOX,
        business_key="k",
        subject="s",
        time=NOW,
        data=data,
    )
    return scope_for(event, results)


def dunned(data: Payment) -> Scope:
    """What the actions see once those before them are settled."""
    names = scope(data, grace=Waited(until=NOW))
    if not DUNNING.actions["grace"].wanted(names):
        names["grace"] = SKIPPED
    names["first"] = "a mail" if DUNNING.actions["first"].wanted(names) else SKIPPED
    return names


def renewed(data: Payment, found: FoundOrder | None = None) -> Scope:
    label = Label(id="l1", shipping_order_id="s1", carrier="ups", tracking_number="1Z999")
    return scope(data, first=found or SKIPPED, label=label)


def wanted(flow: Any, names: Scope) -> list[str]:
    return [action.name for action in flow.actions.values() if action.wanted(names)]


def given(flow: Any, action: str, names: Scope) -> Any:
    """The action's inputs, as its operation takes them."""
    step = flow.actions[action]
    (operation,) = OPERATIONS[step.operation_name]
    found = operation.given.model_validate(step.inputs(names))
    assert isinstance(found, Given)
    return found


ODD: list[dict[str, Any]] = [
    {},
    {"customer": Customer(email="x@y.z")},
    {"pay_url": "", "next_try_at": None, "attempts": None, "failure": "Payer cannot pay", "reference": ""},
    {"invoice_id": "", "subscription_id": "sub_1", "id": "sub_1"},
    {"id": "", "subscription_id": "sub_1"},
]


@pytest.mark.parametrize("changes", ODD)
def test_every_input_of_the_dunning_is_valid_and_no_text_has_holes(changes: dict[str, Any]) -> None:
    names = dunned(payment(**changes))
    for action in wanted(DUNNING, names):
        if action == "grace":
            continue
        found = given(DUNNING, action, names)
        assert "\n\n\n" not in found.text and "None" not in found.text and ": \n" not in found.text
        assert "  " not in found.text and not found.text.startswith("\n")


MAILS = ["first", "second", "third", "last"]


def test_an_invoice_that_couldnt_be_charged_is_reminded_of_four_times_and_then_the_team_is_told() -> None:
    names = dunned(payment())
    assert wanted(DUNNING, names) == ["grace", *MAILS, "told", "ticket"]
    assert [DUNNING.actions[name].wait for name in MAILS] == [None, 3 * DAY, 7 * DAY, 14 * DAY]
    assert DUNNING.actions["told"].needs == DUNNING.actions["ticket"].needs == {"last", "first"}


def test_the_words_go_from_friendly_to_firm_and_always_say_where_to_pay() -> None:
    names = dunned(payment(failure="Your card has expired."))
    mails = [given(DUNNING, name, names) for name in MAILS]
    assert [mail.subject for mail in mails] == [
        "Your payment of $24.40 didn't go through",
        "A reminder: $24.40 is still open",
        "Please pay $24.40 within a week",
        "Last reminder: $24.40 is open",
    ]
    assert all("you can pay here: https://pay.example/in_1\n" in mail.text.lower() for mail in mails)
    assert all(mail.text.startswith("Hello Robin Hill,\n\n") for mail in mails)
    assert "The reason we were given: Your card has expired.\n" in mails[0].text
    assert "tried again on 27 November." in mails[0].text


def test_without_an_address_to_pay_at_the_mails_say_what_to_do_instead() -> None:
    names = dunned(payment(id="sub_1", invoice_id="", pay_url="", next_try_at=None))
    for name in MAILS:
        text = given(DUNNING, name, names).text
        assert "pay here" not in text and "how you pay for your subscription" in text
    assert "tried again" not in given(DUNNING, "first", names).text


def test_the_ticket_says_what_a_person_has_to_know_and_the_customer_doesnt_see_it() -> None:
    found = given(DUNNING, "ticket", dunned(payment(failure="No funds")))
    assert not found.public and found.email == "robin@example.com"
    assert found.text.endswith(
        "agree on another day.\nReference: A-1\nInvoice: in_1\nSubscription: sub_1\nWhy it failed: No funds\n"
    )


def test_a_ticket_of_the_next_period_is_another_one() -> None:
    """PayPal tells of the subscription alone."""
    references = {
        given(DUNNING, "ticket", dunned(payment(invoice_id="", created_at=NOW + days * DAY))).reference
        for days in (0, 30)
    }
    assert references == {"unpaid sub_1 2026-11-24", "unpaid sub_1 2026-12-24"}


@pytest.mark.parametrize(
    "changes",
    [
        {"invoice_id": "", "subscription_id": ""},  # at the checkout
        {"attempts": 2},  # the processor tried again
        {"id": "", "subscription_id": ""},  # an invoice of Square's that stands alone
    ],
)
def test_nobody_is_reminded_whose_reminders_are_under_way_or_couldnt_be_stopped(changes: dict[str, Any]) -> None:
    assert wanted(DUNNING, dunned(payment(**changes))) == []
    assert "first failure" in DUNNING.actions["grace"].otherwise


@pytest.mark.parametrize(
    "changes",
    [
        {"attempts": None},  # Square
        {"subscription_id": ""},  # an invoice of Stripe's that stands alone
        {"id": "sub_1", "invoice_id": ""},  # PayPal
        {"id": ""},  # Square
    ],
)
def test_what_can_be_stopped_is_reminded_of(changes: dict[str, Any]) -> None:
    assert "first" in wanted(DUNNING, dunned(payment(**changes)))


def test_whoever_cant_be_written_to_is_told_to_the_team() -> None:
    names = dunned(payment(customer=Customer(name="Robin Hill", phone="+15125550123")))
    assert wanted(DUNNING, names) == ["grace", "no_address"]
    text = given(DUNNING, "no_address", names).text
    assert "by Robin Hill failed" in text and "Their phone: +15125550123\n" in text and "https://pay" in text


def test_what_ends_it_has_something_in_common_with_what_began_it() -> None:
    failed = scope(payment())["meta"]
    ended = Subscription(id="sub_1", status="canceled", updated_at=NOW)
    over = failed.model_copy(update={"data": ended, "type": "subscription.ended"})
    keys = [(ending.event_type, ending.key(failed)) for ending in DUNNING.ends_on]
    assert keys == [
        ("payment.succeeded", "invoice_id=in_1"),
        ("payment.succeeded", "subscription_id=sub_1"),
        ("subscription.renewed", "subscription_id=sub_1"),
        ("subscription.ended", "subscription_id=sub_1"),
    ]
    assert DUNNING.ends_on[-1].key(over) == keys[-1][1]


def test_a_renewal_is_sent_as_the_order_with_which_it_began_by_a_number_of_its_own() -> None:
    names = renewed(payment(reference="450789469", created_at=NOW + 30 * DAY), FoundOrder(order=order()))
    assert given(RENEWED, "first", names).order_id == "450789469"
    label = given(RENEWED, "label", names)
    assert isinstance(label, CreateLabel)
    assert (label.order.number, label.order.id) == ("1001-20261224", "450789469")
    assert (label.order.lines, label.order.shipping, label.order.email) == (
        *(order().lines, order().shipping), "robin@example.com"
    )  # fmt: skip
    assert label.order.computed_total == label.order.total
    assert given(RENEWED, "bench", names).text == (
        "Subscription renewed ($24.40): pack 1001-20261224.\n2 × Green tea, 100 g (TEA-100)\nTracking 1Z999.\n"
    )
    assert wanted(RENEWED, names) == ["first", "label", "bench"]


def test_the_packing_list_has_what_is_sent_and_what_the_customer_wrote() -> None:
    found = FoundOrder(order=order(lines=(line(), line(ships=False, name="A course")), note="Ring twice"))
    text = given(RENEWED, "bench", renewed(payment(), found)).text
    assert "A course" not in text and "The customer wrote: Ring twice\nTracking" in text


def test_the_payment_that_comes_with_the_order_itself_is_no_second_parcel() -> None:
    """PayPal calls the first payment of a subscription a renewal, too."""
    names = renewed(payment(created_at=NOW + 2 * DAY), FoundOrder(order=order()))
    assert "label" not in wanted(RENEWED, names)
    assert wanted(RENEWED, names | {"label": SKIPPED}) == ["first"]


def test_what_has_nothing_to_send_gets_no_label() -> None:
    found = FoundOrder(order=order(lines=(line(ships=False),)))
    assert "label" not in wanted(RENEWED, renewed(payment(created_at=NOW + 30 * DAY), found))


@pytest.mark.parametrize("changes", [{"reference": ""}, {"id": "", "reference": "000042"}])
def test_where_the_payment_names_no_order_the_team_is_asked(changes: dict[str, Any]) -> None:
    names = renewed(payment(**changes)) | {"label": SKIPPED}
    assert wanted(RENEWED, names) == ["unknown"]
    assert "($24.40, Robin Hill)" in given(RENEWED, "unknown", names).text
    nameless = renewed(payment(**changes, customer=Customer()))
    assert "subscription sub_1)" in given(RENEWED, "unknown", nameless).text


UNPAID = order(payment=PaymentState.PENDING, paid_at=None)
ONE_TIME = payment(id="pi_1", reference="450789469", invoice_id="", subscription_id="", amount=UNPAID.total)


def received(data: Payment, found: Order | None) -> Scope:
    """What the actions see of a payment for this order; the label is bought if it is wanted."""
    names = scope(data, order=FoundOrder(order=found) if found else SKIPPED)
    bought = Label(id="l1", shipping_order_id="s1", carrier="ups", tracking_number="1Z999")
    names["label"] = bought if found and PAID.actions["label"].wanted(names) else SKIPPED
    return names


def test_what_was_paid_past_the_shop_is_packed_and_the_shop_is_to_be_told() -> None:
    names = received(ONE_TIME, UNPAID)
    assert wanted(PAID, names) == ["order", "label", "bench", "told"]
    assert PAID.actions["order"].wait == timedelta(minutes=15), "the shop has time to say it itself"
    assert given(PAID, "order", names).order_id == "450789469"
    assert given(PAID, "label", names).order == UNPAID, "by its own number, so that it has one label whoever asks"
    assert given(PAID, "bench", names).text.endswith(": pack 1001.\n2 × Green tea, 100 g (TEA-100)\nTracking 1Z999.\n")
    assert given(PAID, "told", names).text.endswith("It is being packed. Please mark it as paid in the shop.")


UNPAID_STATES = {PaymentState.PENDING, PaymentState.PARTIAL, PaymentState.FAILED}


@pytest.mark.parametrize("state", [state for state in PaymentState if state not in UNPAID_STATES])
def test_what_the_shop_calls_paid_is_the_shops_to_send(state: PaymentState) -> None:
    assert wanted(PAID, received(ONE_TIME, order(payment=state))) == ["order"]


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": ""},
        {"reference": "WC-1001"},
        {"id": ""},
        {"invoice_id": "in_1"},
        {"subscription_id": "sub_1"},
    ],
)
def test_a_payment_that_names_no_order_of_the_shop_asks_it_nothing(changes: dict[str, Any]) -> None:
    assert wanted(PAID, received(ONE_TIME.model_copy(update=changes), None)) == []


@pytest.mark.parametrize(
    ("paid", "found", "words"),
    [
        (UNPAID.total - usd("0.01"), {}, f"The order comes to ${UNPAID.total.amount}, so nothing is sent yet."),
        (Money.of(str(UNPAID.total.amount), "EUR"), {}, "Please ask the customer for the rest."),
        (UNPAID.total, {"cancelled_at": NOW}, "The order was cancelled, so nothing is sent."),
        (UNPAID.total, {"fulfilments": (Fulfilment(id="f1"),)}, "It was sent before. Please mark it as paid"),
        (UNPAID.total, {"lines": (line(ships=False),)}, "Nothing is to be sent. Please mark it as paid in the shop."),
    ],
)
def test_what_isnt_to_be_packed_is_told_with_the_reason(paid: Money, found: dict[str, Any], words: str) -> None:
    names = received(ONE_TIME.model_copy(update={"amount": paid}), UNPAID.model_copy(update=found))
    assert wanted(PAID, names) == ["order", "told"]
    assert words in given(PAID, "told", names).text


def test_the_customer_hears_that_the_parcel_arrived() -> None:
    mail = given(ARRIVED, "arrived", scope(shipment()))
    assert (mail.to, mail.subject) == ("robin@example.com", "Your parcel 1001 has arrived")
    assert "Where it was left: https://t.example/1Z999\n" in mail.text
    bare = given(ARRIVED, "arrived", scope(shipment(reference="", tracking_url="", recipient=Customer(email="a@b.c"))))
    assert bare.subject == "Your parcel has arrived" and bare.text.startswith("Hello,\n") and "\n\n\n" not in bare.text
    assert wanted(ARRIVED, scope(shipment(recipient=Customer(name="Robin Hill")))) == []


def test_trouble_with_a_parcel_is_told_to_the_customer_and_the_team() -> None:
    names = scope(shipment(status=ShipmentStatus.EXCEPTION))
    assert wanted(TROUBLE, names) == ["sorry", "told"]
    assert "What the carrier knows: https://t.example/1Z999\n" in given(TROUBLE, "sorry", names).text
    assert given(TROUBLE, "told", names).text.startswith("Trouble with the parcel 1Z999 (ups) of order 1001 to Robin")


def test_the_team_reads_when_the_customer_couldnt_be_told() -> None:
    names = scope(shipment(recipient=Customer(), carrier="", tracking_number="", tracking_url="", reference=""))
    assert wanted(TROUBLE, names) == ["told"]
    text = given(TROUBLE, "told", names).text
    assert "parcel l1 (carrier unknown)" in text and "an unknown recipient" in text and "couldn't be told" in text
