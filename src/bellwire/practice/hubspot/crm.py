"""The records of a practice account, and what HubSpot refuses about them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import unquote

from starlette.responses import JSONResponse

from bellwire.clock import parse_time, system_clock

Record = dict[str, Any]
Query = Mapping[str, str]

PROPERTIES = {
    "contacts": {"email", "firstname", "lastname", "phone", "mobilephone", "company", "createdate", "lastmodifieddate"},
    "deals": {
        *("dealname", "description", "pipeline", "dealstage", "amount", "deal_currency_code", "closedate"),
        *("hubspot_owner_id", "createdate", "hs_lastmodifieddate"),
    },
    "tasks": {
        *("hs_timestamp", "hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_type", "hs_task_priority"),
        *("hubspot_owner_id", "hs_createdate", "hs_lastmodifieddate"),
    },
}
_REQUIRED = {"contacts": (), "deals": ("dealname", "dealstage"), "tasks": ("hs_timestamp",)}
_CHANGED = {"contacts": "lastmodifieddate", "deals": "hs_lastmodifieddate", "tasks": "hs_lastmodifieddate"}
_ANNOUNCED = {"contacts": "contact", "deals": "deal"}
_LINKS = {("deals", 3): "contacts", ("tasks", 204): "contacts"}
_SEARCHABLE = 10_000
STAGES = ("appointmentscheduled", "Appointment scheduled"), ("closedwon", "Closed won"), ("closedlost", "Closed lost")


class Refusal(Exception):
    """A refusal."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        known = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category}
        self.answer = JSONResponse(known | more, status)


