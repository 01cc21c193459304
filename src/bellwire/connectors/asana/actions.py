"""What Bellwire does in Asana: projects, tasks with their steps, and ticking off."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

from bellwire.capabilities.projects import (
    COMPLETE_TASK,
    CREATE_PROJECT,
    CREATE_TASK,
    CompleteTask,
    CreateProject,
    CreateProjectTask,
    Project,
    ProjectTask,
)
from bellwire.clock import parse_time
from bellwire.connectors.asana.api import Record, iso, listed, read, send
from bellwire.connectors.asana.manifest import settings_of
from bellwire.connectors.kit import Call, Compared, LookUp, Seen, Upsert, action
from bellwire.connectors.kit.references import says_reference, with_reference
from bellwire.errors import OutcomeUnknown, Refused

_PROJECT = ("name", "notes", "created_at", "due_on", "permalink_url")
_TASK = ("name", "notes", "created_at", "due_on", "permalink_url")
_LOOK_BACK = timedelta(days=1)
"""If it isn't known when the earlier attempt began."""
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two looks at a job: each is twice as long as the one before."""


async def find_project(call: Call, given: CreateProject) -> Project | None:
    """The project that says the reference. One that comes of a template gets it only afterwards: until then it is the
    newest of its name since the earlier attempt began."""
    unmarked = None
    async for project in _projects(call):
        if says_reference(project.get("notes"), given.reference):
            return _project(project)
        if given.template and project["name"] == given.name and parse_time(project["created_at"]) >= _oldest(call):
            unmarked = project
    return _project(await _describe(call, unmarked, given)) if unmarked else None


async def find_task(call: Call, given: CreateProjectTask) -> ProjectTask | None:
    """The project's task that says the reference, with the steps that it lacks."""
    since = iso(_oldest(call))
    async for task in listed(call, "tasks", _TASK, project=given.project_id, modified_since=since):
        if says_reference(task.get("notes"), given.reference):
            await _add_steps(call, task, given.checklist)
            return _task(task)
    return None


async def look_for_project(call: Call, given: CreateProject) -> Seen | None:
    """The project of this name that was begun since the flow would have, whoever did; under another name it isn't
    known to be the same."""
    async for project in _projects(call):
        if _called(project, given.name) and _since(call, project):
            made = _project(project)
            return Seen(f"project {made.name}", _due(given.due, project), made.url, made)
    return None


async def look_for_task(call: Call, given: CreateProjectTask) -> Seen | None:
    """The project's task of this name, whoever made it."""
    async for task in listed(call, "tasks", _TASK, project=given.project_id):
        if _called(task, given.name):
            made = _task(task)
            return Seen(f"task {task['name']}", _due(given.due, task), made.url, made)
    return None


@action(CREATE_PROJECT, repeat=LookUp(find_project), look=look_for_project)
async def create_project(call: Call, given: CreateProject) -> Project:
    """`POST projects`, or `instantiateProject` of a template. The reference is a line of the notes. Also raises Refused
    (unknown-template)."""
    settings = settings_of(call)
    if given.template:
        template = await _template(call, given.template)
        data = {"name": given.name, "team": settings.team}
        path = f"project_templates/{template}/instantiateProject"
        made = await _made_by(call, await send(call, "POST", path, data, ("status", "new_project")))
        return _project(await _describe(call, made, given))
    data = {
        "name": given.name,
        "notes": with_reference(given.notes, given.reference),
        "workspace": settings.workspace,
        "team": settings.team,
        "due_on": given.due.isoformat() if given.due else "",
    }
    return _project(await send(call, "POST", "projects", data, _PROJECT))


@action(CREATE_TASK, repeat=LookUp(find_task), look=look_for_task)
async def create_task(call: Call, given: CreateProjectTask) -> ProjectTask:
    """`POST tasks`, then a subtask for each step. The reference is a line of the notes: `external` ids are for OAuth
    apps only."""
    data = {
        "name": given.name,
        "notes": with_reference(given.notes, given.reference),
        "projects": [given.project_id],
        "assignee": given.assignee,
        "due_on": given.due.isoformat() if given.due else "",
    }
    task = await send(call, "POST", "tasks", data, _TASK)
    await _add_steps(call, task, given.checklist, new=True)
    return _task(task)


