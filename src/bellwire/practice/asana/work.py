"""Projects, tasks and templates of a practice workspace, and what Asana refuses about them."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from starlette.responses import JSONResponse

from bellwire.clock import parse_time, system_clock

Record = dict[str, Any]

WORKSPACE = {"gid": "31337", "resource_type": "workspace", "name": "Hill Tea"}
TEAM = {"gid": "14916", "resource_type": "team", "name": "Packing"}
USERS = {
    "kim@example.com": {"gid": "12345", "resource_type": "user", "name": "Kim"},
    "robin@example.com": {"gid": "12346", "resource_type": "user", "name": "Robin Hill"},
}
_WRITABLE = {
    "project": {"name", "notes", "workspace", "team", "due_on", "archived"},
    "task": {"name", "notes", "workspace", "projects", "assignee", "due_on", "completed"},
}


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"errors": [{"message": message, "help": "https://developers.asana.com"}]}, status)


@dataclass
class Work:
    """`told` is called for each thing that happens to a task: the projects it is in, and Asana's event."""

    told: Callable[[Sequence[str], Record], None]
    projects: dict[str, Record] = field(default_factory=dict)
    tasks: dict[str, Record] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=lambda: {"7001": "Installation", "7002": "Tasting"})
    """gid → name."""
    jobs: dict[str, Record] = field(default_factory=dict)
    going: int = 1
    """How many looks a job takes until it is done."""
    ending: str = "succeeded"
    """How jobs end."""
    offsets: dict[str, int] = field(default_factory=dict)
    _gids: Iterator[int] = field(default_factory=lambda: count(1_200_000_001))

    def __post_init__(self) -> None:
        self.add_project({"name": "Orders"})

    # What people do there

    def add_project(self, given: Mapping[str, Any]) -> Record:
        gid, now = str(next(self._gids)), iso(system_clock())
        made = {
            "gid": gid,
            "resource_type": "project",
            "name": "",
            "notes": "",
            "archived": False,
            "due_on": None,
            "created_at": now,
            "modified_at": now,
            "workspace": WORKSPACE,
            "permalink_url": f"https://app.asana.com/0/{gid}/list",
            **given,
        }
        self.projects[gid] = made
        return made

    def add_task(
        self, given: Mapping[str, Any], *projects: str, parent: str = "", at: datetime | None = None
    ) -> Record:
        gid, now = str(next(self._gids)), iso(at or system_clock())
        made = {
            "gid": gid,
            "resource_type": "task",
            "resource_subtype": "default_task",
            "name": "",
            "notes": "",
            "assignee": None,
            "completed": False,
            "completed_at": None,
            "due_on": None,
            "created_at": now,
            "modified_at": now,
            "parent": {"gid": parent, "resource_type": "task"} if parent else None,
            "memberships": [{"project": compact(self.projects[each])} for each in projects],
            "permalink_url": f"https://app.asana.com/0/0/{gid}/f",
            **given,
        }
        # What is new comes first.
        self.tasks = {gid: made} | self.tasks
        self._tell(made, "added", now, parent=compact(self.projects[projects[0]]) if projects else None)
        return made

    def change(self, gid: str, given: Mapping[str, Any], *, at: datetime | None = None) -> Record:
        task, now = self.tasks[gid], iso(at or system_clock())
        new = {name: value for name, value in given.items() if task[name] != value}
        if "completed" in new:
            task["completed_at"] = now if new["completed"] else None
        task |= new | ({"modified_at": now} if new else {})
        for name in new:
            self._tell(task, "changed", now, change={"field": name, "action": "changed"})
        return task

    def delete(self, gid: str) -> None:
        self._tell(self.tasks.pop(gid), "deleted", iso(system_clock()))

    def _tell(self, task: Record, action: str, now: str, **more: Any) -> None:
        within = [each["project"]["gid"] for each in task["memberships"]]
        about = {"gid": task["gid"], "resource_type": "task", "resource_subtype": "default_task"}
        user = {"gid": "12345", "resource_type": "user"}
        event = {"user": user, "created_at": now, "action": action, "resource": about, "parent": None}
        self.told(within, event | more)

    # The API

    def create_project(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        fields = self._checked("project", given)
        if not fields.get("name"):
            raise Refusal(400, "name: Missing input")
        if given.get("workspace") != WORKSPACE["gid"]:
            raise Refusal(400, "workspace: Not a recognized ID")
        return self.add_project(fields | {"workspace": WORKSPACE})

    def update_project(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        found = self._find(self.projects, path["gid"])
        found |= self._checked("project", given) | {"modified_at": iso(system_clock())}
        return found

    def instantiate(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        if path["gid"] not in self.templates:
            raise Refusal(404, f"Unknown object: {path['gid']}")
        if not given.get("name"):
            raise Refusal(400, "name: Missing input")
        project = self.add_project({"name": given["name"], "notes": "As we always do it"})
        self.add_task({"name": "Unpack"}, project["gid"])
        gid = str(next(self._gids))
        job = {"gid": gid, "resource_type": "job", "resource_subtype": "instantiate_project", "looks": self.going}
        self.jobs[gid] = job | {"new_project": compact(project)}
        return self._job(gid)

    def job(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        found = self._find(self.jobs, path["gid"])
        found["looks"] -= 1
        return self._job(path["gid"])

    def _job(self, gid: str) -> Record:
        job = self.jobs[gid]
        told = {name: value for name, value in job.items() if name != "looks"}
        return told | {"status": "in_progress" if job["looks"] > 0 else self.ending}

    def create_task(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        parent = path.get("gid", "")
        projects = given.get("projects") or []
        if parent:
            self._find(self.tasks, parent)
        elif not projects and given.get("workspace") != WORKSPACE["gid"]:
            raise Refusal(400, "You should specify one of workspace, parent, projects")
        for each in projects:
            if each not in self.projects:
                raise Refusal(400, f"projects: [0]: Not a recognized ID: {each}")
        return self.add_task(self._checked("task", given), *projects, parent=parent)

    def update_task(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        self._find(self.tasks, path["gid"])
        return self.change(path["gid"], self._checked("task", given))

    def set_parent(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        moved = self._find(self.tasks, path["gid"])
        if self._find(self.tasks, given["insert_after"])["parent"] != moved["parent"]:
            raise Refusal(400, "insert_after: Not a subtask of the parent")
        del self.tasks[moved["gid"]]
        ordered: dict[str, Record] = {}
        for gid, task in self.tasks.items():
            ordered[gid] = task
            if gid == given["insert_after"]:
                ordered[moved["gid"]] = moved
        self.tasks = ordered
        return moved

    def read_project(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        return self._find(self.projects, path["gid"])

    def read_task(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        return self._find(self.tasks, path["gid"])

    def list_projects(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> list[Record]:
        if query.get("workspace") != WORKSPACE["gid"]:
            raise Refusal(400, "workspace: Not a recognized ID")
        archived = query.get("archived")
        return [each for each in self.projects.values() if archived in (None, str(each["archived"]).lower())]

    def list_templates(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> list[Record]:
        return [{"gid": gid, "resource_type": "project_template", "name": n} for gid, n in self.templates.items()]

    def list_tasks(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> list[Record]:
        self._find(self.projects, query.get("project", ""))
        since = parse_time(query.get("modified_since", "1970-01-01T00:00:00Z"))
        return [
            task
            for task in self.tasks.values()
            if query["project"] in [each["project"]["gid"] for each in task["memberships"]]
            and parse_time(task["modified_at"]) >= since
        ]

    def list_subtasks(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> list[Record]:
        self._find(self.tasks, path["gid"])
        return [task for task in self.tasks.values() if (task["parent"] or {}).get("gid") == path["gid"]]

    def paged(self, found: list[Record], query: Mapping[str, str], path: str) -> Record:
        """A page of it. Offsets are good once it was there, until they are forgotten."""
        limit, offset = int(query.get("limit", "100")), query.get("offset", "")
        if not 1 <= limit <= 100:
            raise Refusal(400, "limit: Must be between 1 and 100")
        if offset and offset not in self.offsets:
            raise Refusal(400, "offset: Your pagination token has expired.")
        start = self.offsets.get(offset, 0)
        if start + limit >= len(found):
            return {"data": found[start:], "next_page": None}
        following = secrets.token_hex(8)
        self.offsets[following] = start + limit
        uri = f"https://app.asana.com/api/1.0{path}?limit={limit}&offset={following}"
        return {
            "data": found[start : start + limit],
            "next_page": {"offset": following, "path": f"{path}?offset={following}", "uri": uri},
        }

    @staticmethod
    def _find(among: Mapping[str, Record], gid: str) -> Record:
        if gid not in among:
            raise Refusal(404, f"Unknown object: {gid}")
        return among[gid]

    @staticmethod
    def _checked(kind: str, given: Record) -> Record:
        """The fields as they are kept, as far as Asana takes them."""
        for name in given:
            if name not in _WRITABLE[kind]:
                raise Refusal(400, f"{name}: Unrecognized field")
        if given.get("due_on"):
            try:
                date.fromisoformat(given["due_on"])
            except ValueError as error:
                raise Refusal(400, f"due_on: Not a valid date: {given['due_on']}") from error
        kept = {name: value for name, value in given.items() if name not in ("workspace", "projects", "team")}
        if wanted := given.get("assignee"):
            known = [user for email, user in USERS.items() if wanted in (email, user["gid"])]
            if not known:
                raise Refusal(400, f"assignee: Not a user in the workspace: {wanted}")
            kept["assignee"] = known[0]
        return kept


def compact(record: Record) -> Record:
    return {name: record[name] for name in ("gid", "resource_type", "name")}


def iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
