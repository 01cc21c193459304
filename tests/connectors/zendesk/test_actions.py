"""The actions against a practice account, on good days and bad."""

from itertools import count
from typing import Any

import orjson
import pytest

from bellwire.capabilities.helpdesk import CommentTicket, CreateTicket, FoundTicket, HelpTicket, Priority, ReadTicket
from bellwire.connectors.kit import Answer, Call, Connection
from bellwire.connectors.zendesk import CONNECTOR
from bellwire.connectors.zendesk.faults import explain
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.events import TicketStatus
from bellwire.practice import Fault, FaultKind
from bellwire.practice.zendesk import ZendeskSimulator
from tests.connecting import call
from tests.connectors.zendesk.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")
_serial = count(1)


def new_call(helpdesk: Connection, **changes: Any) -> Call:
    return call(helpdesk, key=f"{next(_serial):032x}", **changes)


async def do(made: Call, name: str, given: Any) -> Any:
    return await CONNECTOR.actions[f"helpdesk.{name}"](made, given)


async def create(made: Call, **changes: Any) -> HelpTicket:
    given: dict[str, Any] = {"subject": "A broken mug", "text": "It came broken.", "reference": "return 77"}
    result = await do(made, "create_ticket", CreateTicket(**{"email": "robin@example.com", **given, **changes}))
    assert isinstance(result, HelpTicket)
    return result


async def comment(made: Call, ticket: HelpTicket, **changes: Any) -> HelpTicket:
    result = await do(made, "comment", CommentTicket(ticket_id=ticket.id, **{"text": "On its way.", **changes}))
    assert isinstance(result, HelpTicket)
    return result


async def test_a_ticket_is_as_the_flow_asked_and_in_the_customers_name(
    connect: Connect, zendesk: ZendeskSimulator
) -> None:
    made = await create(new_call(connect()), name="Robin Hill", priority=Priority.HIGH, tags=("mug",), public=True)
    ticket = zendesk.tickets[int(made.id)]
    assert (ticket["subject"], ticket["priority"], ticket["tags"]) == ("A broken mug", "high", ["mug"])
    assert ticket["external_id"] == "return 77"
    assert zendesk.users[ticket["requester_id"]]["name"] == "Robin Hill"
    assert made.url == f"https://hill-tea.zendesk.com/agent/tickets/{made.id}"


async def test_whether_the_customer_reads_it_is_always_said(connect: Connect, zendesk: ZendeskSimulator) -> None:
    made = await create(new_call(connect()))
    await comment(new_call(connect()), made)
    await comment(new_call(connect()), made, public=True)
    events = [event for audit in zendesk.audits[int(made.id)] for event in audit["events"]]
    assert [event["public"] for event in events] == [False, False, True]


async def test_a_comment_may_set_the_status_and_else_leaves_it(connect: Connect, zendesk: ZendeskSimulator) -> None:
    made = await create(new_call(connect()))
    await comment(new_call(connect()), made, status=TicketStatus.WAITING)
    await comment(new_call(connect()), made)
    assert zendesk.tickets[int(made.id)]["status"] == "pending"


@pytest.mark.proves("paging")
async def test_a_ticket_is_read_with_all_its_comments_and_who_wrote_them(
    connect: Connect, zendesk: ZendeskSimulator
) -> None:
    zendesk.page_size = 2
    made = await create(new_call(connect()), name="Robin Hill")
    for number in range(4):
        await comment(new_call(connect()), made, text=f"Note {number}")
    found = await do(new_call(connect()), "read_ticket", ReadTicket(ticket_id=made.id))
    assert isinstance(found, FoundTicket)
    assert [each.text for each in found.comments] == ["It came broken.", *(f"Note {n}" for n in range(4))]
    assert {each.author for each in found.comments} == {"Bellwire"}
    assert (found.status, found.reference, found.subject) == (TicketStatus.OPEN, "return 77", "A broken mug")


# A lost answer


async def test_a_lost_answer_leaves_one_ticket_although_its_key_is_forgotten(
    connect: Connect, zendesk: ZendeskSimulator
) -> None:
    helpdesk, before = connect(), len(zendesk.tickets)
    zendesk.page_size = 2
    for _ in range(3):  # others of the same reference
        await create(new_call(helpdesk), reference="return 78")
    this = new_call(helpdesk)
    zendesk.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/tickets"))
    with pytest.raises(OutcomeUnknown):
        await create(this, reference="return 78")
    zendesk.forget()
    again = await create(call(helpdesk, key=this.key, again=True), reference="return 78")
    assert len(zendesk.tickets) == before + 4
    assert again.id == str(max(zendesk.tickets))