@action(COMPLETE_TASK, repeat=Upsert("the task's gid: a task that is done stays so"))
async def complete_task(call: Call, given: CompleteTask) -> ProjectTask:
    return _task(await send(call, "PUT", f"tasks/{given.task_id}", {"completed": True}, _TASK))


ACTIONS = (create_project, create_task, complete_task)


def _projects(call: Call) -> AsyncIterator[Record]:
    return listed(call, "projects", _PROJECT, workspace=settings_of(call).workspace, archived="false")


async def _template(call: Call, wanted: str) -> str:
    """Its gid. Raises Refused when there is none, or several, of that name."""
    known = call.connection.remembered.get(f"template/{wanted}")
    if known:
        return known
    names: dict[str, str] = {}
    async for template in listed(call, "project_templates", ("name",), workspace=settings_of(call).workspace):
        names[template["gid"]] = template["name"]
    found = [gid for gid, name in names.items() if wanted == gid or wanted.casefold() == name.casefold()]
    if len(found) != 1:
        raise Refused(
            f"Asana has {'several project templates' if found else 'no project template'} called '{wanted}'.",
            cause=f"unknown-template:{wanted}",
            remedy="Let the flow name one by its gid: "
            + (", ".join(f"{name} ({gid})" for gid, name in names.items()) or "there are none"),
        )
    call.connection.remembered[f"template/{wanted}"] = found[0]
    return found[0]


async def _made_by(call: Call, job: Record) -> Record:
    """The project that a job makes, once it is done. Raises Refused when it fails, OutcomeUnknown when it takes too
    long."""
    ends, pause = asyncio.get_running_loop().time() + call.api.timeout.total_seconds(), _FIRST_PAUSE
    while job["status"] in ("not_started", "in_progress"):
        if asyncio.get_running_loop().time() > ends:
            raise OutcomeUnknown("Asana is still making the project of the template.", cause="still-going")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        job = await read(call, f"jobs/{job['gid']}", ("status", "new_project"))
    if job["status"] != "succeeded":
        raise Refused(
            "Asana couldn't make a project of the template.",
            cause="template-failed",
            remedy="Try the template there; then send it again.",
        )
    made: Record = job["new_project"]
    return made


async def _describe(call: Call, project: Record, given: CreateProject) -> Record:
    """Add what a template knows nothing of to what it says."""
    path = f"projects/{project['gid']}"
    notes = "\n\n".join(filter(None, ((await read(call, path, ("notes",)))["notes"], given.notes)))
    data = {"notes": with_reference(notes, given.reference), "due_on": given.due.isoformat() if given.due else ""}
    return await send(call, "PUT", path, data, _PROJECT)


async def _add_steps(call: Call, task: Record, steps: tuple[str, ...], *, new: bool = False) -> None:
    """The subtasks that a task lacks, and their order, which is undefined for new ones. A `new` task has none yet."""
    if not steps:
        return
    path = f"tasks/{task['gid']}/subtasks"
    there = Counter[str]() if new else Counter([each["name"] async for each in listed(call, path, ("name",))])
    for step in steps:
        if there[step]:
            there[step] -= 1
        else:
            await send(call, "POST", path, {"name": step}, ("name",))
    subtasks = [each async for each in listed(call, path, ("name",))]
    if [each["name"] for each in subtasks] == list(steps):
        return
    before = ""
    for step in steps:
        subtask = next(each for each in subtasks if each["name"] == step)
        subtasks.remove(subtask)
        if before:
            order = {"parent": task["gid"], "insert_after": before}
            await send(call, "POST", f"tasks/{subtask['gid']}/setParent", order, ("name",))
        before = subtask["gid"]


def _oldest(call: Call) -> datetime:
    return call.since - _MARGIN if call.since else call.clock() - _LOOK_BACK


def _since(call: Call, record: Record) -> bool:
    """Whether it was made since the action was first tried."""
    return call.since is None or parse_time(record["created_at"]) >= call.since - _MARGIN


def _called(record: Record, name: str) -> bool:
    return str(record["name"]).strip().casefold() == name.strip().casefold()


def _due(wanted: date | None, record: Record) -> tuple[Compared, ...]:
    return (Compared("due", wanted.isoformat(), record.get("due_on") or ""),) if wanted else ()


def _project(record: Record) -> Project:
    return Project(id=record["gid"], name=record["name"], url=record.get("permalink_url") or "")


def _task(record: Record) -> ProjectTask:
    return ProjectTask(id=record["gid"], url=record.get("permalink_url") or "")
