"""What the Service Layer says when it refuses, as classes and sentences."""

from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Answer, Connection
from bellwire.connectors.sap_business_one.faults import explain
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.sap_business_one import SapBusinessOneSimulator

pytestmark = pytest.mark.proves("errors")


def said(status: int, code: Any, message: Any = "No.") -> VendorError | None:
    body = orjson.dumps({"error": {"code": code, "message": message, "details": []}})
    return explain(Answer(status, {}, body, "POST", "/b1s/v2/Drafts"))


@pytest.mark.parametrize(
    ("status", "code", "kind", "cause"),
    [
        (401, "301", SignedOut, "signed-out"),
        (400, 301, SignedOut, "signed-out"),
        (401, "-304", SignedOut, "signed-out"),
        (401, 100000027, SignedOut, "signed-out"),
        (400, "-2038", Transient, "conflict"),
        (400, "-1102", Transient, "conflict"),
        (412, "-2039", Transient, "conflict"),
        (400, "205", Refused, "missing-rights"),
        (403, "0", Refused, "missing-rights"),
        (404, "-2028", Refused, "no-such-record"),
        (400, "-2028", Refused, "no-such-record"),
        (400, "-2035", Refused, "exists"),
        (400, "-5002", Refused, "refused-5002"),
        (400, "-10", Refused, "refused-10"),
    ],
)
def test_each_code_has_its_class(status: int, code: Any, kind: type[VendorError], cause: str) -> None:
    error = said(status, code)
    assert type(error) is kind
    assert error.cause == cause


def test_it_is_said_in_saps_words_of_either_version() -> None:
    for message in (
        "Enter due date\n [ODRF.DocDueDate].",
        {"lang": "en-us", "value": "Enter due date [ODRF.DocDueDate]"},
    ):
        error = said(400, "-5002", message)
        assert error is not None
        assert error.sentence == "SAP Business One refused it: Enter due date [ODRF.DocDueDate]."


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"{}"), (502, b"<html>"), (500, b'{"error": {"code": "-1", "message": ""}}'), (429, b"")]
)
def test_the_rest_goes_by_status(status: int, body: bytes) -> None:
    assert explain(Answer(status, {}, body, "GET", "/b1s/v2/Items")) is None


def test_a_refusal_without_words_is_one_all_the_same() -> None:
    error = explain(Answer(400, {}, b"<html>", "GET", "/b1s/v2/Items"))
    assert isinstance(error, Refused) and "status 400" in error.sentence


@pytest.mark.asyncio(loop_scope="module")
async def test_too_many_at_once_leave_a_write_open_and_a_read_waiting(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    await erp.api.get("Items")
    sap.faults.add(Fault(kind=FaultKind.FAILED, times=2))
    with pytest.raises(OutcomeUnknown):
        await erp.api.post("Drafts", {})
    with pytest.raises(Transient):
        await erp.api.get("Items")
