"""What changes in the tasks of projects. Webhooks say which task did, and the poll that they wake what it is like now.

https://developers.asana.com/docs/webhooks-guide
"""

import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.asana.api import Record, iso, page
from bellwire.connectors.asana.hooks import SUBSCRIBING, TOPIC
from bellwire.connectors.asana.manifest import settings_of
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of
from bellwire.connectors.kit.references import reference_of
from bellwire.errors import CannotNormalise, NotFound
from bellwire.events import Delivery, Event, Task, what_is_wrong

_POLL = "tasks"
_FIELDS = (
    "name",
    "notes",
    "assignee.name",
    "completed",
    "completed_at",
    "due_on",
    "memberships.project",
    "modified_at",
)


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what Asana describes."""
    try:
        body = delivery.json
        if "task" in body:
            return Normalised(tuple(_events(body["task"], connection)))
        return _webhook(body["events"], connection)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Asana describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _webhook(entries: list[Mapping[str, Any]], connection: Connection) -> Normalised:
    """Only that a task was deleted is told whole."""
    if not entries:
        return Normalised(reason="Asana tried the address, as it does every few hours.")
    tasks = [entry for entry in entries if entry["resource"]["resource_type"] == "task"]
    if not tasks:
        kinds = ", ".join(sorted({entry["resource"]["resource_type"] for entry in entries}))
        return Normalised(reason=f"Bellwire has no use for what happens to: {kinds}.")
    gone = [entry for entry in tasks if entry["action"] == "deleted"]
    return Normalised(
        tuple(_deleted(entry, connection) for entry in gone),
        "Asana says that tasks changed, but not to what.",
        (_POLL,) if len(gone) < len(tasks) else (),
    )


def _deleted(entry: Mapping[str, Any], connection: Connection) -> Event:
    at, gid = parse_time(entry["created_at"]), str(entry["resource"]["gid"])
    return _event("updated", f"deleted/{at.isoformat()}", at, Task(id=gid, deleted=True, updated_at=at), connection)


def _events(record: Record, connection: Connection) -> list[Event]:
    """How a task is now; and that it is done, which is one fact however often it changes afterwards."""
    ours = settings_of(connection).projects
    projects = [each["project"]["gid"] for each in record.get("memberships") or () if each.get("project")]
    found = Task(
        id=str(record["gid"]),
        name=record.get("name") or "",
        project_id=next((gid for gid in projects if gid in ours), projects[0] if projects else ""),
        reference=reference_of(record.get("notes")),
        assignee=(record.get("assignee") or {}).get("name") or "",
        due=date.fromisoformat(record["due_on"]) if record.get("due_on") else None,
        completed=record["completed"],
        updated_at=parse_time(record["modified_at"]),
    )
    changed = f"updated/{found.updated_at.isoformat()}"
    events = [_event("updated", changed, found.updated_at, found, connection)]
    if found.completed and record.get("completed_at"):
        at = parse_time(record["completed_at"])
        events.append(_event("completed", f"completed/{at.isoformat()}", at, found, connection))
    return events


def _event(happened: str, key: str, time: datetime, found: Task, connection: Connection) -> Event:
    subject = f"task/{found.id}"
    return event_of(connection, f"task.{happened}", f"{subject}/{key}", subject, time, found, version=found.updated_at)


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """The tasks of one project after the other. The cursor is the project's gid and, within it, Asana's offset."""
    projects = settings_of(call).projects
    project, _, offset = cursor.partition("/")
    if project not in projects:
        project, offset = projects[0] if projects else "", ""
    if not project:
        return Page(())
    asked = {"project": project, "modified_since": iso(since)}
    records, offset = await page(call, "tasks", _FIELDS, asked, offset)
    following = projects[projects.index(project) + 1 :]
    return Page(
        tuple(Listed(f"task/{r['gid']}/{r['modified_at']}", orjson.dumps({"task": r})) for r in records),
        f"{project}/{offset}" if offset else f"{following[0]}/" if following else "",
    )


def _sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """A task as the poll lists it: webhooks alone say too little."""
    if event_type not in TRIGGERS.event_types:
        raise NotFound(f"Asana brings no {event_type}.", remedy=f"It brings: {', '.join(TRIGGERS.event_types)}.")
    now, done = iso(system_clock()), event_type == "task.completed"
    task = {
        "gid": str(secrets.randbelow(9 * 10**14) + 10**14),
        "name": "Pack order 1001",
        "notes": "Reference: 1001",
        "assignee": {"gid": "12345", "name": "Kim"},
        "completed": done,
        "completed_at": now if done else None,
        "due_on": None,
        "memberships": [{"project": {"gid": gid}} for gid in settings_of(connection).projects[:1]],
        "modified_at": now,
    }
    return {"Content-Type": "application/json"}, orjson.dumps({"task": task})


TRIGGERS = Triggers(
    event_types=("task.updated", "task.completed"),
    normalise=normalise,
    topics=(TOPIC,),
    subscribing=SUBSCRIBING,
    # Asana sends each event at most once.
    polls=(Poll(_POLL, _page, ("task.updated", "task.completed"), every=timedelta(minutes=30)),),
    sample=_sample,
)
