"""Deliveries of any sender, as events or as a sentence that says what is wrong with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook

from bellwire.connectors.kit import BadSignature, Connection, HmacSignature, StandardWebhooks
from bellwire.connectors.webhook import CONNECTOR
from bellwire.connectors.webhook.manifest import WebhookSettings
from bellwire.errors import CannotNormalise
from bellwire.events import DICTIONARY, Delivery, Event, FreeForm, Order
from tests.connecting import connection
from tests.samples import NOW, order, usd

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HMAC = {"scheme": "hmac", "header": "X-Signature", "id_header": "X-Delivery"}


def any_sender(**settings: Any) -> Connection:
    return connection("webhook", name="pos", settings=settings, credentials={"webhook_secret": SECRET})


def delivered(body: Any, sender: Connection, delivery_id: str = "msg_1") -> Delivery:
    """Signed, received, verified."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    scheme, secret = sender.webhook, sender.secrets[0]
    assert scheme is not None
    headers = {n.lower(): v for n, v in scheme.sign(content, secret, delivery_id=delivery_id, now=NOW).items()}
    delivery = Delivery(sender.name, headers, content, NOW)
    scheme.verify(delivery, sender.secrets, NOW)
    return delivery


def event_of(body: Any, delivery_id: str = "msg_1", **settings: Any) -> Event:
    sender = any_sender(**settings)
    assert CONNECTOR.triggers is not None
    (event,) = CONNECTOR.triggers.normalise(delivered(body, sender, delivery_id), sender).events
    return event


