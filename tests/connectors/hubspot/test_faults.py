"""What HubSpot's answers mean."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from bellwire.capabilities.crm import FindOrCreateContact
from bellwire.connectors.hubspot import CONNECTOR
from bellwire.connectors.hubspot.faults import explain
from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.practice import Fault, FaultKind
from bellwire.practice.hubspot import HubSpot
from tests.connecting import call
from tests.connectors.hubspot.conftest import Connect

pytestmark = [pytest.mark.proves("errors"), pytest.mark.asyncio(loop_scope="module")]

WHO = FindOrCreateContact(name="Robin Hill", email="robin@example.com")


def answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, headers, orjson.dumps(body), "POST", "contacts")


@pytest.mark.parametrize(
    ("headers", "policy", "seconds"),
    [
        ({"retry-after": "7"}, "TEN_SECONDLY_ROLLING", 7),
        ({}, "TEN_SECONDLY_ROLLING", 10),
        ({}, "SECONDLY", 1),
        ({}, "DAILY", 3600),
    ],
)
async def test_too_many_requests_are_waited_out(headers: dict[str, str], policy: str, seconds: int) -> None:
    said = explain(answer(429, {"errorType": "RATE_LIMIT", "policyName": policy}, **headers))
    assert isinstance(said, Transient) and said.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(("status", "pause"), [(423, timedelta(seconds=2)), (477, timedelta(minutes=5))])
async def test_an_account_that_is_busy_or_moved_is_waited_for(status: int, pause: timedelta) -> None:
    said = explain(answer(status, {"message": "locked"}))
    assert isinstance(said, Transient) and said.retry_after == pause


async def test_missing_scopes_are_named(connect: Connect, portal: HubSpot) -> None:
    portal.scopes.remove("crm.objects.contacts.write")
    try:
        with pytest.raises(Refused, match=r"isn't allowed.*crm\.objects\.contacts\.write") as refused:
            await CONNECTOR.actions["crm.find_or_create_contact"](call(connect()), WHO)
    finally:
        portal.scopes.append("crm.objects.contacts.write")
    assert refused.value.cause == "missing-scopes"


async def test_what_is_not_valid_is_said_in_hubspots_words() -> None:
    detail = {"message": "Rule: phone is required", "code": "X", "context": {"propertyName": ["phone"]}}
    said = explain(answer(400, {"message": "Property values were not valid", "errors": [detail]}))
    assert isinstance(said, Refused)
    assert (said.cause, said.sentence) == ("invalid:phone", "HubSpot refused it: Rule: phone is required")


@pytest.mark.parametrize("body", [{}, [], {"errors": None}, "x"])
async def test_an_error_without_any_of_its_fields_is_one_all_the_same(body: Any) -> None:
    for status in (400, 401, 403, 404, 409, 418, 423, 429, 477, 500, 521):
        said = explain(answer(status, body))
        assert said is None or said.sentence
    assert explain(Answer(400, {}, b"<html>", "POST", "contacts")) is None


async def test_a_lost_answer_and_a_failure_may_have_been_done(connect: Connect, portal: HubSpot) -> None:
    for kind in (FaultKind.LOST_ANSWER, FaultKind.FAILED):
        portal.faults.add(Fault(kind=kind, match="POST .*/contacts"))
        with pytest.raises(OutcomeUnknown):
            await CONNECTOR.actions["crm.find_or_create_contact"](
                call(connect()), FindOrCreateContact(email=f"{kind}@example.com")
            )


async def test_a_key_that_was_taken_back_needs_another(connect: Connect) -> None:
    with pytest.raises(SignedOut, match="no longer accepts the sign-in") as refused:
        await CONNECTOR.actions["crm.find_or_create_contact"](call(connect(credentials={"access_token": "old"})), WHO)
    assert "bellwire secrets set crm" in refused.value.remedy