async def test_a_ticket_of_the_same_reference_by_another_run_is_another(
    connect: Connect, zendesk: ZendeskSimulator
) -> None:
    helpdesk = connect()
    first = await create(new_call(helpdesk), reference="return 79")
    assert (await create(new_call(helpdesk, again=True), reference="return 79")).id != first.id


async def test_within_two_hours_zendesk_itself_gives_its_first_answer_again(
    connect: Connect, zendesk: ZendeskSimulator
) -> None:
    helpdesk, this = connect(), new_call(connect())
    assert await create(this) == await create(call(helpdesk, key=this.key))


async def test_a_key_is_for_one_ticket(connect: Connect) -> None:
    this = new_call(connect())
    await create(this)
    with pytest.raises(Refused, match="don't match the given idempotency key"):
        await create(this, text="Something else")


async def test_a_comment_whose_answer_was_lost_is_there_once(connect: Connect, zendesk: ZendeskSimulator) -> None:
    helpdesk = connect()
    made = await create(new_call(helpdesk))
    this = new_call(helpdesk)
    zendesk.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="PUT"))
    with pytest.raises(OutcomeUnknown):
        await comment(this, made)
    await comment(call(helpdesk, key=this.key, again=True), made)
    assert len(zendesk.audits[int(made.id)]) == 2


# Errors


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.RATE_LIMITED, Transient),
        (FaultKind.FAILED, OutcomeUnknown),
        (FaultKind.LOST_ANSWER, OutcomeUnknown),
    ],
)
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    connect: Connect, zendesk: ZendeskSimulator, kind: FaultKind, error: type[VendorError]
) -> None:
    helpdesk, this, before = connect(), new_call(connect()), len(zendesk.tickets)
    await helpdesk.api.get("users/me")
    zendesk.faults.add(Fault(kind=kind, seconds=0, match="POST .*/tickets"))
    with pytest.raises(error):
        await create(call(helpdesk, key=this.key), reference=f"return {kind}")
    await create(call(helpdesk, key=this.key, again=True), reference=f"return {kind}")
    assert len(zendesk.tickets) == before + 1


@pytest.mark.proves("errors")
async def test_a_closed_ticket_takes_nothing_more(connect: Connect, zendesk: ZendeskSimulator) -> None:
    made = await create(new_call(connect()))
    zendesk.tickets[int(made.id)]["status"] = "closed"
    with pytest.raises(Refused, match="closed for good") as refused:
        await comment(new_call(connect()), made)
    assert refused.value.cause == "ticket-closed" and refused.value.remedy


@pytest.mark.proves("errors")
@pytest.mark.parametrize("ticket_id", ["1", "abc", "../users"])
async def test_a_ticket_that_is_not_there_is_said(connect: Connect, ticket_id: str) -> None:
    with pytest.raises(Refused) as refused:
        await comment(new_call(connect()), HelpTicket(id=ticket_id))
    assert refused.value.cause == "unknown-ticket" and refused.value.remedy


@pytest.mark.proves("errors")
async def test_a_missing_permission_is_said(connect: Connect, zendesk: ZendeskSimulator) -> None:
    zendesk.scopes = "tickets:read"
    with pytest.raises(Refused, match="isn't allowed") as refused:
        await create(new_call(connect()))
    assert refused.value.cause == "not-allowed" and "scopes" in refused.value.remedy


@pytest.mark.proves("errors")
async def test_a_wrong_secret_is_signed_out(connect: Connect) -> None:
    with pytest.raises(SignedOut, match="no longer accepts the sign-in"):
        await create(new_call(connect(credentials={"client_id": "bellwire", "client_secret": "old"})))


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (409, {"error": "UpdateConflict", "description": "Safe Update prevented the update"}, "conflict"),
        (422, {"error": {"title": "Bad", "message": "Subject is too long"}}, "refused-bad"),
        (404, {"error": "InvalidEndpoint", "description": "Not found"}, "refused-invalidendpoint"),
        (400, ["what"], "refused-400"),
        (400, "<html>", "refused-400"),
    ],
)
async def test_whatever_the_shape_of_an_error_it_is_read(status: int, body: Any, cause: str) -> None:
    text = body.encode() if isinstance(body, str) else orjson.dumps(body)
    found = explain(Answer(status, {}, text, "PUT", "tickets/1"))
    assert found is not None and found.cause == cause and found.sentence.endswith((".", "long", "found", "]", ">"))


@pytest.mark.parametrize("status", [200, 401, 429, 500, 503])
async def test_what_the_status_says_already_is_left_to_it(status: int) -> None:
    assert explain(Answer(status, {}, b"{}", "PUT", "tickets/1")) is None
