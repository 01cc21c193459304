"""A simulated calendar server, which behaves as Radicale does. It knows no repetition."""

import base64
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from icalendar import Calendar, Event
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.roles import Appointed
from bellwire.practice.simulator import Simulator

_DAV, _CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_METHODS = ["OPTIONS", "PROPFIND", "REPORT", "GET", "PUT", "DELETE", "MKCALENDAR"]
_USER = "practice"
_REFERENCE = "X-BELLWIRE-REFERENCE"
"""Where Bellwire keeps what a flow calls an appointment."""


class _Error(Exception):
    def __init__(self, status: int, precondition: str = "") -> None:
        super().__init__(precondition)
        body = f'<?xml version="1.0"?><error {_NAMES}><{precondition}/></error>' if precondition else ""
        self.answer = Response(body, status, media_type="application/xml" if body else "text/plain")


@dataclass
class Kept:
    """One calendar. `tokens` has, for each that was given out, what was there then."""

    name: str
    writable: bool = True
    objects: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def etags(self) -> dict[str, str]:
        return {name: _etag(text) for name, text in self.objects.items()}

    def token(self) -> str:
        now = self.etags
        given = f"http://radicale.org/ns/sync/{hashlib.sha256(repr(sorted(now.items())).encode()).hexdigest()}"
        self.tokens[given] = now
        return given


@dataclass
class CalDavSimulator(Simulator):
    vendor: ClassVar[str] = "caldav"
    credentials: ClassVar[Mapping[str, str]] = {"username": _USER, "password": "practice"}
    settings: ClassVar[Mapping[str, Any]] = {"url": "http://127.0.0.1/", "calendar": "jobs"}

    calendars: dict[str, Kept] = field(default_factory=lambda: {"jobs": Kept("Jobs")})
    """By the last part of their path."""

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/{path:path}", self._answer, methods=_METHODS)]

    def state(self) -> dict[str, Any]:
        return {"calendars": {name: dict(kept.objects) for name, kept in self.calendars.items()}}

    def made(self) -> Mapping[str, Collection[str]]:
        return {"calendar.put_appointment": [each.id for each in self.appointments()]}

    def appointments(self) -> list[Appointed]:
        return [
            Appointed(
                str(event["UID"]),
                unquote(str(event[_REFERENCE])),
                str(event["SUMMARY"]),
                _utc(event["DTSTART"]),
                _utc(event["DTEND"]),
            )
            for event in self._events()
            if _REFERENCE in event and event.get("STATUS") != "CANCELLED"
        ]

    def _events(self) -> Iterator[Event]:
        for kept in self.calendars.values():
            for text in kept.objects.values():
                yield from (each for each in Calendar.from_ical(text).walk("VEVENT") if isinstance(each, Event))

    def signed_out(self) -> Response:
        return Response("Access to the requested resource forbidden.", 401, {"WWW-Authenticate": "Basic"})

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(headers={"DAV": "1, 2, 3, calendar-access, addressbook, extended-mkcol"})
        pair = f"{self.credentials['username']}:{self.credentials['password']}"
        if request.headers.get("authorization") != "Basic " + base64.b64encode(pair.encode()).decode():
            return self.signed_out()
        parts = [unquote(part) for part in request.path_params["path"].split("/") if part]
        try:
            return self._carry_out(request, parts, await request.body())
        except _Error as error:
            return error.answer

    def _carry_out(self, request: Request, parts: list[str], body: bytes) -> Response:
        if parts == [".well-known", "caldav"]:
            return Response(status_code=301, headers={"Location": "/"})
        if parts[:1] not in ([], [_USER]):
            raise _Error(403)
        match request.method, parts:
            case "PROPFIND", _:
                return self._propfind(parts, request.headers.get("depth", "0"))
            case "REPORT", [_, name]:
                return self._report(name, self._calendar(name), fromstring(body))
            case "MKCALENDAR", [_, name]:
                if name in self.calendars:
                    raise _Error(409, "resource-must-be-null")
                shown = fromstring(body).findtext(f".//{_DAV}displayname") if body else None
                self.calendars[name] = Kept(shown or name)
                return Response(status_code=201)
            case "DELETE", [_, name]:
                self._calendar(name)
                del self.calendars[name]
                return _multistatus([f"{_href(_path(name))}<status>HTTP/1.1 200 OK</status>"], 200)
            case "GET", [_, name, item]:
                text = self._object(name, item)
                return Response(text.encode(), headers={"ETag": _etag(text)}, media_type="text/calendar")
            case "PUT", [_, name, item]:
                return self._put(request.headers, name, item, body)
            case "DELETE", [_, name, item]:
                text = self._object(name, item)
                if request.headers.get("if-match", _etag(text)) != _etag(text):
                    raise _Error(412)
                del self.calendars[name].objects[item]
                return _multistatus([f"{_href(_path(name, item))}<status>HTTP/1.1 200 OK</status>"], 200)
        raise _Error(405)

    def _calendar(self, name: str) -> Kept:
        if name not in self.calendars:
            raise _Error(404)
        return self.calendars[name]

    def _object(self, name: str, item: str) -> str:
        found = self._calendar(name).objects.get(item)
        if found is None:
            raise _Error(404)
        return found

    def _put(self, headers: Mapping[str, str], name: str, item: str, body: bytes) -> Response:
        if name not in self.calendars:
            raise _Error(409)
        kept = self.calendars[name]
        if not kept.writable:
            raise _Error(403)
        text, there = body.decode(), kept.objects.get(item)
        uid = _uid(text)
        wanted = headers.get("if-match")
        if wanted and (there is None or wanted not in ("*", _etag(there))):
            raise _Error(412)
        if there is not None and headers.get("if-none-match") == "*":
            raise _Error(412)
        others = {_uid(other) for other_name, other in kept.objects.items() if other_name != item}
        if uid in others or (there is not None and _uid(there) != uid):
            raise _Error(409, "C:no-uid-conflict")
        kept.objects[item] = text
        return Response(status_code=204 if there is not None else 201, headers={"ETag": _etag(text)})

    def _propfind(self, parts: list[str], depth: str) -> Response:
        who = f"<current-user-principal><href>/{_USER}/</href></current-user-principal>"
        if len(parts) < 2:
            home = f"<C:calendar-home-set><href>/{_USER}/</href></C:calendar-home-set>" if parts else ""
            found = [
                _found(
                    "/" + "".join(f"{part}/" for part in parts),
                    f"{who}{home}<resourcetype><collection/></resourcetype>",
                )
            ]
            if parts and depth == "1":
                found += [self._shown(name) for name in self.calendars]
            return _multistatus(found)
        self._calendar(parts[1])
        return _multistatus([self._shown(parts[1])])

    def _shown(self, name: str) -> str:
        kept = self.calendars[name]
        may = "<privilege><read/></privilege>" + ("<privilege><write/></privilege>" if kept.writable else "")
        return _found(
            _path(name),
            f"<resourcetype><C:calendar/><collection/></resourcetype><displayname>{escape(kept.name)}</displayname>"
            '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
            f"<current-user-privilege-set>{may}</current-user-privilege-set>"
            "<supported-report-set><supported-report><report><sync-collection/></report></supported-report>"
            "</supported-report-set>",
        )

    def _report(self, name: str, kept: Kept, asked: Element) -> Response:
        if asked.tag == f"{_DAV}sync-collection":
            return self._changes(name, kept, asked.findtext(f"{_DAV}sync-token") or "")
        if asked.tag == f"{_CAL}calendar-multiget":
            wanted = [unquote(href.text or "").rpartition("/")[2] for href in asked.iterfind(f"{_DAV}href")]
        elif asked.tag == f"{_CAL}calendar-query":
            wanted = [item for item, text in kept.objects.items() if _fits(text, asked)]
        else:
            raise _Error(403, "supported-report")
        return _multistatus(
            [
                _found(
                    _path(name, item),
                    f"<getetag>{escape(_etag(kept.objects[item]))}</getetag>"
                    f"<C:calendar-data>{escape(kept.objects[item])}</C:calendar-data>",
                )
                if item in kept.objects
                else _gone(_path(name, item))
                for item in wanted
            ]
        )

    def _changes(self, name: str, kept: Kept, token: str) -> Response:
        if token and token not in kept.tokens:
            raise _Error(403, "valid-sync-token")
        before, now = kept.tokens.get(token, {}), kept.etags
        found = [
            _found(_path(name, item), f"<getetag>{escape(etag)}</getetag>")
            for item, etag in now.items()
            if before.get(item) != etag
        ]
        found += [_gone(_path(name, item)) for item in before if item not in now]
        return _multistatus(found, more=f"<sync-token>{kept.token()}</sync-token>")


