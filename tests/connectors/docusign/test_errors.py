"""What DocuSign's refusals mean to us, and in which words."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from bellwire.capabilities.esign import ReadContract
from bellwire.connectors.docusign.actions import read_contract, sign_in
from bellwire.connectors.docusign.errors import explain
from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.docusign import DocuSign
from tests.connecting import call
from tests.connectors.docusign.conftest import Connect

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("errors")]


def told(status: int, code: str, **headers: str) -> VendorError | None:
    body = orjson.dumps({"errorCode": code, "message": "Said so."})
    return explain(Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body, "POST", "/x"))


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (404, "ENVELOPE_DOES_NOT_EXIST", "no-such-contract"),
        (400, "TEMPLATE_ID_INVALID", "unknown-template"),
        (400, "ENVELOPE_CANNOT_VOID_INVALID_STATE", "not-open"),
        (400, "ENVELOPE_IS_INCOMPLETE", "incomplete"),
        (400, "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT", "bad-address"),
        (400, "USER_LACKS_PERMISSIONS", "no-permission"),
        (400, "ENVELOPE_ALLOWANCE_EXCEEDED", "allowance"),
        (401, "PARTNER_AUTHENTICATION_FAILED", "wrong-environment"),
        (400, "SOMETHING_ELSE", "SOMETHING_ELSE"),
    ],
)
async def test_each_code_is_refused_with_a_cause_of_its_own(status: int, code: str, cause: str) -> None:
    error = told(status, code)
    assert type(error) is Refused and error.cause == cause
    assert code in error.detail
    assert error.remedy or cause in ("no-such-contract", "SOMETHING_ELSE")


@pytest.mark.parametrize("status", [400, 429])
async def test_limits_are_waited_for_whatever_the_status(status: int) -> None:
    burst = told(status, "BURST_APIINVOCATION_LIMIT_EXCEEDED")
    assert isinstance(burst, Transient) and (burst.cause, burst.retry_after) == (PACED, timedelta(seconds=30))
    resets = int((datetime.now(UTC) + timedelta(minutes=10)).timestamp())
    hourly = told(status, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", X_RateLimit_Reset=str(resets))
    assert isinstance(hourly, Transient) and hourly.retry_after is not None
    assert timedelta(minutes=9) < hourly.retry_after <= timedelta(minutes=10)


async def test_what_has_no_words_of_its_own_is_left_to_the_status() -> None:
    assert told(401, "USER_AUTHENTICATION_FAILED") is None
    assert told(500, "UNSPECIFIED_ERROR") is None
    assert explain(Answer(502, {}, b"<html>", "GET", "/")) is None


@pytest.mark.parametrize(
    ("kind", "error"),
    [(FaultKind.SIGNED_OUT, SignedOut), (FaultKind.FAILED, Transient), (FaultKind.LOST_ANSWER, Transient)],
)
async def test_reading_that_fails_is_known_to_have_done_nothing(
    connect: Connect, docusign: DocuSign, kind: FaultKind, error: type[VendorError]
) -> None:
    docusign.faults.add(Fault(kind=kind, times=5, match="envelopes"))
    with pytest.raises(error):
        await read_contract(call(connect()), ReadContract(contract_id="x"))


async def test_writing_that_fails_is_unknown(connect: Connect, docusign: DocuSign) -> None:
    docusign.faults.add(Fault(kind=FaultKind.FAILED))
    with pytest.raises(OutcomeUnknown):
        await connect().api.post("/restapi/v2.1/accounts/x/envelopes", {})


async def test_a_consent_that_is_missing_says_what_to_open(connect: Connect, docusign: DocuSign) -> None:
    docusign.expire()
    docusign.consented = False
    with pytest.raises(SignedOut, match="Nobody has allowed") as caught:
        await sign_in(call(connect()))
    assert "/oauth/auth?response_type=code&scope=signature%20impersonation" in caught.value.remedy
