"""What each of QuickBooks' errors means for the run."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Answer
from bellwire.connectors.quickbooks.faults import explain
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError

pytestmark = pytest.mark.proves("errors")


def answer(status: int, body: Any, *, method: str = "POST", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(status, {"intuit_tid": "1-abc", **headers}, content, method, "invoice", writes=method != "GET")


def fault(code: str, message: str = "Something", detail: str = "More of it", kind: str = "ValidationFault") -> Any:
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return {"Fault": {"Error": [error], "type": kind}, "time": "2026-11-24T01:30:00-08:00"}


@pytest.mark.parametrize(
    ("code", "detail", "error", "cause"),
    [
        ("6240", "", Refused, "duplicate-name"),
        ("6140", "", Refused, "duplicate-number"),
        ("6210", "You must specify a different number.", Refused, "duplicate-number"),
        ("6210", "The accounting period has closed.", Refused, "books-closed"),
        ("610", "", Refused, "inactive-record"),
        ("2500", "", Refused, "invalid-reference"),
        ("6070", "", Refused, "amount"),
        ("6000", "", Refused, "business-rule"),
        ("2170", "", Refused, "refused-2170"),
        ("5010", "", Transient, "stale"),
        ("6190", "", SignedOut, "subscription-ended"),
        ("120", "", SignedOut, "no-access"),
        ("3200", "", SignedOut, "signed-out"),
        ("003001", "", Transient, "rate-limited"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_fault_counts_whatever_the_status(
    status: int, code: str, detail: str, error: type[VendorError], cause: str
) -> None:
    said = explain(answer(status, fault(code, detail=detail)))
    assert isinstance(said, error)
    assert said.cause == cause


def test_a_gateways_lower_case_is_read_too() -> None:
    body = {"fault": {"error": [{"message": "message=NoAccess", "code": "3100"}], "type": "AUTHORIZATION"}}
    assert isinstance(explain(answer(403, body)), SignedOut)


def test_the_detail_has_the_vendors_words_and_the_number_its_support_asks_for() -> None:
    said = explain(answer(400, fault("2500", "Invalid Reference Id", "Names element id 77 not found")))
    assert said is not None
    words = "ValidationFault 2500: Invalid Reference Id · Names element id 77 not found"
    assert said.detail == f"POST invoice: 400 {words} (intuit_tid 1-abc)"


def test_too_many_requests_wait_a_minute_when_nothing_else_is_said() -> None:
    said = explain(answer(429, b""))
    assert isinstance(said, Transient)
    assert said.retry_after == timedelta(seconds=60)


def test_too_many_requests_wait_as_long_as_is_said() -> None:
    said = explain(answer(429, b"", **{"retry-after": "7"}))
    assert isinstance(said, Transient)
    assert said.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_failure_of_the_system_leaves_a_write_open_and_a_read_undone(status: int) -> None:
    body = fault("10000", kind="SystemFault")
    assert isinstance(explain(answer(status, body)), OutcomeUnknown)
    assert isinstance(explain(answer(status, body, method="GET")), Transient)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"Invoice": {"Id": "1", "PrivateNote": "no Fault of ours"}}),
        (200, {"Invoice": {"Id": "1"}}),
        (502, b"<html>Default gateway</html>"),
        (401, fault("3200", kind="AUTHENTICATION")),
        (200, {"Fault": None}),
    ],
)
def test_what_has_no_fault_of_its_own_is_left_to_http(status: int, body: Any) -> None:
    assert explain(answer(status, body)) is None


def test_a_fault_without_an_error_is_still_no() -> None:
    said = explain(answer(200, {"Fault": {"type": "ValidationFault"}}))
    assert isinstance(said, Refused)
    assert said.cause == "refused-fault"