def order_data(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(order(**changes).model_dump_json())
    return data


def test_a_paid_order_is_an_order() -> None:
    event = event_of({"type": "order.paid", "timestamp": "2026-11-24T10:00:00+01:00", "data": order_data()})
    assert event.data == order()
    assert event.time == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert event.version == NOW
    assert (event.type, event.subject, event.business_key) == (
        "order.paid",
        "order/450789469",
        "pos/order/450789469/paid",
    )


def test_the_same_fact_in_two_deliveries_has_one_key() -> None:
    body = {"type": "order.paid", "data": order_data()}
    assert event_of(body, "msg_1").business_key == event_of(body, "msg_2").business_key


def test_each_state_of_an_order_has_a_key_of_its_own() -> None:
    later = NOW + timedelta(minutes=1)
    keys = [
        event_of({"type": "order.updated", "data": order_data(updated_at=time)}).business_key for time in (NOW, later)
    ]
    assert keys == [f"pos/order/450789469/updated/{time.isoformat()}" for time in (NOW, later)]


@pytest.mark.parametrize(
    ("event_type", "data", "subject", "key"),
    [
        (
            "order.refunded",
            {"id": "9", "order_id": "7", "created_at": NOW, "amount": {"amount": "1.00", "currency": "USD"}},
            "order/7",
            "pos/refund/9",
        ),
        (
            "return.created",
            {"id": "8", "lines": [{"sku": "TEA-100", "quantity": 1}], "updated_at": NOW},
            "return/8",
            "pos/return/8/created",
        ),
        (
            "return.received",
            {"id": "8", "lines": [{"quantity": 1, "condition": "damaged"}], "received_at": NOW, "updated_at": NOW},
            "return/8",
            "pos/return/8/received",
        ),
        (
            "product.updated",
            {"id": "5", "name": "Tea", "updated_at": NOW},
            "product/5",
            f"pos/product/5/updated/{NOW.isoformat()}",
        ),
        (
            "inventory.updated",
            {"item_id": "5", "location_id": "L", "available": None, "updated_at": NOW},
            "inventory/5/L",
            f"pos/inventory/5/L/updated/{NOW.isoformat()}",
        ),
        (
            "contact.updated",
            {"id": "5", "updated_at": "2026-11-24T10:30:00+01:00"},
            "contact/5",
            f"pos/contact/5/updated/{NOW.isoformat()}",
        ),
        ("lead.created", {"id": "5", "created_at": NOW}, "lead/5", "pos/lead/5/created"),
        ("task.completed", {"id": "5", "name": "Call", "completed": True, "updated_at": NOW}, "task/5", "pos/msg_1"),
        ("customer.updated", {"id": 7, "name": "Robin"}, "customer/7", "pos/msg_1"),
        ("booking.made", {"id": "b1"}, "booking/b1", "pos/msg_1"),
        ("booking.made", {"who": "Robin"}, "booking/msg_1", "pos/msg_1"),
    ],
)
def test_subjects_and_keys(event_type: str, data: dict[str, Any], subject: str, key: str) -> None:
    event = event_of({"type": event_type, "data": data})
    assert (event.subject, event.business_key) == (subject, key)
    assert event.time == NOW


def test_a_type_that_isnt_in_the_dictionary_keeps_all_its_fields() -> None:
    event = event_of({"type": "Invoice.Paid", "data": {"amount": 12.5, "lines": [{"sku": "A"}]}})
    assert event.type == "invoice.paid"
    assert isinstance(event.data, FreeForm)
    assert event.data.model_dump() == {"amount": 12.5, "lines": [{"sku": "A"}]}


def test_every_delivery_may_be_one_thing_without_an_envelope() -> None:
    event = event_of(order_data(), event_type="order.paid", data_field="", time_field="created_at")
    assert isinstance(event.data, Order)
    assert (event.type, event.data.number, event.time) == ("order.paid", "1001", NOW)


def test_fields_may_stand_anywhere() -> None:
    body = {"event": {"name": "visit.booked", "at": 1_780_000_000}, "payload": {"visit": {"who": "Robin"}, "no": 12}}
    event = event_of(
        body,
        type_field="event.name",
        time_field="event.at",
        data_field="payload.visit",
        subject_field="payload.no",
        **HMAC,
    )
    assert (event.type, event.subject) == ("visit.booked", "12")
    assert event.time == datetime.fromtimestamp(1_780_000_000, UTC)
    assert event.data.model_dump() == {"who": "Robin"}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in order_data().items() if key != name}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "isn't JSON"),
        (b"\xff\xfe", "isn't JSON"),
        ([1], "isn't a JSON object"),
        ({"data": {}}, "The body has no `type`"),
        ({"type": "ping", "data": {}}, "`type` is 'ping'"),
        ({"type": 7, "data": {}}, "`type` is 7"),
        ({"type": "a.b"}, "The body has no `data`"),
        ({"type": "a.b", "data": "x"}, "`data` isn't an object"),
        ({"type": "a.b", "data": {}, "timestamp": "yesterday"}, "`timestamp` is 'yesterday'"),
        ({"type": "a.b", "data": {}, "timestamp": "2026-11-24T09:30:00"}, "isn't a time with its zone"),
        ({"type": "a.b", "data": {}, "timestamp": 1e300}, "isn't a time"),
        ({"type": "order.paid", "data": without("number")}, "`data.number`: Field required"),
        ({"type": "order.paid", "data": order_data() | {"totl": 1}}, "`data.totl`"),
        (
            {"type": "order.paid", "data": order_data() | {"total": {"amount": 24.4, "currency": "USD"}}},
            "never a float",
        ),
        ({"type": "order.paid", "data": order_data() | {"created_at": "2026-11-24T09:30:00"}}, "`created_at` says no"),
        ({"type": "order.paid", "data": order_data(total=usd("24.41"))}, "make 24.40 USD, and `total` says 24.41 USD"),
        ({"type": "order.paid", "data": order_data(currency="EUR")}, "mixes currencies"),
        ({"type": "order.paid", "data": {}}, "; and 11 more"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(body: Any, says: str) -> None:
    with pytest.raises(CannotNormalise) as caught:
        event_of(body)
    assert says in caught.value.sentence
    assert caught.value.remedy


@pytest.mark.proves("sdk", "signatures")
@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_")])
def test_what_the_reference_library_signs_is_accepted_and_no_other_byte(secret: str) -> None:
    body = '{"type": "order.packed", "data": {"note": "Grüße"}}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": "v2,x " + Webhook(SECRET).sign("msg_1", NOW, body),
    }
    pos = connection("webhook", name="pos", settings={}, credentials={"webhook_secret": secret})
    assert pos.webhook is not None
    pos.webhook.verify(Delivery("pos", headers, body.encode(), NOW), pos.secrets, NOW)
    changed = (
        Delivery("pos", headers, body.encode() + b" ", NOW),
        Delivery("pos", {**headers, "webhook-id": "msg_2"}, body.encode(), NOW),
        Delivery("pos", {**headers, "webhook-signature": "v2,x"}, body.encode(), NOW),
    )
    for delivery in changed:
        with pytest.raises(BadSignature):
            pos.webhook.verify(delivery, pos.secrets, NOW)
    with pytest.raises(BadSignature, match="too old"):
        pos.webhook.verify(Delivery("pos", headers, body.encode(), NOW), pos.secrets, NOW + timedelta(minutes=6))


