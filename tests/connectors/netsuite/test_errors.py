"""What NetSuite's refusals mean to us, and in which words."""

import orjson
import pytest

from bellwire.capabilities.purchasing import FindSupplier
from bellwire.connectors.kit import Answer
from bellwire.connectors.netsuite.actions import find_supplier
from bellwire.connectors.netsuite.errors import explain
from bellwire.errors import PACED, OutcomeUnknown, Refused, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.netsuite import NetSuite
from tests import faults
from tests.connecting import call
from tests.connectors.netsuite.conftest import Connect

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("errors")]


def told(status: int, code: str) -> VendorError | None:
    body = {"title": "x", "status": status, "o:errorDetails": [{"detail": "Said so.", "o:errorCode": code}]}
    return explain(Answer(status, {}, orjson.dumps(body), "PUT", "record/v1/purchaseOrder/eid:1"))


@pytest.mark.parametrize(
    ("status", "code", "kind", "cause"),
    [
        (429, "CONCURRENCY_LIMIT_EXCEEDED", Transient, PACED),
        (400, "SSS_REQUEST_LIMIT_EXCEEDED", Transient, PACED),
        (429, "SOMETHING_NEW", Transient, PACED),
        (400, "RCRD_HAS_BEEN_CHANGED", Transient, "changed"),
        (403, "INSUFFICIENT_PERMISSION", Refused, "no-permission"),
        (400, "INSUFFICIENT_PERMISSION", Refused, "no-permission"),
        (404, "NONEXISTENT_ID", Refused, "no-such-record"),
        (400, "USER_ERROR", Refused, "USER_ERROR"),
        (400, "INVALID_CONTENT", Refused, "INVALID_CONTENT"),
    ],
)
async def test_each_code_has_its_class(status: int, code: str, kind: type[VendorError], cause: str) -> None:
    error = told(status, code)
    assert type(error) is kind and error.cause == cause
    assert code in error.detail


async def test_what_has_no_words_of_its_own_is_left_to_the_status() -> None:
    assert told(401, "INVALID_LOGIN") is None
    assert told(500, "UNEXPECTED_ERROR") is None
    assert explain(Answer(502, {}, b"<html>", "GET", "/")) is None


@faults.each_of_a_read
async def test_asking_that_fails_is_known_to_have_done_nothing(
    connect: Connect, netsuite: NetSuite, kind: FaultKind, error: type[VendorError]
) -> None:
    netsuite.faults.add(Fault(kind=kind, times=3, match="suiteql"))
    with pytest.raises(error):
        await find_supplier(call(connect()), FindSupplier(sku="TEA-100"))


async def test_writing_that_fails_is_unknown(connect: Connect, netsuite: NetSuite) -> None:
    netsuite.faults.add(Fault(kind=FaultKind.FAILED))
    with pytest.raises(OutcomeUnknown):
        await connect().api.put("record/v1/purchaseOrder/eid:1", {})
