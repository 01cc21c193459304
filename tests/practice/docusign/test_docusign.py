"""The simulated account refuses what DocuSign would refuse, and keeps its limits."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.connectors.docusign.api import below
from bellwire.connectors.kit.http import Api
from bellwire.practice import Practice
from bellwire.practice.docusign import DocuSign
from tests.connecting import call
from tests.practice.quotas import Account, Asking, account

ROOT = f"/restapi/v2.1/accounts/{DocuSign.settings['account_id']}"
(TEMPLATE,) = DocuSign().templates
ROLE = {"roleName": "Signer", "name": "Robin", "email": "robin@example.com"}
RIGHT = {"templateId": TEMPLATE, "templateRoles": [ROLE], "status": "sent"}


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["docusign"]) as running:
        yield running


async def ask(
    practice: Practice, method: str, path: str, body: Any = None, token: str = "practice-access-token"
) -> tuple[int, Any]:
    url = f"{practice.base_url('docusign')}{ROOT}{path}"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.request(method, url, json=body) as response,
    ):
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/envelopes", RIGHT | {"templateId": "x"}, "TEMPLATE_ID_INVALID"),
        ("POST", "/envelopes", RIGHT | {"templateRoles": []}, "ENVELOPE_IS_INCOMPLETE"),
        ("POST", "/envelopes", RIGHT | {"templateRoles": [ROLE | {"roleName": "Client"}]}, "ENVELOPE_IS_INCOMPLETE"),
        (
            "POST", "/envelopes", RIGHT | {"templateRoles": [ROLE | {"email": "robin"}]},
            "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT",
        ),
        ("POST", "/envelopes", RIGHT | {"emailSubject": "x" * 101}, "INVALID_REQUEST_PARAMETER"),
        ("GET", "/envelopes/1", None, "INVALID_ENVELOPE_ID"),
        ("GET", "/envelopes/00000000-0000-4000-8000-000000000000", None, "ENVELOPE_DOES_NOT_EXIST"),
        ("GET", "/envelopes?status=completed", None, "INVALID_REQUEST_PARAMETER"),
        ("POST", "/connect", {"urlToPublishTo": "http://x"}, "CONNECT_URL_INVALID"),
        ("DELETE", "/connect/1", None, "CONNECT_ID_INVALID"),
    ],
)  # fmt: skip
async def test_it_refuses_what_docusign_refuses(
    practice: Practice, method: str, path: str, body: Any, code: str
) -> None:
    status, told = await ask(practice, method, path, body)
    assert (status in (400, 404), told["errorCode"]) == (True, code)
    assert practice.simulators["docusign"].state() == {"envelopes": [], "connect": []}


async def test_it_wants_its_token(practice: Practice) -> None:
    status, told = await ask(practice, "GET", "/templates", token="old")
    assert (status, told["errorCode"]) == (401, "AUTHORIZATION_INVALID_TOKEN")


async def test_the_same_request_twice_is_two_envelopes(practice: Practice) -> None:
    """A transaction's id only lets one look: it keeps nobody from sending again."""
    for _ in range(2):
        assert (await ask(practice, "POST", "/envelopes", RIGHT | {"transactionId": "t"}))[0] == 201
    found = (await ask(practice, "GET", "/envelopes?transaction_ids=t"))[1]
    assert len(found["envelopeTransactionStatuses"]) == 2


async def test_voiding_needs_a_reason_and_an_open_envelope(practice: Practice) -> None:
    known = (await ask(practice, "POST", "/envelopes", RIGHT))[1]["envelopeId"]
    void = {"status": "voided", "voidedReason": "Called off"}
    told = [
        (await ask(practice, "PUT", f"/envelopes/{known}", body))[1].get("errorCode")
        for body in ({"status": "voided"}, void, void)
    ]
    assert told == ["INVALID_REQUEST_PARAMETER", None, "ENVELOPE_CANNOT_VOID_INVALID_STATE"]


# Limits


def reading(contracts: Account) -> Asking:
    async def ask(api: Api) -> None:
        await api.get(await below(call(contracts.connection), "templates"))

    return ask


@pytest.mark.proves("limits")
async def test_a_burst_is_refused_with_the_time_to_wait() -> None:
    async with account("docusign", heedless=True) as contracts:
        contracts.simulator.quotas[1].count = 20
        await reading(contracts)(contracts.connection.api)
        await contracts.ask([reading(contracts)] * 20)
        assert contracts.statuses.count(429) == 1
        assert 29 < contracts.connection.api.gate.paused_for.total_seconds() <= 30


@pytest.mark.proves("limits")
async def test_our_client_is_never_refused() -> None:
    async with account("docusign", faster=60) as contracts:
        await contracts.ask([reading(contracts)] * 560)
        assert set(contracts.statuses) == {200}
