"""Asana's own client library gets along with the practice workspace."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asana
import pytest
from asana.rest import ApiException

from bellwire.practice import Practice
from bellwire.practice.asana import Asana

pytestmark = pytest.mark.proves("sdk")

ORDERS = Asana.settings["projects"][0]


@pytest.fixture
async def sdk() -> AsyncIterator[Callable[[str], Any]]:
    def signed_in(token: str) -> Any:
        settings = asana.Configuration()
        settings.host = practice.base_url("asana") + "/api/1.0"
        settings.access_token = token
        return asana.ApiClient(settings)

    async with Practice(["asana"]) as practice:
        yield signed_in


@pytest.fixture
def client(sdk: Callable[[str], Any]) -> Any:
    return sdk("practice-access-token")


async def do(method: Callable[..., Any], *given: Any) -> Any:
    return await asyncio.to_thread(method, *given)


async def test_a_task_is_made_with_its_steps_ticked_off_and_listed_page_by_page(client: Any) -> None:
    tasks = asana.TasksApi(client)
    made = await do(tasks.create_task, {"data": {"name": "Pack", "projects": [ORDERS]}}, {})
    await do(tasks.create_subtask_for_task, {"data": {"name": "Tea"}}, made["gid"], {})
    done = await do(tasks.update_task, {"data": {"completed": True}}, made["gid"], {})
    assert done["completed"] is True and done["completed_at"]
    for number in range(5):
        await do(tasks.create_task, {"data": {"name": str(number), "projects": [ORDERS]}}, {})
    fields = {"project": ORDERS, "limit": 2, "opt_fields": "name,completed"}
    listed = await asyncio.to_thread(lambda: list(tasks.get_tasks(fields)))
    assert sorted(each["name"] for each in listed) == ["0", "1", "2", "3", "4", "Pack"]
    steps = await asyncio.to_thread(lambda: list(tasks.get_subtasks_for_task(made["gid"], {"opt_fields": "name"})))
    assert [each["name"] for each in steps] == ["Tea"]


async def test_projects_templates_and_the_person_are_read(client: Any) -> None:
    projects, workspace = asana.ProjectsApi(client), Asana.settings["workspace"]
    await do(projects.create_project, {"data": {"name": "Yard", "workspace": workspace}}, {})
    listed = await asyncio.to_thread(lambda: list(projects.get_projects({"workspace": workspace})))
    assert [each["name"] for each in listed] == ["Orders", "Yard"]
    job = await do(asana.ProjectTemplatesApi(client).instantiate_project, "7001", {"body": {"data": {"name": "New"}}})
    assert (job["new_project"]["name"], job["status"]) == ("New", "in_progress")
    assert (await do(asana.JobsApi(client).get_job, job["gid"], {}))["status"] == "succeeded"
    assert (await do(asana.UsersApi(client).get_user, "me", {}))["name"] == "Kim"


async def test_what_asana_refuses_is_refused(client: Any, sdk: Callable[[str], Any]) -> None:
    tasks = asana.TasksApi(client)
    for status, method, given in (
        (400, tasks.create_task, ({"data": {"name": "Nowhere"}}, {})),
        (400, tasks.create_task, ({"data": {"colour": "red", "projects": [ORDERS]}}, {})),
        (404, tasks.get_task, ("9", {})),
        (401, asana.UsersApi(sdk("stale")).get_user, ("me", {})),
        (
            400,
            asana.WebhooksApi(client).create_webhook,
            ({"data": {"resource": ORDERS, "target": "http://x.invalid"}}, {}),
        ),
    ):
        with pytest.raises(ApiException) as refused:
            await do(method, *given)
        assert refused.value.status == status
