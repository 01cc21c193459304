"""Versions, points, sign-in and errors."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from graphql import parse, validate

from bellwire.connectors.jobber import CONNECTOR
from bellwire.connectors.jobber.actions import sign_in
from bellwire.connectors.jobber.api import ask
from bellwire.connectors.jobber.documents import DOCUMENTS, JOBS_CHANGED, WHO_AM_I
from bellwire.connectors.jobber.faults import explain
from bellwire.connectors.kit import Answer, OAuth2
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.practice import Fault, FaultKind
from bellwire.practice.jobber import Jobber, points, schema
from tests.connecting import Secrets, call
from tests.connectors.jobber.conftest import Connect
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")


def answer(body: Any, *, status: int = 200, writes: bool = False) -> Answer:
    return Answer(status, {}, orjson.dumps(body), "POST", "graphql", writes)


def failure(message: str, code: str = "") -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}], "data": None}


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_documents_are_valid_and_cost_less_than_a_query_may(document: str) -> None:
    assert [error.message for error in validate(schema.SCHEMA, parse(document))] == []
    assert points.asked(parse(document), {}) <= points.DEAREST / 5


@pytest.mark.proves("version")
class TestVersion:
    async def test_it_is_on_every_call(self, connect: Connect, field: Jobber) -> None:
        account = connect()
        assert account.manifest.headers == {"X-JOBBER-GRAPHQL-VERSION": account.manifest.api_version}
        assert (await ask(call(account), WHO_AM_I))["account"]["name"] == "Hill Heating"
        assert account.api.notices == {}

    async def test_a_warning_and_another_version_are_noticed(self, connect: Connect, field: Jobber) -> None:
        account = connect()
        field.warning = "Version 2026-09-25 will be removed on 2028-03-25"
        await ask(call(account), WHO_AM_I)
        field.warning = ""
        await account.api.request("POST", "graphql", json={"query": WHO_AM_I}, writes=False)
        assert account.api.notices == {"extensions.versioning": "Version 2026-09-25 will be removed on 2028-03-25"}

    async def test_what_was_raised_to_another_version_is_noticed(self, connect: Connect, field: Jobber) -> None:
        account, known = connect(), field.versions
        field.versions = ("2027-01-11",)
        await ask(call(account), WHO_AM_I)
        field.versions = known
        assert account.api.notices == {"extensions.versioning.version": "2027-01-11 was used instead of 2026-09-25"}


@pytest.mark.proves("limits")
class TestPoints:
    async def test_what_costs_more_than_is_left_waits_for_its_points(self, connect: Connect, field: Jobber) -> None:
        account = connect()
        field.bucket = points.Bucket(size=1_600, left=1_600, refill=4_000)
        for _ in range(3):
            await ask(call(account), JOBS_CHANGED, after=None)
        assert ["errors" in request.answer for request in field.received] == [False] * 3

    async def test_without_points_it_says_when_to_come_back(self, connect: Connect, field: Jobber) -> None:
        field.bucket = points.Bucket(left=0, refill=10)
        with pytest.raises(Transient, match="slow down") as refused:
            await ask(call(connect()), JOBS_CHANGED, after=None)
        assert refused.value.retry_after is not None
        assert 100 < refused.value.retry_after.total_seconds() < 200


class TestSigningIn:
    @pytest.mark.proves("sign-in")
    async def test_the_account_is_told(self, connect: Connect) -> None:
        account = await sign_in(call(connect()))
        assert (account.name, account.detail, account.scopes) == ("Hill Heating", "account MQ==", None)

    @pytest.mark.proves("sign-in")
    async def test_another_account_is_refused_with_its_id(self, connect: Connect) -> None:
        with pytest.raises(SignedOut, match=r"account Hill Heating \(MQ==\), but the settings are for 0"):
            await sign_in(call(connect(account_id="0")))

    @pytest.mark.proves("access")
    async def test_a_token_is_renewed_ahead_of_its_end_once_and_its_successor_kept(
        self, connect: Connect, field: Jobber
    ) -> None:
        field.refresh = {"practice-refresh-token"}
        ends = (NOW + timedelta(minutes=4)).isoformat()
        account = connect(credentials={**field.credentials, "access_token_expires_at": ends})
        await asyncio.gather(*(sign_in(call(account)) for _ in range(5)))
        assert sum(request.path == "/api/oauth/token" for request in field.received) == 1
        kept = account.credentials
        assert isinstance(kept, Secrets) and kept.stored == 1
        assert {kept.get("refresh_token")} == field.refresh

    @pytest.mark.proves("access")
    async def test_one_that_is_refused_is_renewed(self, connect: Connect, field: Jobber) -> None:
        field.refresh = {"practice-refresh-token"}
        account = connect(credentials={**field.credentials, "access_token": "expired"})
        assert (await sign_in(call(account))).name == "Hill Heating"
        assert [request.status for request in field.received] == [401, 200, 200]

    @pytest.mark.proves("access")
    async def test_a_consent_in_the_browser_gives_the_first_tokens(self, connect: Connect, field: Jobber) -> None:
        auth = CONNECTOR.manifest.auth
        assert isinstance(auth, OAuth2) and auth.consent is not None
        assert (auth.consent.url, auth.consent.pkce) == ("https://api.getjobber.com/api/oauth/authorize", False)
        account = connect(credentials={"client_id": "practice-client", "client_secret": "practice-client-secret"})
        await account.api.sign_in.redeem("practice-code", "https://bellwire.example.com/back", "")
        assert {account.credentials.get("refresh_token")} == field.refresh
        assert (await sign_in(call(account))).name == "Hill Heating"


@pytest.mark.proves("errors")
class TestErrors:
    @pytest.mark.parametrize(
        ("body", "kind", "cause"),
        [
            (failure("Throttled", "THROTTLED"), Transient, "rate-limited"),
            (failure("Not logged in", "UNAUTHENTICATED"), SignedOut, ""),
            (failure("User has disconnected this app from their account"), SignedOut, "disconnected"),
            (failure("Hidden due to permissions"), Refused, "no-access"),
            (failure("x", "FORBIDDEN"), Refused, "no-access"),
            (failure("Service temporarily unavailable"), Transient, "vendor-failed"),
            (failure("x", "INTERNAL_SERVER_ERROR"), Transient, "vendor-failed"),
            (failure("Invalid cursor: 7"), Refused, "expired-page"),
            (failure("Client not found"), Refused, "unknown-record"),
            (failure("Field 'x' doesn't exist", "undefinedField"), Refused, "refused-undefinedfield"),
            (failure("?"), Refused, "refused"),
        ],
    )
    async def test_each_has_its_class_and_a_sentence(self, body: Any, kind: type, cause: str) -> None:
        said = explain(answer(body))
        assert isinstance(said, kind) and said is not None
        assert said.sentence.endswith(".") and (not cause or said.cause == cause)

    async def test_a_failure_of_what_writes_may_have_been_done(self) -> None:
        said = explain(answer(failure("x", "INTERNAL_SERVER_ERROR"), writes=True))
        assert isinstance(said, OutcomeUnknown)

    @pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": {"job": None}}, {"data": {"a": {"userErrors": []}}}])
    async def test_a_success_is_no_error(self, body: Any) -> None:
        assert explain(answer(body)) is None

    async def test_a_scope_that_is_missing_is_said(self, connect: Connect, field: Jobber) -> None:
        field.scopes.discard("read_jobs")
        try:
            with pytest.raises(Refused, match="isn't allowed") as refused:
                await ask(call(connect()), JOBS_CHANGED, after=None)
        finally:
            field.scopes.add("read_jobs")
        assert "Developer Center" in refused.value.remedy

    async def test_an_app_that_was_disconnected_is_said(self, connect: Connect, field: Jobber) -> None:
        field.connected = False
        try:
            with pytest.raises(SignedOut, match="disconnected the app"):
                await sign_in(call(connect(credentials={"access_token": "practice-access-token"})))
        finally:
            field.connected = True

    @pytest.mark.parametrize("kind", [FaultKind.FAILED, FaultKind.LOST_ANSWER])
    async def test_what_only_reads_did_nothing(self, connect: Connect, field: Jobber, kind: FaultKind) -> None:
        field.faults.add(Fault(kind=kind, times=2))
        with pytest.raises(Transient):
            await ask(call(connect()), WHO_AM_I)
