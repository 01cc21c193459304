"""The envelope is CloudEvents 1.0, and the dictionary is complete."""

import json
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, ValidationError

from bellwire.events import DICTIONARY, Delivery, Environment, Event, FreeForm, data_model
from tests.samples import NOW, order


def event(**changes: Any) -> Event:
    values: dict[str, Any] = {
        "type": "order.paid",
        "connection": "shop",
        "environment": Environment.SANDBOX,
        "business_key": "shop/order/1001/paid",
        "subject": "order/1001",
        "time": NOW,
        "data": order(),
    }
    return Event(**(values | changes))


def test_an_event_is_a_cloudevent() -> None:
    """https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes"""
    written = event().cloudevent()
    assert {"id", "source", "specversion", "type"} <= set(written)
    assert all(written[name] for name in ("id", "source", "type")) and written["specversion"] == "1.0"
    assert (written["time"], written["subject"]) == ("2026-11-24T09:30:00+00:00", "order/1001")
    assert all(name.isalnum() and name.islower() for name in written)
    assert orjson.loads(orjson.dumps(written))["data"]["total"] == {"amount": "24.40", "currency": "USD"}


def test_sandbox_and_production_are_different_sources() -> None:
    sources = {event(environment=environment).cloudevent()["source"] for environment in Environment}
    assert len(sources) == 2


@pytest.mark.parametrize("type_", ["", "order", "Order.Paid", "order paid", ".paid", "order."])
def test_a_type_has_small_letters_and_a_dot(type_: str) -> None:
    with pytest.raises(ValidationError):
        event(type=type_)


def test_an_event_cant_be_changed_nor_have_more() -> None:
    with pytest.raises(ValidationError):
        event().subject = "order/7"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        event(extra=1)


@pytest.mark.parametrize("name", DICTIONARY)
def test_every_entry_of_the_dictionary_explains_itself(name: str) -> None:
    entry = DICTIONARY[name]
    assert entry.name == name and entry.meaning.endswith(".")
    assert issubclass(entry.data, BaseModel) and data_model(name) is entry.data
    event(type=name)


def test_a_type_of_ones_own_carries_whatever_it_came_with() -> None:
    assert data_model("booking.made") is FreeForm
    data = FreeForm.model_validate({"who": "Robin", "at": {"room": 3}})
    assert json.loads(data.model_dump_json()) == {"who": "Robin", "at": {"room": 3}}


def test_a_delivery_is_read_once_and_only_when_asked() -> None:
    delivery = Delivery("shop", {}, b'{"a": 1}', NOW)
    assert delivery.json is delivery.json == {"a": 1}
    known = {"a": 2}
    assert Delivery("shop", {}, b"{}", NOW).knowing(known).json is known
    with pytest.raises(ValueError, match="line 1 column 1"):
        Delivery("shop", {}, b"not JSON", NOW).json  # noqa: B018
