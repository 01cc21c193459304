"""An input as a form has it."""

import orjson
import pytest

from bellwire.capabilities import CAPABILITIES
from bellwire.engine import Input, edited, leaves
from bellwire.errors import BellwireError
from tests.samples import order


def invoice(**changes: object) -> Input:
    sold = order(**changes)
    return Input(CAPABILITIES["accounting"]["create_invoice"], {"order": sold.model_dump(mode="json"), "due": None})


def test_every_text_number_and_choice_is_a_field_however_deep() -> None:
    found = {leaf.path: leaf for leaf in leaves(invoice())}
    assert found["order.customer.email"].text == "robin@example.com"
    assert found["order.lines[0].unit_price.amount"].text == "8.50"
    assert found["order.taxes_included"].choices == ("true", "false")
    assert found["order.taxes_included"].text == "false"
    assert found["due"].text == ""
    assert not any(path.endswith("]") for path in found), "no list or record is a field by itself"


def test_a_record_that_isnt_given_can_be_filled_in() -> None:
    seen = invoice(customer=None)
    assert {leaf.path for leaf in leaves(seen)} >= {"order.customer.name", "order.customer.email"}
    changed = edited(seen, {"order.customer.email": "kim@example.com"})
    assert changed.fields == ("order.customer",)
    assert '"email":"kim@example.com"' in changed.given


def test_only_what_was_changed_is_new() -> None:
    seen = invoice()
    texts = {leaf.path: leaf.text for leaf in leaves(seen)}
    with pytest.raises(BellwireError, match="nothing was changed"):
        edited(seen, texts)
    changed = edited(seen, texts | {"order.customer.email": "kim@example.com", "due": "2026-12-24"})
    assert set(changed.fields) == {"order.customer.email", "due"}


def test_what_is_emptied_is_empty_or_isnt_given() -> None:
    seen = invoice()
    changed = edited(seen, {"order.customer.phone": "", "order.paid_at": ""})
    assert set(changed.fields) == {"order.customer.phone", "order.paid_at"}
    assert '"paid_at":null' in changed.given and '"phone":""' in changed.given


@pytest.mark.parametrize("text", ["null", "[1]", '{"a": 1}'])
def test_a_text_is_never_read_as_anything_else(text: str) -> None:
    changed = edited(invoice(), {"order.customer.name": text})
    assert orjson.loads(changed.given)["order"]["customer"]["name"] == text


def test_what_doesnt_fit_is_named() -> None:
    with pytest.raises(BellwireError, match=r"'order.lines\[0\].quantity' doesn't fit"):
        edited(invoice(), {"order.lines[0].quantity": "lots"})


def test_what_isnt_a_field_is_left_out() -> None:
    with pytest.raises(BellwireError, match="nothing was changed"):
        edited(invoice(), {"order.nothing": "x"})