@pytest.mark.proves("sdk", "signatures")
def test_the_reference_library_accepts_what_send_test_signs() -> None:
    triggers, sender, now = CONNECTOR.triggers, any_sender(), datetime.now(UTC)
    assert triggers is not None and triggers.sample is not None and sender.webhook is not None
    _, body = triggers.sample("order.paid", sender)
    signed = sender.webhook.sign(body, SECRET, delivery_id="msg_1", now=now)
    assert Webhook(SECRET).verify(body, signed)["type"] == "order.paid"


@pytest.mark.proves("signatures")
def test_two_secrets_are_accepted_while_one_is_changed() -> None:
    old, new = (
        any_sender(),
        connection("webhook", name="pos", settings={}, credentials={"webhook_secret": "x whsec_bmV3"}),
    )
    assert new.secrets == ["x", "whsec_bmV3"]
    delivery = delivered({"type": "a.b", "data": {}}, old)
    assert new.webhook is not None
    with pytest.raises(BadSignature):
        new.webhook.verify(delivery, new.secrets, NOW)
    new.webhook.verify(delivery, [*new.secrets, SECRET], NOW)


def test_a_public_key_is_accepted_as_secret() -> None:
    private = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
    public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    sender = connection("webhook", name="pos", settings={}, credentials={"webhook_secret": public})
    assert sender.webhook is not None
    headers = sender.webhook.sign(b"{}", private, delivery_id="m", now=NOW)
    sender.webhook.verify(Delivery("pos", headers, b"{}", NOW), sender.secrets, NOW)


def test_the_settings_say_how_it_is_signed() -> None:
    assert any_sender().webhook == StandardWebhooks()
    made = any_sender(**HMAC, encoding="base64", prefix="sha512=", algorithm="sha512")
    assert made.webhook == HmacSignature("X-Signature", "base64", "sha512=", "sha512", "X-Delivery")
    assert made.webhook.delivery_id(delivered({}, made, "d-7")) == "d-7"


def test_without_a_header_an_hmac_is_no_setting() -> None:
    with pytest.raises(ValidationError, match="needs a header"):
        WebhookSettings(scheme="hmac")


@pytest.mark.parametrize("event_type", [*DICTIONARY, "booking.made"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {**HMAC, "type_field": "a.b", "data_field": "a.c", "time_field": "", "subject_field": "n"},
        {"data_field": ""},
    ],
    ids=["standard", "nested", "whole body"],
)
def test_a_sample_is_a_new_event_of_its_type(event_type: str, settings: dict[str, Any]) -> None:
    sender = any_sender(**settings)
    triggers = CONNECTOR.triggers
    assert triggers is not None and triggers.sample is not None
    keys = set()
    for delivery_id in ("s1", "s2"):
        headers, body = triggers.sample(event_type, sender)
        (event,) = triggers.normalise(delivered(body, sender, delivery_id), sender).events
        keys.add(event.business_key)
        assert event.type == event_type
        assert headers == {"Content-Type": "application/json"}
    assert len(keys) == 2


def test_a_sample_fits_a_sender_that_sends_one_thing_only() -> None:
    sender = any_sender(event_type="order.paid", data_field="")
    triggers = CONNECTOR.triggers
    assert triggers is not None and triggers.sample is not None
    _, body = triggers.sample("order.paid", sender)
    (event,) = triggers.normalise(delivered(body, sender), sender).events
    assert isinstance(event.data, Order) and event.data.total == usd("24.40")
