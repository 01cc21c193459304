from datetime import timedelta
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Answer
from bellwire.connectors.shopify.errors import explain
from bellwire.errors import OutcomeUnknown, Refused, Transient, VendorError

pytestmark = pytest.mark.proves("errors")


def answer(body: Any, status: int = 200, *, writes: bool = True) -> Answer:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(status, {}, data, "POST", "graphql.json", writes)


def error(code: str, path: list[Any] | None = None, message: str = "no") -> dict[str, Any]:
    return {"message": message, "path": path, "extensions": {"code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "cause"),
    [
        (402, b"", Transient, "shop-frozen"),
        (423, b"", Transient, "shop-frozen"),
        (403, {"errors": "Forbidden"}, Refused, "access-denied"),
        (404, {"errors": "Not Found"}, Refused, "unknown-shop"),
        (200, {"data": None, "errors": [error("THROTTLED")]}, Transient, "rate-limited"),
        (200, {"data": None, "errors": [error("ACCESS_DENIED")]}, Refused, "access-denied"),
        (200, {"data": None, "errors": [error("INTERNAL_SERVER_ERROR")]}, OutcomeUnknown, "vendor-failed"),
        (200, {"data": None, "errors": [error("SERVICE_UNAVAILABLE")]}, OutcomeUnknown, "vendor-failed"),
        (200, {"errors": [error("MAX_COST_EXCEEDED")]}, Refused, "refused-max-cost-exceeded"),
        (200, {"errors": [{"message": "syntax error"}]}, Refused, "refused"),
        (200, {"errors": [{"message": "Invalid cursor for current pagination sort."}]}, Refused, "lost-place"),
        (
            200,
            {
                "data": {
                    "fulfillmentCreate": {"fulfillment": None, "userErrors": [{"field": None, "message": "closed"}]}
                }
            },
            Refused,
            "not-accepted",
        ),
        (
            200,
            {"data": {"x": {"userErrors": [{"field": None, "message": "closed", "code": "INVALID_QUANTITY"}]}}},
            Refused,
            "invalid-quantity",
        ),
    ],
)
def test_what_an_answer_means(status: int, body: Any, kind: type[VendorError], cause: str) -> None:
    found = explain(answer(body, status))
    assert isinstance(found, kind)
    assert found.cause == cause
    assert found.detail


def test_an_internal_error_of_a_query_is_transient() -> None:
    assert isinstance(explain(answer({"errors": [error("INTERNAL_SERVER_ERROR")]}, writes=False)), Transient)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_other_statuses_are_left_to_http(status: int) -> None:
    assert explain(answer({"errors": "no"}, status)) is None


@pytest.mark.parametrize(
    ("asked", "left", "rate", "seconds"), [(752, 252, 100, 5.0), (752, 752, 100, 1.0), (10, -40, 50, 1.0)]
)
def test_a_throttled_query_says_how_long_to_wait(asked: int, left: int, rate: int, seconds: float) -> None:
    bucket = {"maximumAvailable": 2000, "currentlyAvailable": left, "restoreRate": rate}
    cost = {"requestedQueryCost": asked, "actualQueryCost": None, "throttleStatus": bucket}
    found = explain(answer({"data": None, "errors": [error("THROTTLED")], "extensions": {"cost": cost}}))
    assert isinstance(found, Transient)
    assert found.retry_after == timedelta(seconds=seconds)


def test_an_order_can_be_read_without_leave_to_see_its_customer() -> None:
    denied = [error("ACCESS_DENIED", ["order", field]) for field in ("customer", "email", "shippingAddress")]
    assert explain(answer({"data": {"order": {"id": "1", "customer": None}}, "errors": denied})) is None
    more = [*denied, error("ACCESS_DENIED", ["order", "fulfillmentOrders"])]
    assert isinstance(explain(answer({"data": {"order": {"id": "1"}}, "errors": more})), Refused)


def test_a_success_is_no_error() -> None:
    assert explain(answer({"data": {"tagsAdd": {"node": {"id": "1"}, "userErrors": []}}})) is None
    assert explain(answer({"data": {"order": None}})) is None
