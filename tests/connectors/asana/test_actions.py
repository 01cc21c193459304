"""The actions against a practice workspace, on good days and bad."""

import dataclasses
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from bellwire.capabilities import Given, Result
from bellwire.capabilities.projects import CompleteTask, CreateProject, CreateProjectTask, Project, ProjectTask
from bellwire.clock import system_clock
from bellwire.connectors.kit import Call, Connection
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.practice import Fault, FaultKind
from bellwire.practice.asana import Asana
from tests.connecting import call
from tests.connectors.asana.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

_serial = count(1)
ORDERS = Asana.settings["projects"][0]


def new_call(team: Connection, **changes: Any) -> Call:
    # By the practice workspace's clock, so that what it made just now isn't older than the attempt.
    return dataclasses.replace(call(team, key=f"{next(_serial):032x}", **changes), since=system_clock())


async def do(call: Call, name: str, given: Given) -> Result:
    return await call.connection.connector.actions[f"projects.{name}"](call, given)


async def project(call: Call, **given: Any) -> Project:
    result = await do(call, "create_project", CreateProject(**{"name": "Installation at Hill's", **given}))
    assert isinstance(result, Project)
    return result


async def task(call: Call, **given: Any) -> ProjectTask:
    values = {"project_id": ORDERS, "name": "Pack order 1001", "reference": "1001", **given}
    result = await do(call, "create_task", CreateProjectTask(**values))
    assert isinstance(result, ProjectTask)
    return result


def names(team: Asana, parent: str) -> list[str]:
    return [each["name"] for each in team.work.list_subtasks({"gid": parent}, {}, {})]


class TestProjects:
    async def test_a_project_says_what_people_look_for(self, connect: Connect, team: Asana) -> None:
        made = await project(new_call(connect()), reference="B-7", notes="Two floors", due=date(2026, 12, 24))
        held = team.work.projects[made.id]
        assert (held["name"], held["notes"]) == ("Installation at Hill's", "Two floors\n\nReference: B-7")
        assert (held["due_on"], held["workspace"]["gid"]) == ("2026-12-24", "31337")
        assert made.url == f"https://app.asana.com/0/{made.id}/list"

    @pytest.mark.parametrize("template", ["installation", "7001"])
    async def test_a_template_is_waited_for_and_described(self, connect: Connect, team: Asana, template: str) -> None:
        given = {"reference": f"T-{template}", "template": template, "due": date(2026, 12, 24), "notes": "Two floors"}
        made = await project(new_call(connect()), **given)
        held = team.work.projects[made.id]
        assert (held["notes"], held["due_on"]) == (
            f"As we always do it\n\nTwo floors\n\nReference: T-{template}",
            "2026-12-24",
        )
        assert any(request.path.startswith("/api/1.0/jobs/") for request in team.received)

    @pytest.mark.proves("errors")
    async def test_a_template_that_does_not_exist_is_named_with_those_that_do(
        self, connect: Connect, team: Asana
    ) -> None:
        with pytest.raises(Refused, match="no project template called 'Party'") as refused:
            await project(new_call(connect()), reference="B-8", template="Party")
        assert "Installation (7001), Tasting (7002)" in refused.value.remedy
        team.work.templates["7003"] = "Tasting"
        with pytest.raises(Refused, match="several project templates called 'Tasting'"):
            await project(new_call(connect()), reference="B-8", template="Tasting")
        del team.work.templates["7003"]

    @pytest.mark.proves("errors")
    async def test_a_template_that_fails_is_said(self, connect: Connect, team: Asana) -> None:
        team.work.ending = "failed"
        try:
            with pytest.raises(Refused, match="couldn't make a project of the template"):
                await project(new_call(connect()), reference="B-9", template="7001")
        finally:
            team.work.ending = "succeeded"

    @pytest.mark.proves("paging")
    async def test_a_lost_answer_leaves_one_project_among_however_many(self, connect: Connect, team: Asana) -> None:
        this = new_call(connect())
        before = set(team.work.projects)
        for number in range(230):
            team.work.add_project({"name": "Installation at Hill's", "notes": f"Reference: other-{number}"})
        team.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/projects "))
        with pytest.raises(OutcomeUnknown):
            await project(this, reference="B-10")
        team.received.clear()
        again = await project(dataclasses.replace(this, again=True), reference="B-10")
        assert "Reference: B-10" in team.work.projects[again.id]["notes"]
        assert [request.method for request in team.received] == ["GET"] * 3
        assert len(set(team.work.projects) - before) == 231

    async def test_a_project_of_a_template_that_wasnt_described_yet_is_found(
        self, connect: Connect, team: Asana
    ) -> None:
        this, name = new_call(connect()), "Installation at Mill's"
        team.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/instantiateProject"))
        with pytest.raises(OutcomeUnknown):
            await project(this, name=name, reference="B-11", template="7001")
        again = await project(dataclasses.replace(this, again=True), name=name, reference="B-11", template="7001")
        (only,) = [each for each in team.work.projects.values() if each["name"] == name]
        assert (only["gid"], only["notes"]) == (again.id, "As we always do it\n\nReference: B-11")


