"""What Asana's webhooks are signed with, what they come to, and what the poll lists."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from bellwire.connectors.asana.triggers import TRIGGERS, normalise
from bellwire.connectors.kit import Connection
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Task
from bellwire.practice.asana import Asana
from tests.connecting import call, connection
from tests.connectors.asana.conftest import Connect
from tests.polling import events
from tests.samples import NOW
from tests.shared import needs_shared
from tests.signing import assert_takes_the_vector_only

ORDERS = Asana.settings["projects"][0]
(POLL,) = TRIGGERS.polls


def team() -> Connection:
    return connection("asana", name="team", settings=Asana.settings)


def delivery(body: bytes, **headers: str) -> Delivery:
    return Delivery("team", headers, body, NOW)


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "user": {"gid": "12345", "resource_type": "user"},
        "created_at": "2026-01-31T10:00:00.000Z",
        "action": "changed",
        "resource": {"gid": "1337", "resource_type": "task", "resource_subtype": "default_task"},
        "parent": None,
        "change": {"field": "completed", "action": "changed"},
        **changes,
    }


def body(*entries: Any) -> bytes:
    return orjson.dumps({"events": entries})


@pytest.mark.proves("signatures")
class TestSignatures:
    @needs_shared
    def test_the_vector_fits_and_a_changed_byte_does_not(self) -> None:
        assert_takes_the_vector_only(team(), "X-Hook-Signature")

    def test_the_handshake_is_answered_with_the_same_header(self) -> None:
        scheme = team().webhook
        assert scheme is not None
        shaken = scheme.handshake(delivery(b"{}", **{"x-hook-secret": "b537207f20cb"}))
        assert shaken is not None and dict(shaken.headers) == {"X-Hook-Secret": "b537207f20cb"}
        assert scheme.handshake(delivery(b"{}")) is None
        for odd in ("", "a b", "x" * 257, "é"):
            assert scheme.handshake(delivery(b"{}", **{"x-hook-secret": odd})) is None


class TestWebhooks:
    def test_what_changed_is_found_out_by_the_poll(self) -> None:
        made = normalise(delivery(body(entry(), entry(action="added"))), team())
        assert (made.events, made.wake) == ((), ("tasks",))

    def test_that_a_task_was_deleted_is_told_at_once(self) -> None:
        made = normalise(delivery(body(entry(action="deleted", change=None))), team())
        (event,) = made.events
        at = datetime(2026, 1, 31, 10, tzinfo=UTC)
        assert event.data == Task(id="1337", deleted=True, updated_at=at)
        assert (event.type, event.time, made.wake) == ("task.updated", at, ())
        (again,) = normalise(delivery(body(entry(action="deleted"))), team()).events
        assert again.business_key == event.business_key

    def test_heartbeats_and_what_nobody_needs_have_a_reason(self) -> None:
        assert "tried the address" in normalise(delivery(body()), team()).reason
        story = entry(resource={"gid": "1", "resource_type": "story"})
        assert normalise(delivery(body(story)), team()).reason == "Bellwire has no use for what happens to: story."
        assert normalise(delivery(body(story, entry())), team()).wake == ("tasks",)

    @pytest.mark.parametrize("text", [b"[]", b"{}", b"null", b'{"events": [1]}', b'{"task": {}}', body({})])
    def test_what_cannot_be_read_is_said(self, text: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Asana describes"):
            normalise(delivery(text), team())


@pytest.mark.proves("reconcile", "paging")
@pytest.mark.asyncio(loop_scope="module")
class TestPoll:
    async def test_a_task_that_changed_is_told_whole(self, connect: Connect, team: Asana) -> None:
        team.work.add_task({"name": "Old"}, ORDERS, at=NOW - timedelta(seconds=1))
        assignee = {"gid": "12346", "name": "Robin Hill"}
        told = {"name": "Pack", "notes": "Fragile\n\nReference: 1001", "due_on": "2026-12-01", "assignee": assignee}
        made = team.work.add_task(told, ORDERS, at=NOW)
        (event,) = (await events(connect()))[0]
        assert event.data == Task(
            id=made["gid"],
            name="Pack",
            project_id=ORDERS,
            reference="1001",
            assignee="Robin Hill",
            due=date(2026, 12, 1),
            updated_at=NOW,
        )

    async def test_that_a_task_is_done_is_one_fact_however_often_it_changes(
        self, connect: Connect, team: Asana
    ) -> None:
        made = team.work.add_task({"name": "Pack"}, ORDERS, at=NOW)
        team.work.change(made["gid"], {"completed": True}, at=NOW + timedelta(minutes=1))
        first = (await events(connect()))[0]
        team.work.change(made["gid"], {"name": "Packed"}, at=NOW + timedelta(minutes=2))
        second = (await events(connect()))[0]
        assert [event.type for event in first] == ["task.updated", "task.completed"]
        assert first[1].time == NOW + timedelta(minutes=1)
        assert first[1].business_key == second[1].business_key
        assert first[0].business_key != second[0].business_key

    async def test_all_pages_of_all_projects_are_read(self, connect: Connect, team: Asana) -> None:
        yard = team.work.add_project({"name": "Yard"})["gid"]
        made = [team.work.add_task({}, project, at=NOW) for project in (ORDERS, yard) for _ in range(130)]
        both = team.work.add_task({}, yard, ORDERS, at=NOW)
        found, cursors = await events(connect(projects=[ORDERS, yard]))
        assert {event.data.id for event in found} == {task["gid"] for task in [*made, both]}
        assert len(cursors) == 3
        assert len({event.business_key for event in found if event.data.id == both["gid"]}) == 1

    async def test_a_cursor_is_good_for_whoever_goes_on(self, connect: Connect, team: Asana) -> None:
        for _ in range(130):
            team.work.add_task({}, ORDERS, at=NOW)
        first = await POLL.page(call(connect()), NOW, "")
        rest, _ = await events(connect(), first.next_cursor)
        assert len(rest) == 30

    @pytest.mark.parametrize("cursor", [f"{ORDERS}/gone", "99/gone", "gone"])
    async def test_a_cursor_that_asana_forgot_begins_anew(self, connect: Connect, team: Asana, cursor: str) -> None:
        for _ in range(130):
            team.work.add_task({}, ORDERS, at=NOW)
        found, _ = await events(connect(), cursor)
        assert len({event.data.id for event in found}) == 130

    async def test_without_projects_nothing_is_asked(self, connect: Connect, team: Asana) -> None:
        assert await events(connect(projects=[])) == ([], [])
        assert not team.received
