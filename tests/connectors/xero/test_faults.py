"""What each of Xero's errors means for the run."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Answer
from bellwire.connectors.xero.faults import explain
from bellwire.errors import Refused, SignedOut, Transient
from tests.shared import needs_shared, payload

pytestmark = pytest.mark.proves("errors")


def answer(status: int, body: Any, *, method: str = "PUT", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(status, headers, content, method, "Invoices", writes=method != "GET")


def invalid(*messages: str) -> Any:
    element = {"InvoiceNumber": "1001", "ValidationErrors": [{"Message": message} for message in messages]}
    said = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
    return said | {"Elements": [element]}


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("The contact name Jo is already assigned to another contact.", "duplicate-name"),
        ("Invoice # must be unique.", "duplicate-number"),
        ("The document date cannot be before the period lock date", "books-closed"),
        ("Payment amount exceeds the amount outstanding on this document", "overpaid"),
        ("The invoice you are trying to allocate to has already been paid off", "not-allocated"),
        ("Credit Note cannot be allocated as amount is greater than amount outstanding", "not-allocated"),
        ("Account code '999' is not a valid code for this document.", "invalid-account"),
        ("The TaxType code 'X' does not exist or cannot be used for this type of transaction.", "invalid-tax"),
        ("Something new", "refused-validationexception"),
    ],
)
def test_a_validation_error_has_a_cause_and_keeps_the_vendors_words(message: str, cause: str) -> None:
    said = explain(answer(400, invalid(message)))
    assert isinstance(said, Refused)
    assert (said.cause, said.detail) == (cause, f"PUT Invoices: 400 {message}")


@needs_shared
def test_xeros_own_example_is_read() -> None:
    said = explain(answer(400, payload("xero", "contact_validation_error_response.json")))
    assert isinstance(said, Refused)
    assert said.cause == "duplicate-name"
    assert "Buzz Lightyear is already assigned" in said.detail


def test_all_messages_are_told_once_wherever_they_stand() -> None:
    body = invalid("One", "One")
    body["Elements"][0]["LineItems"] = [{"ValidationErrors": [{"Message": "Two"}]}]
    said = explain(answer(400, body))
    assert said is not None
    assert said.sentence == "Xero refused it: One · Two"


def test_a_filter_that_cannot_be_read_is_a_refusal() -> None:
    said = explain(answer(400, {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "Syntax error"}))
    assert isinstance(said, Refused)
    assert (said.cause, said.sentence) == ("refused-queryparseexception", "Xero refused it: Syntax error")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7", "x-rate-limit-problem": "minute"}, 7),
        ({"retry-after": "40000", "x-rate-limit-problem": "day"}, 40_000),
        ({"x-rate-limit-problem": "concurrent"}, 1),
        ({}, 60),
    ],
)
def test_too_many_requests_wait_as_long_as_is_said_or_by_which_limit_it_was(
    headers: dict[str, str], seconds: int
) -> None:
    said = explain(answer(429, b"", **headers))
    assert isinstance(said, Transient)
    assert (said.cause, said.retry_after) == ("rate-limited", timedelta(seconds=seconds))
    assert headers.get("x-rate-limit-problem", "not said") in said.detail


@pytest.mark.parametrize(
    ("status", "detail"), [(403, "AuthenticationUnsuccessful"), (401, "AuthorizationUnsuccessful"), (403, "")]
)
def test_an_organisation_that_is_out_of_reach_is_said(status: int, detail: str) -> None:
    said = explain(answer(status, {"Title": "Forbidden", "Detail": detail}))
    assert isinstance(said, SignedOut)
    assert said.cause == "no-access"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"Invoices": []}),
        (401, {"Title": "Unauthorized", "Detail": "TokenExpired"}),
        (500, {"ErrorNumber": 500}),
        (503, b"The organisation is offline"),
        (400, b"<html>"),
        (400, []),
        (404, b""),
    ],
)
def test_what_xero_has_no_words_for_is_left_to_http(status: int, body: Any) -> None:
    assert explain(answer(status, body)) is None
