"""What is asked of Asana, and what practice answers, is what Asana describes."""

import pytest

from bellwire.capabilities.projects import CompleteTask, CreateProject, CreateProjectTask, ProjectTask
from bellwire.connectors.asana import CONNECTOR
from bellwire.connectors.asana.hooks import SUBSCRIBING, TOPIC
from bellwire.connectors.asana.signing_in import sign_in
from bellwire.connectors.asana.triggers import TRIGGERS
from bellwire.errors import Refused
from bellwire.practice import Received
from bellwire.practice.asana import Asana, Hook
from tests.connecting import call
from tests.connectors.asana.conftest import Connect
from tests.openapi import described
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = pytest.mark.proves("spec")

ORDERS = Asana.settings["projects"][0]


@pytest.mark.asyncio(loop_scope="module")
@needs_shared
async def test_all_requests_and_answers_are_as_described(connect: Connect, team: Asana) -> None:
    account, act = connect(), CONNECTOR.actions
    for again in (False, True):
        for template in ("", "Installation"):
            await act["projects.create_project"](
                call(account, again=again), CreateProject(name="Yard", reference=f"Y-{template}", template=template)
            )
        given = CreateProjectTask(
            project_id=ORDERS, name="Pack", reference="1001", checklist=("A", "B"), assignee="kim@example.com"
        )
        made = await act["projects.create_task"](call(account, again=again), given)
        assert isinstance(made, ProjectTask)
        await act["projects.complete_task"](call(account), CompleteTask(task_id=made.id))
    for _ in range(110):
        team.work.add_task({}, ORDERS)
    page = await TRIGGERS.polls[0].page(call(account), NOW, "")
    await TRIGGERS.polls[0].page(call(account), NOW, page.next_cursor)
    await sign_in(call(account))
    record = {
        "gid": "5",
        "resource_type": "webhook",
        "active": True,
        "resource": {"gid": ORDERS, "resource_type": "project", "name": "Orders"},
        "target": "https://else.example.com/",
        "filters": [],
    }
    team.hooks["5"] = Hook(record, "theirs")
    (known,) = await SUBSCRIBING.listing(call(account))
    await SUBSCRIBING.remove(call(account), known)
    with pytest.raises(Refused):
        await SUBSCRIBING.create(call(account), "http://127.0.0.1:9/", (TOPIC,))
    asked = {(request.method, request.path.split("/")[3]) for request in team.received}
    assert len(asked) >= 10
    assert [problem for request in team.received for problem in described("asana").problems(request)] == []


@needs_shared
def test_the_check_finds_a_field_that_does_not_exist() -> None:
    asked = Received("GET", "/api/1.0/tasks", {"project": ORDERS, "opt_fields": "colour"}, "", None)
    assert "colour" in "".join(described("asana").problems(asked))