SIMULATOR = CalDavSimulator


def _etag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()}"'


def _path(name: str, item: str = "") -> str:
    return f"/{_USER}/{quote(name)}/{quote(item)}"


def _href(path: str) -> str:
    return f"<href>{escape(path)}</href>"


def _found(path: str, props: str) -> str:
    status = "<status>HTTP/1.1 200 OK</status>"
    return f"{_href(path)}<propstat><prop>{props}</prop>{status}</propstat>"


def _gone(path: str) -> str:
    return f"{_href(path)}<status>HTTP/1.1 404 Not Found</status>"


def _multistatus(found: list[str], status: int = 207, more: str = "") -> Response:
    content = "".join(f"<response>{each}</response>" for each in found)
    body = f'<?xml version="1.0" encoding="utf-8"?><multistatus {_NAMES}>{content}{more}</multistatus>'
    return Response(body, status, media_type="application/xml")


def _uid(text: str) -> str:
    """Of a calendar object that holds one thing. Raises _Error."""
    try:
        uids = {str(each["UID"]) for each in Calendar.from_ical(text).subcomponents if each.name != "VTIMEZONE"}
    except (ValueError, KeyError):
        uids = set()
    if len(uids) != 1:
        raise _Error(400)
    return uids.pop()


def _fits(text: str, asked: Element) -> bool:
    """Whether an object is what a query's filter asks for: a UID, or a time."""
    wanted = asked.find(f".//{_CAL}prop-filter[@name='UID']/{_CAL}text-match")
    if wanted is not None:
        return wanted.text == _uid(text)
    span = asked.find(f".//{_CAL}filter//{_CAL}time-range")
    if span is None:
        return True
    start, end = _moment(span.attrib["start"]), _moment(span.attrib["end"])
    return any(
        _utc(event["DTSTART"]) < end and _utc(event["DTEND"]) > start
        for event in Calendar.from_ical(text).walk("VEVENT")
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _utc(written: Any) -> datetime:
    """Times that say no zone are taken for UTC."""
    time: date = written.dt
    if not isinstance(time, datetime):
        return datetime(time.year, time.month, time.day, tzinfo=UTC)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
