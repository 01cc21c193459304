"""What Asana's answers mean."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from bellwire.capabilities.projects import CompleteTask
from bellwire.connectors.asana import CONNECTOR
from bellwire.connectors.asana.faults import explain
from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.practice import Fault, FaultKind
from bellwire.practice.asana import Asana
from tests.connecting import call
from tests.connectors.asana.conftest import Connect

pytestmark = [pytest.mark.proves("errors"), pytest.mark.asyncio(loop_scope="module")]

COMPLETE = CONNECTOR.actions["projects.complete_task"]


@pytest.mark.parametrize(
    ("status", "message", "cause"),
    [
        (402, "Search is only for premium users", "paid-plan"),
        (403, "Forbidden", "no-access"),
        (404, "Unknown object", "unknown-record"),
        (400, "offset: Your pagination token has expired.", "expired-page"),
        (400, "The remote server did not respond with the handshake secret.", "address-unreachable"),
        (400, "assignee: Not a user", "unknown-assignee"),
        (400, "name: Missing input", "invalid"),
    ],
)
async def test_refusals_are_told_apart(status: int, message: str, cause: str) -> None:
    body = orjson.dumps({"errors": [{"message": message, "help": "…"}]})
    said = explain(Answer(status, {}, body, "POST", "tasks"))
    assert isinstance(said, Refused)
    assert said.cause == cause and message in said.detail
    assert said.sentence[0].isupper()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"errors": null}', b'{"errors": [1]}'])
async def test_an_error_without_words_is_one_all_the_same(body: bytes) -> None:
    for status in (400, 401, 402, 403, 404, 412, 429, 451, 500):
        said = explain(Answer(status, {}, body, "POST", "tasks"))
        assert said is None or said.sentence


async def test_too_many_requests_are_waited_out(connect: Connect, team: Asana) -> None:
    team.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=30))
    with pytest.raises(Transient, match="slow down") as refused:
        await COMPLETE(call(connect()), CompleteTask(task_id="1"))
    assert refused.value.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize("kind", [FaultKind.FAILED, FaultKind.LOST_ANSWER])
async def test_a_failure_may_have_been_done(connect: Connect, team: Asana, kind: FaultKind) -> None:
    team.faults.add(Fault(kind=kind))
    with pytest.raises(OutcomeUnknown):
        await COMPLETE(call(connect()), CompleteTask(task_id="1"))


async def test_a_token_that_was_taken_back_needs_another(connect: Connect) -> None:
    account: Any = connect(credentials={"access_token": "old"})
    with pytest.raises(SignedOut, match="no longer accepts the sign-in") as refused:
        await COMPLETE(call(account), CompleteTask(task_id="1"))
    assert "bellwire secrets set team" in refused.value.remedy
