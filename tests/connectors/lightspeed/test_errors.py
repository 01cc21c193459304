"""What the store says when it refuses, as sentences."""

import pytest

from bellwire.connectors.kit import Answer
from bellwire.connectors.lightspeed.errors import explain
from bellwire.errors import Refused

pytestmark = pytest.mark.proves("errors")


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, b'{"error": "Bad Request", "message": "after is no number."}', "after is no number"),
        (404, b'{"error": "Not found"}', "Not found"),
        (422, b'{"quantity": ["is no number", "is too long"]}', "quantity: is no number; quantity: is too long"),
        (422, b'{"error": {"items": {"sku": ["is taken"]}}}', "items.sku: is taken"),
        (400, b'["no"]', "no"),
        (400, b"{}", "status 400"),
        (400, b"<html>", "status 400"),
    ],
)
def test_it_is_said_in_the_stores_words(status: int, body: bytes, sentence: str) -> None:
    error = explain(Answer(status, {}, body, "POST", "stock_adjustments"))
    assert isinstance(error, Refused)
    assert error.sentence == f"Lightspeed refused it: {sentence}."
    assert error.cause == f"refused-{status}"


@pytest.mark.parametrize("status", [200, 201, 401, 408, 429, 500, 503])
def test_the_rest_goes_by_status(status: int) -> None:
    assert explain(Answer(status, {}, b"{}", "GET", "outlets")) is None
