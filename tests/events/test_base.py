"""Why a body couldn't be read, as a person is told."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field

from bellwire.events import what_is_wrong
from bellwire.money import Money


class Basket(BaseModel):
    prices: list[Money] = Field(min_length=1)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: dict[str, int]()["line_items"], "'line_items' is missing or unknown"),
        (lambda: Money.of("1", "euro"), "currency: String should match pattern"),
        (lambda: Basket.model_validate({"prices": [{"amount": "1", "currency": "x"}]}), "prices.0.currency: String"),
        (lambda: int("first\nsecond"), "invalid literal for int()"),
    ],
)
def test_it_says_in_one_line_which_field_and_why(read: Callable[[], Any], said: str) -> None:
    with pytest.raises((LookupError, ValueError)) as caught:
        read()
    told = what_is_wrong(caught.value)
    assert told.startswith(said)
    assert "\n" not in told
    assert "https://" not in told


def test_an_error_without_words_is_named() -> None:
    assert what_is_wrong(ValueError()) == "ValueError"