@dataclass
class Crm:
    """Contacts, deals and tasks. `unindexed` are the ids of records that searches don't find yet; `untold` is what
    happened since the last webhook."""

    records: dict[str, dict[str, Record]] = field(default_factory=lambda: {kind: {} for kind in PROPERTIES})
    links: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """(contact id, kind) → the ids of what belongs to it."""
    unindexed: set[str] = field(default_factory=set)
    untold: list[Record] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(101))
    _events: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, kind: str, properties: Mapping[str, str], *, at: datetime | None = None) -> Record:
        """A record that somebody made by hand, now or at a time."""
        now = iso(at or system_clock())
        dated = {_CHANGED[kind]: now, "hs_createdate" if kind == "tasks" else "createdate": now}
        made: Record = {**dict.fromkeys(sorted(PROPERTIES[kind])), **properties, **dated}
        record: Record = {
            "id": str(next(self._ids)),
            "properties": made,
            "createdAt": now,
            "updatedAt": now,
            "archived": False,
        }
        self.records[kind][record["id"]] = record
        self._announce(kind, record, "creation", changeFlag="NEW")
        return record

    def change(self, kind: str, record_id: str, properties: Mapping[str, str], *, at: datetime | None = None) -> Record:
        record, now = self.records[kind][record_id], iso(at or system_clock())
        record["properties"] |= {**properties, _CHANGED[kind]: now}
        record["updatedAt"] = now
        for name, value in properties.items():
            self._announce(kind, record, "propertyChange", propertyName=name, propertyValue=value)
        return record

    def delete(self, kind: str, record_id: str) -> None:
        self._announce(kind, self.records[kind].pop(record_id), "deletion", changeFlag="DELETED")

    def _announce(self, kind: str, record: Record, happened: str, **more: Any) -> None:
        if kind in _ANNOUNCED:
            self.untold.append(
                {
                    "eventId": next(self._events),
                    "subscriptionId": 12345,
                    "occurredAt": round(parse_time(record["updatedAt"]).timestamp() * 1000),
                    "subscriptionType": f"{_ANNOUNCED[kind]}.{happened}",
                    "objectId": int(record["id"]),
                    "changeSource": "CRM_UI",
                    **more,
                }
            )

    # Reading

    def search(self, path: Query, query: Query, body: Any) -> Record:
        kind, limit, after = path["kind"], body.get("limit", 10), int(body.get("after") or 0)
        if not 1 <= limit <= 200:
            raise Refusal(400, "VALIDATION_ERROR", "limit must be between 1 and 200")
        if after + limit > _SEARCHABLE:
            raise Refusal(400, "VALIDATION_ERROR", f"No more than {_SEARCHABLE} results can be paged through")
        groups = [group["filters"] for group in body.get("filterGroups", ())]
        found = [
            record
            for record in self.records[kind].values()
            if record["id"] not in self.unindexed
            and (not groups or any(all(_fits(record, each) for each in filters) for filters in groups))
        ]
        for sort in body.get("sorts", ()):
            name, down = sort["propertyName"], sort.get("direction") == "DESCENDING"
            found.sort(key=lambda record: record["properties"].get(name) or "", reverse=down)
        page = [self._shown(record, body.get("properties") or ()) for record in found[after : after + limit]]
        told = {"total": len(found), "results": page}
        more = {"paging": {"next": {"after": str(after + limit)}}} if after + limit < len(found) else {}
        return told | more

    def batch(self, path: Query, query: Query, body: Any) -> Record:
        if len(body["inputs"]) > 100:
            raise Refusal(400, "VALIDATION_ERROR", "The maximum number of inputs supported in a batch request is 100")
        records = self.records[path["kind"]]
        known = (records[each["id"]] for each in body["inputs"] if each["id"] in records)
        now = iso(system_clock())
        shown = [self._shown(record, body["properties"]) for record in known]
        return {"status": "COMPLETE", "results": shown, "startedAt": now, "completedAt": now}

    def read(self, path: Query, query: Query, body: Any) -> Record:
        found = self._find(path, query.get("idProperty", ""))
        return self._shown(found, query.get("properties", "").split(","))

    def _find(self, path: Query, id_property: str = "") -> Record:
        kind, wanted = path["kind"], unquote(path["id"])
        if id_property not in ("", "email"):
            raise Refusal(400, "VALIDATION_ERROR", f"{id_property} is not a unique property")
        found = (
            next((r for r in self.records[kind].values() if r["properties"].get("email") == wanted.lower()), None)
            if id_property
            else self.records[kind].get(wanted)
        )
        if found is None:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        return found

    def associated(self, path: Query, query: Query, body: Any) -> Record:
        contact, kind = path["id"], path["to"]
        if contact not in self.records["contacts"]:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        ids = self.links.get((contact, kind), [])
        limit, after = int(query.get("limit", "500")), int(query.get("after", "0"))
        types = [{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": None}]
        page = [{"toObjectId": int(each), "associationTypes": types} for each in ids[after : after + limit]]
        more = {"paging": {"next": {"after": str(after + limit)}}} if after + limit < len(ids) else {}
        return {"results": page, **more}

    def contacts_of(self, path: Query, query: Query, body: Any) -> Record:
        results = []
        for each in body["inputs"]:
            to = [int(contact) for (contact, kind), ids in self.links.items() if kind == "deals" and each["id"] in ids]
            results.append({"from": {"id": each["id"]}, "to": [{"toObjectId": c, "associationTypes": []} for c in to]})
        now = iso(system_clock())
        found = [each for each in results if each["to"]]
        return {"status": "COMPLETE", "results": found, "startedAt": now, "completedAt": now}

    @staticmethod
    def _shown(record: Record, wanted: Sequence[str]) -> Record:
        """The properties that were asked for, and those that always come."""
        always = {"hs_object_id": record["id"], "createdate": record["createdAt"]}
        told = {name: record["properties"].get(name) for name in wanted if name}
        return record | {"properties": always | told}

    # Writing

    def create(self, path: Query, query: Query, body: Any) -> Record:
        kind, given = path["kind"], self._checked(path["kind"], body)
        missing = [name for name in _REQUIRED[kind] if not given.get(name)]
        if missing:
            raise Refusal(400, "VALIDATION_ERROR", f"Error creating {kind}. Some required properties were not set.")
        for link in body.get("associations") or ():
            kinds = [_LINKS.get((kind, each["associationTypeId"])) for each in link["types"]]
            if None in kinds or link["to"]["id"] not in self.records["contacts"]:
                raise Refusal(400, "VALIDATION_ERROR", f"No contact with ID {link['to']['id']} exists")
        made = self.add(kind, given)
        for link in body.get("associations") or ():
            self.links.setdefault((link["to"]["id"], kind), []).append(made["id"])
        return made

    def update(self, path: Query, query: Query, body: Any) -> Record:
        kind, found = path["kind"], self._find(path)
        return self.change(kind, found["id"], self._checked(kind, body, found["id"]))

    def archive(self, path: Query, query: Query, body: Any) -> None:
        self.delete(path["kind"], self._find(path)["id"])

    def _checked(self, kind: str, body: Record, record_id: str = "") -> dict[str, str]:
        """The properties, as far as HubSpot takes them."""
        given: dict[str, str] = dict(body["properties"])
        for name in given:
            if name not in PROPERTIES[kind]:
                raise _invalid(f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST", name)
        if email := given.get("email"):
            if email.count("@") != 1 or " " in email:
                raise _invalid(f"Email address {email} is invalid", "INVALID_EMAIL", "email")
            given["email"] = email.lower()
            others = self.records["contacts"].values()
            same = next((o for o in others if o["properties"]["email"] == email.lower() and o["id"] != record_id), None)
            if same:
                raise Refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {same['id']}")
        if kind == "deals" and "dealstage" in given and given["dealstage"] not in dict(STAGES):
            raise _invalid(f"{given['dealstage']} was not one of the allowed options", "INVALID_OPTION", "dealstage")
        if given.get("deal_currency_code") not in (None, "USD", "EUR"):
            raise _invalid("The currency is not active in this account", "INVALID_OPTION", "deal_currency_code")
        return given


def _invalid(message: str, code: str, name: str) -> Refusal:
    told = {"message": message, "code": code, "context": {"propertyName": [name]}}
    return Refusal(400, "VALIDATION_ERROR", f"Property values were not valid: {message}", errors=[told])


def _fits(record: Record, wanted: Record) -> bool:
    value = record["properties"].get(wanted["propertyName"])
    match wanted["operator"]:
        case "EQ":
            return bool(value == wanted["value"])
        case "GTE":
            return value is not None and round(parse_time(value).timestamp() * 1000) >= int(wanted["value"])
        case other:
            raise Refusal(400, "VALIDATION_ERROR", f"{other} is not practised")


def iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
