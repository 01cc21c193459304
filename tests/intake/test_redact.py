"""What never reaches the ledger."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.events.sensitive import NAMES, REMOVED
from bellwire.intake.redact import redact

SENSITIVE = [
    *("card_number", "cardNumber", "CARD_NO", "credit_card_number", "creditCardNumber", "debit_card_number"),
    *("pan", "cvv", "CVV2", "cvc", "iban", "security_code", "cardSecurityCode", "track_data"),
]
HARMLESS = ["discard_number", "card_name", "company", "pancake", "note", "cardboard", "number"]


def cleaned(value: Any) -> Any:
    return orjson.loads(redact(orjson.dumps(value), value))


@pytest.mark.parametrize("name", SENSITIVE)
@pytest.mark.parametrize("value", ["4111111111111111", 4111111111111111])
def test_sensitive_fields_are_removed_wherever_they_are(name: str, value: object) -> None:
    given = {"payments": [{"details": {name: value, "kept": 1}}]}
    assert cleaned(given) == {"payments": [{"details": {name: REMOVED, "kept": 1}}]}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_is_found_however_it_is_spelt(name: str) -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    for spelt in (name, escaped):
        body = f'{{ "{spelt}" : "4111" }}'.encode()
        assert orjson.loads(redact(body, orjson.loads(body))) == {name: REMOVED}


def test_a_body_without_them_stays_the_same_bytes() -> None:
    body = b'{ "note": "the pan is \\"hot\\"",  "total": 10.00 }'
    assert redact(body, orjson.loads(body)) is body


VALUES = st.recursive(
    st.none() | st.integers(0, 10**16) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(SENSITIVE + HARMLESS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


def _left(value: Any) -> list[Any]:
    """The values of all sensitive fields."""
    if isinstance(value, dict):
        named = [v for k, v in value.items() if k in SENSITIVE and not isinstance(v, dict | list | None)]
        return named + [found for each in value.values() for found in _left(each)]
    return [found for each in value for found in _left(each)] if isinstance(value, list) else []


def _shape(value: Any) -> Any:
    """`value` without the values of its sensitive fields."""
    if isinstance(value, dict):
        return {k: None if k in SENSITIVE and isinstance(v, str | int) else _shape(v) for k, v in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else value


@given(VALUES)
def test_nothing_sensitive_is_left_and_all_else_is(value: Any) -> None:
    after = cleaned(value)
    assert set(_left(after)) <= {REMOVED}
    assert _shape(after) == _shape(value)


@given(VALUES)
def test_what_is_clean_stays_as_it_is(value: Any) -> None:
    body = orjson.dumps(cleaned(value))
    assert redact(body, orjson.loads(body)) == body
