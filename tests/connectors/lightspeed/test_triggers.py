"""What a store's webhooks become."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from bellwire.connectors.kit import BadSignature, Connection, Normalised
from bellwire.connectors.lightspeed import CONNECTOR
from bellwire.connectors.lightspeed.manifest import MANIFEST
from bellwire.connectors.lightspeed.triggers import TRIGGERS
from bellwire.errors import CannotNormalise, NotFound
from bellwire.events import DICTIONARY, Delivery, Environment, Event, InventoryLevel, Product
from bellwire.practice import Webhook
from bellwire.practice.lightspeed import LightspeedSimulator, product_id
from tests.connecting import connection
from tests.samples import NOW
from tests.shared import needs_shared, payload

OUTLET = LightspeedSimulator.settings["outlet_id"]
SECRET = LightspeedSimulator.credentials["client_secret"]
FORM = "application/x-www-form-urlencoded"
LEVEL: Mapping[str, Any] = {"id": "7", "product_id": "p1", "outlet_id": OUTLET, "count": "12.00000", "version": 90}
PRODUCT: Mapping[str, Any] = {
    "id": "p1",
    "handle": "green-tea",
    "name": "Green tea / 100 g",
    "base_name": "Green tea",
    "sku": "TEA-100",
    "active": True,
    "tags": "tea, green",
    "inventory": [{"outlet_id": "elsewhere", "count": "1.00000"}, {"outlet_id": OUTLET, "count": "4.00000"}],
    "updated_at": "2026-08-14 10:00:00",
    "version": 91,
}
SALE: Mapping[str, Any] = {
    "id": "s1",
    "status": "CLOSED",
    "invoice_number": "1036",
    "total_price": 201.5,
    "customer": {"customer_code": "Tony-1"},
    "register_sale_products": [{"product_id": "p1", "quantity": 1}],
    "updated_at": "2026-08-14 10:00:00",
    "version": 92,
}
CUSTOMER: Mapping[str, Any] = {"id": "c1", "customer_code": "Tony-1", "first_name": "Tony", "balance": 3, "version": 93}


def store(**settings: Any) -> Connection:
    return connection("lightspeed", name="till", settings={**LightspeedSimulator.settings, **settings})


def delivery(told: Any, **fields: str) -> Delivery:
    form = {"payload": told if isinstance(told, str) else orjson.dumps(told).decode()} | fields
    return Delivery("till", {"content-type": FORM}, urlencode(form).encode(), NOW)


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("till", {name.lower(): value for name, value in webhook.headers.items()}, webhook.body, NOW)


def normalised(told: Any) -> Normalised:
    return TRIGGERS.normalise(delivery(told), store())


def only(found: Normalised) -> Event:
    (event,) = found.events
    return event


def test_stock_that_changed() -> None:
    event = only(normalised(LEVEL))
    assert (event.type, event.subject) == ("inventory.updated", f"inventory/p1/{OUTLET}")
    assert event.data == InventoryLevel(item_id="p1", location_id=OUTLET, available=12, updated_at=NOW)
    assert event.environment is Environment.SANDBOX
    assert event.time == NOW


@pytest.mark.parametrize(
    ("count", "available"),
    [({"count": "-3.00000"}, -3), ({"count": "2.50000"}, 2), ({"inventory_level": 4}, 4), ({"count": None}, None)],
)
def test_a_count_is_a_decimal_text_and_a_part_of_one_doesnt_count(count: dict[str, Any], available: int | None) -> None:
    told = {name: value for name, value in LEVEL.items() if name != "count"} | count
    if available is None:
        with pytest.raises(CannotNormalise):
            normalised(told | {"count": "many"})
    assert only(normalised(told)).data.available == available


def test_stock_of_another_outlet_is_skipped() -> None:
    assert "outlet elsewhere" in normalised({**LEVEL, "outlet_id": "elsewhere"}).reason


def test_a_later_state_has_a_later_version_and_the_same_state_the_same_key() -> None:
    first, again, later = (only(normalised({**LEVEL, "version": number})) for number in (90, 90, 3_630_064_802))
    assert first.business_key == again.business_key != later.business_key
    assert first.version is not None
    assert later.version is not None
    assert first.version < later.version


def test_without_a_version_the_time_tells_states_apart() -> None:
    told = {name: value for name, value in PRODUCT.items() if name != "version"}
    event = only(normalised(told))
    assert event.version is None
    assert event.business_key == "till/product/p1/updated/2026-08-14T10:00:00+00:00"


def test_a_product_has_the_stock_of_the_connections_outlet() -> None:
    product = only(normalised(PRODUCT)).data
    assert isinstance(product, Product)
    assert (product.name, product.status, product.tags) == ("Green tea", "active", ("tea", "green"))
    assert product.updated_at == datetime(2026, 8, 14, 10, tzinfo=UTC)
    (variant,) = product.variants
    assert (variant.id, variant.sku, variant.name, variant.stock) == ("p1", "TEA-100", "Green tea / 100 g", 4)


def test_a_product_that_isnt_counted_there_has_no_stock() -> None:
    assert only(normalised({**PRODUCT, "inventory": []})).data.variants[0].stock is None


def test_a_product_that_was_removed() -> None:
    event = only(normalised({**PRODUCT, "deleted_at": "2026-08-14 11:00:00"}))
    assert (event.type, event.business_key, event.data.id) == ("product.deleted", "till/product/p1/deleted", "p1")


def test_a_closed_sale_is_a_fact_once_however_often_it_comes() -> None:
    closed, updated = normalised(SALE).events
    again, _ = normalised({**SALE, "version": 99}).events
    assert (closed.type, updated.type) == ("sale.closed", "sale.updated")
    assert closed.business_key == again.business_key == "till/sale/s1/closed"
    assert (closed.data.invoice_number, closed.data.total_price) == ("1036", 201.5)
    assert not hasattr(closed.data, "customer")


@pytest.mark.parametrize("status", ["SAVED", "VOIDED", "LAYBY", "ONACCOUNT"])
def test_a_sale_that_isnt_closed_is_a_state_only(status: str) -> None:
    assert only(normalised({**SALE, "status": status})).type == "sale.updated"


@pytest.mark.parametrize("status", ["LAYBY_CLOSED", "ONACCOUNT_CLOSED"])
def test_other_ways_to_be_closed(status: str) -> None:
    assert normalised({**SALE, "status": status}).events[0].type == "sale.closed"


def test_a_return_is_a_sale_of_its_own() -> None:
    returned, updated = normalised({**SALE, "id": "s2", "return_for": "s1", "total_price": -201.5}).events
    assert (returned.type, updated.type) == ("sale.returned", "sale.updated")
    assert (returned.subject, returned.data.return_for) == ("sale/s2", "s1")


def test_a_customer_has_what_a_flow_may_need() -> None:
    event = only(normalised(CUSTOMER))
    assert (event.type, event.subject) == ("customer.updated", "customer/c1")
    assert event.data.first_name == "Tony"
    assert not hasattr(event.data, "balance")


def test_what_nobody_needs_is_skipped_with_a_reason() -> None:
    found = normalised({"id": "r1", "register_id": "r", "register_open_time": "2026-08-14 10:00:00"})
    assert (found.events, found.reason[-1]) == ((), ".")


@needs_shared
def test_the_official_examples_of_api_2() -> None:
    """Webhooks have the shape of API 1.0, which is like them."""
    expected = {
        "resource_sale.json": ["sale.closed", "sale.updated"],
        "resource_sale_return.json": ["sale.updated"],
        "resource_product.json": ["product.updated"],
        "resource_customer.json": ["customer.updated"],
    }
    for name, types in expected.items():
        found = normalised(orjson.loads(payload("lightspeed", name))["data"])
        assert [event.type for event in found.events] == types, name
    for level in orjson.loads(payload("lightspeed", "resource_inventory_list.json"))["data"]:
        found = TRIGGERS.normalise(delivery(level), store(outlet_id=level["outlet_id"]))
        assert only(found).data.available == level["inventory_level"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not a form",
        b"other=1",
        b"payload=not+json",
        b"payload=%5B%5D",
        b"payload=%22x%22",
        b"payload=%7B%7D&payload=%7B%7D",
        urlencode({"payload": orjson.dumps({"count": "x", "product_id": 1, "outlet_id": OUTLET}).decode()}).encode(),
        urlencode({"payload": orjson.dumps({**PRODUCT, "updated_at": "yesterday"}).decode()}).encode(),
        urlencode({"payload": orjson.dumps({**LEVEL, "version": 2**63}).decode()}).encode(),
        urlencode({"payload": orjson.dumps({**PRODUCT, "inventory": [{}]}).decode()}).encode(),
    ],
)
def test_what_cant_be_read_is_kept_for_a_person(body: bytes) -> None:
    with pytest.raises(CannotNormalise, match="What the store sent can't be read"):
        TRIGGERS.normalise(Delivery("till", {"content-type": FORM}, body, NOW), store())


@pytest.mark.parametrize(
    ("fields", "belongs"), [({}, True), ({"domain_prefix": "practice"}, True), ({"domain_prefix": "other"}, False)]
)
def test_another_stores_delivery_is_refused(fields: dict[str, str], belongs: bool) -> None:
    said = TRIGGERS.belongs(delivery(LEVEL, **fields), store())
    assert (said == "") is belongs
    assert belongs or ("other" in said and "practice" in said)


BODY = (
    b"payload=%7B%22id%22%3A%22b8ca3a65-0183-11e4-fbb5-39f7fce5e39b%22%2C%22status%22%3A%22CLOSED%22%2C%22version%22"
    b"%3A1639940%7D&domain_prefix=example"
)
HEX = "13aef658e91be6130846fa9eb10b9eefabbe64e4d62461e9a2fdc791057374d7"


@pytest.mark.proves("signatures")
@pytest.mark.parametrize(
    "header",
    [
        f"signature={HEX},algorithm=HMAC-SHA256",
        f"algorithm=HMAC-SHA256, signature={HEX}",
        f"signature={HEX}",
    ],
)
def test_the_signature_vector(header: str) -> None:
    scheme = MANIFEST.webhook
    assert scheme is not None and not callable(scheme)
    signed = Delivery("till", {"x-signature": header}, BODY, NOW)
    scheme.verify(signed, ["older", "ls-client-secret"], NOW)
    assert scheme.sign(BODY, "ls-client-secret", delivery_id="", now=NOW) == {
        "X-Signature": f"signature={HEX},algorithm=HMAC-SHA256"
    }
    for wrong in (replace(signed, body=BODY + b"&x=1"), replace(signed, body=BODY.replace(b"CLOSED", b"SAVED"))):
        with pytest.raises(BadSignature):
            scheme.verify(wrong, ["ls-client-secret"], NOW)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "is missing"),
        ("algorithm=HMAC-SHA256", "is missing"),
        (HEX, "is missing"),
        (f"signature={HEX},algorithm=HMAC-MD5", "another algorithm"),
        ("signature=xyz,algorithm=HMAC-SHA256", "isn't hex"),
        (f"signature={HEX[:-2]},algorithm=HMAC-SHA256", "None of the secrets"),
    ],
)
def test_another_signature_is_refused(header: str, said: str) -> None:
    scheme = MANIFEST.webhook
    assert scheme is not None and not callable(scheme)
    with pytest.raises(BadSignature, match=said):
        scheme.verify(Delivery("till", {"x-signature": header}, BODY, NOW), ["ls-client-secret"], NOW)


def test_a_repeat_is_the_same_delivery_and_a_later_state_another() -> None:
    scheme, simulator = store().webhook, LightspeedSimulator()
    assert scheme is not None
    first, later = (arrived(simulator.stock_webhook("TEA-100")) for _ in range(2))
    scheme.verify(first, [SECRET], NOW)
    assert scheme.delivery_id(first) == scheme.delivery_id(replace(first)) != scheme.delivery_id(later)
    event = only(TRIGGERS.normalise(first, store()))
    assert (event.data.sku, event.data.item_id, event.data.available) == ("TEA-100", product_id("TEA-100"), 120)


@pytest.mark.parametrize("event_type", TRIGGERS.event_types)
def test_a_sample_becomes_the_event_that_was_asked_for(event_type: str) -> None:
    assert TRIGGERS.sample is not None
    found = []
    for _ in range(2):
        headers, body = TRIGGERS.sample(event_type, store())
        sent = Delivery("till", {name.lower(): value for name, value in headers.items()}, body, NOW)
        assert TRIGGERS.belongs(sent, store()) == ""
        found.append(TRIGGERS.normalise(sent, store()).events[0])
    assert [event.type for event in found] == [event_type] * 2
    assert found[0].business_key != found[1].business_key


def test_there_is_no_sample_of_what_lightspeed_doesnt_send() -> None:
    assert TRIGGERS.sample is not None
    with pytest.raises(NotFound, match="order"):
        TRIGGERS.sample("order.paid", store())


def test_every_event_type_is_in_the_dictionary_or_the_tills_own() -> None:
    assert {name for name in TRIGGERS.event_types if name not in DICTIONARY} == {
        "sale.updated",
        "sale.closed",
        "sale.returned",
    }


def test_the_version_is_pinned_and_the_stores_name_is_its_address() -> None:
    assert MANIFEST.root == f"/api/{MANIFEST.api_version}/"
    settings = store(domain_prefix="hill-tea").settings.model_dump()
    for base_url in CONNECTOR.manifest.base_urls.values():
        assert base_url.format_map(settings) == "https://hill-tea.retail.lightspeed.app"
