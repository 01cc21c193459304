"""The clients, jobs and time sheets of a practice account, and what Jobber refuses about them."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.kit.references import reference_of, with_reference
from bellwire.events import Customer
from bellwire.practice.jobber.schema import Node, connection
from bellwire.practice.roles import Clocked, WorkOrder

ACCOUNT = {"id": "MQ==", "name": "Hill Heating"}
USERS = (
    {"id": "VTE=", "name": {"full": "Kim Field", "first": "Kim", "last": "Field"}, "email": "kim@example.com"},
    {"id": "VTI=", "name": {"full": "Lee Mills", "first": "Lee", "last": "Mills"}, "email": "lee@example.com"},
)

_CLOSED = ("archived", "requires_invoicing")


@dataclass
class Office:
    """Records by their ids. `unindexed` are the ids of clients that searches don't find yet."""

    clients: dict[str, Node] = field(default_factory=dict)
    properties: dict[str, Node] = field(default_factory=dict)
    jobs: dict[str, Node] = field(default_factory=dict)
    notes: dict[str, Node] = field(default_factory=dict)
    times: dict[str, Node] = field(default_factory=dict)
    visits: dict[str, Node] = field(default_factory=dict)
    unindexed: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # What people do there

    def add_client(self, given: Node, *, at: datetime | None = None) -> Node:
        person = " ".join(filter(None, (given.get("firstName"), given.get("lastName"))))
        company = given.get("companyName") or None
        made: Node = {
            "id": self._id("Client"),
            "name": company if given.get("isCompany") and company else person or company or "",
            "firstName": given.get("firstName") or "",
            "lastName": given.get("lastName") or "",
            "companyName": company,
            "emails": [{"primary": True, **each} for each in given.get("emails") or ()],
            "phones": [{"primary": True, **each} for each in given.get("phones") or ()],
            "createdAt": iso(at or system_clock()),
        }
        self.clients[made["id"]] = made
        for each in given.get("properties") or ():
            self.add_property(made["id"], each["address"])
        return made

    def add_property(self, client_id: str, address: Node) -> Node:
        made: Node = {"id": self._id("Property"), "client": client_id, "address": address}
        self.properties[made["id"]] = made
        return made

    def add_job(self, given: Node, *, at: datetime | None = None) -> Node:
        number, now = next(self._numbers), iso(at or system_clock())
        start, end = _span(given)
        lines = given.get("lineItems") or ()
        made: Node = {
            "id": _encoded("Job", number),
            "jobNumber": number,
            "title": given.get("title"),
            "instructions": given.get("instructions"),
            "property": given["propertyId"],
            "assigned": (given.get("scheduling") or {}).get("assignedTo") or [],
            "jobStatus": "upcoming" if start else "unscheduled",
            "startAt": start,
            "endAt": end,
            "completedAt": None,
            "createdAt": now,
            "updatedAt": now,
            "total": sum(line["quantity"] * line["unitPrice"] for line in lines) + 0.0,
        }
        self.jobs[made["id"]] = made
        if start and (given.get("scheduling") or {}).get("createVisits"):
            self._plan_visits(made)
        return made

    def add_visit(self, job_id: str, start: datetime, end: datetime, *, all_day: bool = False) -> Node:
        made: Node = {"id": self._id("Visit"), "job": job_id, "allDay": all_day, "isComplete": False}
        made |= {"startAt": iso(start), "endAt": iso(end)}
        self.visits[made["id"]] = made
        return made

    def _plan_visits(self, job: Node) -> None:
        """One for each of its days, at the same times."""
        first, last = parse_time(job["startAt"]), parse_time(job["endAt"])
        for day in range((last.date() - first.date()).days + 1):
            start = first + timedelta(days=day)
            self.add_visit(job["id"], start, datetime.combine(start.date(), last.timetz()))

    def change(self, job_id: str, changes: Node, *, at: datetime | None = None) -> Node:
        self.jobs[job_id] |= {**changes, "updatedAt": iso(at or system_clock())}
        return self.jobs[job_id]

    def clock(
        self, job_id: str, start: datetime, seconds: int, *, user: int = 0, ticking: bool = False, visit: str = ""
    ) -> Node:
        """Time that somebody spent, or still spends."""
        made: Node = {"id": self._id("TimeSheetEntry"), "job": job_id, "user": user, "ticking": ticking, "visit": visit}
        made |= {"startAt": iso(start), "finalDuration": seconds}
        self.times[made["id"]] = made
        return made

    def work(self, job_id: str, start: datetime, minutes: int | None) -> None:
        """Whoever is on the clock stops it; beside them, the next of the staff enters theirs."""
        entered = [each for each in self.times.values() if each["job"] == job_id]
        running = next((each for each in entered if each["ticking"]), None)
        if running and minutes is not None:
            running |= {"ticking": False, "finalDuration": 60 * minutes}
        else:
            user = len(entered) % len(USERS)
            self.clock(job_id, start, 60 * (minutes or 0), user=user, ticking=minutes is None)

    def take_on(self, customer: Customer, title: str, reference: str, start: datetime | None) -> Node:
        """A client of one name, with a place of work, and the job there, with a visit of an hour if it has a start."""
        emails = [{"address": customer.email}] if customer.email else []
        phones = [{"number": customer.phone}] if customer.phone else []
        client = self.add_client({"firstName": customer.name, "emails": emails, "phones": phones})
        place = self.add_property(client["id"], {"street1": "1 Main St", "city": "Austin"})
        job = self.add_job(
            {
                "propertyId": place["id"],
                "title": title,
                "instructions": with_reference("", reference) if reference else None,
            }
        )
        if start:
            self.add_visit(job["id"], start, start + timedelta(hours=1))
        return job

    def complete(self, job_id: str, at: datetime) -> None:
        """Its visits are done; to close it is left to the office."""
        for visit in self._visits_of(job_id):
            visit["isComplete"] = True
        self.change(job_id, {"completedAt": iso(at), "jobStatus": "action_required"}, at=at)

    def work_orders(self) -> list[WorkOrder]:
        return [
            WorkOrder(
                job["id"],
                str(job["jobNumber"]),
                reference_of(job["instructions"]),
                [note["message"] for note in self.notes.values() if note["job"] == job["id"]],
                job["jobStatus"] in _CLOSED,
            )
            for job in self.jobs.values()
        ]

    def clocked(self) -> list[Clocked]:
        return [
            Clocked(
                each["id"],
                reference_of(self.jobs[each["job"]]["instructions"]),
                str(USERS[each["user"]]["email"]),
                parse_time(each["startAt"]),
            )
            for each in self.times.values()
        ]

    # The API

    def root(self) -> Node:
        return {
            "account": ACCOUNT,
            "client": lambda _info, id: self._client(self.clients.get(id)),  # noqa: A006 - the argument's name
            "clients": self._find_clients,
            "job": lambda _info, id: self._job(self.jobs.get(id)),  # noqa: A006
            "jobs": self._list_jobs,
            "users": connection(lambda: USERS, lambda user: user | {"email": {"raw": user["email"], "isValid": True}}),
            "visits": self._list_visits,
            "clientCreate": self._create_client,
            "propertyCreate": self._create_property,
            "jobCreate": self._create_job,
            "jobCreateNote": self._create_note,
            "jobClose": self._close,
            "visitStartTimer": self._start_timer,
        }

    def _find_clients(
        self,
        info: Any,
        filter: Node | None = None,  # noqa: A002 - the arguments' names
        searchTerm: str = "",  # noqa: N803
        **page: Any,
    ) -> Node:
        since = ((filter or {}).get("createdAt") or {}).get("after")
        words = searchTerm.casefold()
        found = [
            client
            for client in self.clients.values()
            if (not since or parse_time(client["createdAt"]) > parse_time(since))
            and (not words or (words in _searchable(client) and client["id"] not in self.unindexed))
        ]
        return connection(lambda: found, self._client)(info, **page)

    def _list_jobs(self, info: Any, sort: list[Node] | None = None, **page: Any) -> Node:
        found = list(self.jobs.values())
        for each in sort or ():
            if each["key"] == "UPDATED_AT":
                found.sort(key=lambda job: job["updatedAt"], reverse=each["direction"] == "DESCENDING")
        return connection(lambda: found, self._job)(info, **page)

    def _list_visits(self, info: Any, filter: Node | None = None, **page: Any) -> Node:  # noqa: A002
        wanted = filter or {}
        since, before = (wanted.get("startAt", {}).get(name) for name in ("after", "before"))
        found = [
            visit
            for visit in self.visits.values()
            if (not since or parse_time(visit["startAt"]) > parse_time(since))
            and (not before or parse_time(visit["startAt"]) < parse_time(before))
            # Null asks for what nobody is to do.
            and ("assignedTo" not in wanted or wanted["assignedTo"] in self._assigned(visit))
        ]
        return connection(lambda: sorted(found, key=lambda visit: visit["startAt"]), self._visit)(info, **page)

    def _create_client(self, _info: Any, input: Node) -> Node:  # noqa: A002
        if not any(input.get(name) for name in ("firstName", "lastName", "companyName")):
            return {"client": None, "userErrors": _wrong("Name can't be blank", "input", "firstName")}
        if any("@" not in each.get("address", "") for each in input.get("emails") or ()):
            return {"client": None, "userErrors": _wrong("Email is invalid", "input", "emails")}
        return {"client": self._client(self.add_client(input)), "userErrors": []}

    def _create_property(self, _info: Any, clientId: str, input: Node) -> Node:  # noqa: A002, N803
        if clientId not in self.clients:
            return {"properties": [], "userErrors": _wrong("Client not found", "clientId")}
        made = [self.add_property(clientId, each["address"]) for each in input.get("properties") or ()]
        return {"client": self._client(self.clients[clientId]), "properties": made, "userErrors": []}

    def _create_job(self, _info: Any, input: Node) -> Node:  # noqa: A002
        if input["propertyId"] not in self.properties:
            return {"job": None, "userErrors": _wrong("Property not found", "input", "propertyId")}
        if input["invoicing"] == {"invoicingType": "FIXED_PRICE", "invoicingSchedule": "PER_VISIT"}:
            message = "If invoicing type is FIXED_PRICE invoicing schedule can not be PER_VISIT"
            return {"job": None, "userErrors": _wrong(message, "input", "invoicing")}
        known = {user["id"] for user in USERS}
        if not known.issuperset((input.get("scheduling") or {}).get("assignedTo") or ()):
            return {"job": None, "userErrors": _wrong("User not found", "input", "scheduling", "assignedTo")}
        return {"job": self._job(self.add_job(input)), "userErrors": []}

    def _create_note(self, _info: Any, jobId: str, input: Node) -> Node:  # noqa: A002, N803
        if jobId not in self.jobs or not input.get("message"):
            return {"jobNote": None, "userErrors": _wrong("Job or message is missing", "jobId")}
        made = {"id": self._id("JobNote"), "job": jobId, "message": input["message"], "createdAt": iso(system_clock())}
        self.notes[made["id"]] = made
        return {"job": self._job(self.jobs[jobId]), "jobNote": made, "userErrors": []}

    def _close(self, _info: Any, jobId: str, input: Node) -> Node:  # noqa: A002, N803
        job = self.jobs.get(jobId)
        if job is None or job["jobStatus"] in _CLOSED:
            return {"job": None, "userErrors": _wrong("Job is not open", "jobId")}
        now = system_clock()
        for visit in self._visits_of(jobId):
            if parse_time(visit["startAt"]) > now:
                del self.visits[visit["id"]]
            else:
                visit["isComplete"] = True
        done = {"jobStatus": "requires_invoicing", "completedAt": job["completedAt"] or iso(now)}
        return {"job": self._job(self.change(jobId, done)), "userErrors": []}

    def _start_timer(self, _info: Any, visitId: str, userId: str = "", startAt: str = "") -> Node:  # noqa: N803
        visit, user = (
            self.visits.get(visitId),
            next((at for at, each in enumerate(USERS) if each["id"] == userId), None),
        )
        if visit is None or user is None:
            return {"timeSheetEntry": None, "userErrors": _wrong("Visit or user is missing", "visitId")}
        if visit["isComplete"]:
            message = "Timers can't be started for completed visits"
            return {"timeSheetEntry": None, "userErrors": _wrong(message, "visitId")}
        made = self.clock(
            visit["job"], parse_time(startAt or iso(system_clock())), 0, user=user, ticking=True, visit=visitId
        )
        return {"timeSheetEntry": self._time(made), "userErrors": []}

    # As they are shown

    def _client(self, client: Node | None) -> Any:
        if client is None:
            return None
        places = [each for each in self.properties.values() if each["client"] == client["id"]]
        ids = {each["id"] for each in places}
        jobs = [job for job in self.jobs.values() if job["property"] in ids]
        return client | {
            "clientProperties": connection(lambda: places, lambda each: each),
            "jobs": connection(lambda: jobs, self._job),
        }

    def _job(self, job: Node | None) -> Any:
        if job is None:
            return None
        place = self.properties[job["property"]]
        times = [each for each in self.times.values() if each["job"] == job["id"]]
        notes = [each for each in self.notes.values() if each["job"] == job["id"]]
        return job | {
            "jobberWebUri": f"https://secure.getjobber.com/jobs/{job['jobNumber']}",
            "property": place,
            "client": lambda _info: self._client(self.clients[place["client"]]),
            "visits": connection(lambda: self._visits_of(job["id"]), self._visit),
            "timeSheetEntries": connection(lambda: times, self._time),
            "notes": connection(lambda: notes, lambda each: each | {"__typename": "JobNote"}),
        }

    def _visit(self, visit: Node) -> Node:
        job = self.jobs[visit["job"]]
        shown = self._job(job)
        return visit | {"title": job["title"], "job": shown, "property": shown["property"], "client": shown["client"]}

    def _time(self, entry: Node) -> Node:
        visit = self.visits.get(entry["visit"])
        return entry | {"user": USERS[entry["user"]], "visit": visit and (lambda _info: self._visit(visit))}

    def _visits_of(self, job_id: str) -> list[Node]:
        return [visit for visit in self.visits.values() if visit["job"] == job_id]

    def _assigned(self, visit: Node) -> list[str | None]:
        return list(self.jobs[visit["job"]]["assigned"]) or [None]

    def _id(self, kind: str) -> str:
        return _encoded(kind, next(self._numbers))


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _encoded(kind: str, number: int) -> str:
    return base64.b64encode(f"gid://Jobber/{kind}/{number}".encode()).decode()


def _searchable(client: Node) -> str:
    parts = [client["name"], client["companyName"] or "", *(each["address"] for each in client["emails"])]
    return " ".join([*parts, *(each["number"] for each in client["phones"])]).casefold()


def _span(given: Node) -> tuple[str | None, str | None]:
    """From the first day's start to the last day's end; the practice account is in UTC."""
    frame, plan = given.get("timeframe"), given.get("scheduling")
    if not frame or not plan or not plan.get("startTime"):
        return None, None
    first = date.fromisoformat(frame["startAt"])
    last = first + timedelta(days=(frame.get("durationValue") or 1) - 1)
    begins, ends = (time.fromisoformat(plan[name]) for name in ("startTime", "endTime"))
    return iso(datetime.combine(first, begins, UTC)), iso(datetime.combine(last, ends, UTC))


def _wrong(message: str, *path: str) -> list[Node]:
    return [{"message": message, "path": list(path)}]