class TestTasks:
    async def test_a_task_says_what_people_look_for(self, connect: Connect, team: Asana) -> None:
        made = await task(new_call(connect()), notes="Fragile", due=date(2026, 12, 1), assignee="robin@example.com")
        held = team.work.tasks[made.id]
        assert (held["name"], held["notes"]) == ("Pack order 1001", "Fragile\n\nReference: 1001")
        assert (held["due_on"], held["assignee"]["name"]) == ("2026-12-01", "Robin Hill")
        assert held["memberships"][0]["project"]["gid"] == ORDERS
        assert made.url == f"https://app.asana.com/0/0/{made.id}/f"

    async def test_steps_stand_in_their_order(self, connect: Connect, team: Asana) -> None:
        made = await task(new_call(connect()), checklist=("Box", "Tea", "Label", "Tea"))
        assert names(team, made.id) == ["Box", "Tea", "Label", "Tea"]

    async def test_only_the_steps_that_are_missing_are_added(self, connect: Connect, team: Asana) -> None:
        this, steps = new_call(connect()), ("Box", "Tea", "Label")
        team.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match='POST .*/subtasks .*"Tea"'))
        with pytest.raises(OutcomeUnknown):
            await task(this, checklist=steps)
        made = await task(dataclasses.replace(this, again=True), checklist=steps)
        assert names(team, made.id) == list(steps)
        assert len(team.work.tasks) == 4

    async def test_a_task_is_ticked_off_once(self, connect: Connect, team: Asana) -> None:
        made = await task(new_call(connect()))
        for _ in range(2):
            await do(new_call(connect()), "complete_task", CompleteTask(task_id=made.id))
        assert team.work.tasks[made.id]["completed"] is True

    @pytest.mark.proves("errors")
    async def test_who_is_not_there_and_what_is_not_there_is_said(self, connect: Connect, team: Asana) -> None:
        with pytest.raises(Refused, match="knows nobody") as refused:
            await task(new_call(connect()), assignee="nobody@example.com")
        assert "Invite them" in refused.value.remedy
        with pytest.raises(Refused, match="no such project or task") as refused:
            await do(new_call(connect()), "complete_task", CompleteTask(task_id="9"))
        assert "9" in refused.value.detail

    async def test_a_task_of_the_same_reference_from_long_ago_is_another(self, connect: Connect, team: Asana) -> None:
        old = team.work.add_task({"notes": "Reference: 1001"}, ORDERS, at=system_clock() - timedelta(days=9))
        made = await task(new_call(connect(), again=True))
        assert made.id != old["gid"]


@pytest.mark.proves("version")
async def test_the_version_is_in_every_path_and_announcements_are_noticed(connect: Connect, team: Asana) -> None:
    account = connect()
    team.change = "name=string_ids;info=https://asana.com/string-ids;affected=true"
    await task(new_call(account))
    team.change = ""
    assert {request.path.split("/")[2] for request in team.received} == {"1.0"}
    assert account.api.notices == {"Asana-Change": "name=string_ids;info=https://asana.com/string-ids;affected=true"}
