"""What is asked of a calendar server and what it answers: WebDAV (RFC 4918) and CalDAV (RFC 4791) in XML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from bellwire.connectors.kit import Answer
from bellwire.errors import Transient

DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
WHO = "<d:current-user-principal/><d:resourcetype/>"
HOME = "<c:calendar-home-set/>"
CALENDARS = (
    "<d:resourcetype/><d:displayname/><c:supported-calendar-component-set/><d:current-user-privilege-set/>"
    "<d:supported-report-set/>"
)


@dataclass(frozen=True)
class Resource:
    """One thing of an answer."""

    url: str
    """Whole."""
    gone: bool
    props: Mapping[str, Element] = field(repr=False)
    """Those that it has."""

    def text(self, name: str) -> str:
        found = self.props.get(name)
        return (found.text or "").strip() if found is not None else ""

    def href(self, name: str) -> str:
        """The whole address that a property names; empty: none."""
        found = self.props.get(name)
        named = found.findtext(f"{DAV}href", "").strip() if found is not None else ""
        return urljoin(self.url, named) if named else ""

    def holds(self, name: str, *tags: str) -> bool:
        found = self.props.get(name)
        return found is not None and any(found.find(f".//{tag}") is not None for tag in tags)


@dataclass(frozen=True)
class Resources:
    """An answer with several statuses (207)."""

    all: tuple[Resource, ...]
    sync_token: str = ""


def propfind(props: str) -> bytes:
    return _document(f"<d:propfind {_NAMES}><d:prop>{props}</d:prop></d:propfind>")


def changes_since(token: str) -> bytes:
    """RFC 6578, 3.2; without a token, all that is there."""
    return _document(
        f"<d:sync-collection {_NAMES}><d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>"
        "<d:prop><d:getetag/></d:prop></d:sync-collection>"
    )


def multiget(paths: list[str]) -> bytes:
    """RFC 4791, 7.9."""
    hrefs = "".join(f"<d:href>{escape(path)}</d:href>" for path in paths)
    return _document(
        f"<c:calendar-multiget {_NAMES}><d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    )


def by_uid(uid: str) -> bytes:
    return _query(
        "<d:getetag/>",
        f'<c:prop-filter name="UID"><c:text-match collation="i;octet">{escape(uid)}</c:text-match></c:prop-filter>',
    )


def between(start: str, end: str) -> bytes:
    """All that takes place between two times in UTC (`20260301T000000Z`), each repetition by itself."""
    return _query(
        f'<c:calendar-data><c:expand start="{start}" end="{end}"/></c:calendar-data>',
        f'<c:time-range start="{start}" end="{end}"/>',
    )


def _query(props: str, condition: str) -> bytes:
    """RFC 4791, 7.8."""
    return _document(
        f"<c:calendar-query {_NAMES}><d:prop>{props}</d:prop><c:filter>"
        f'<c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">{condition}</c:comp-filter></c:comp-filter>'
        "</c:filter></c:calendar-query>"
    )


def _document(content: str) -> bytes:
    return b'<?xml version="1.0" encoding="utf-8"?>' + content.encode()


def parse(body: bytes) -> Element | None:
    """None for what isn't XML, or has something in it that harms who reads it."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    return root


def read(answer: Answer, url: str) -> Resources:
    """The resources of an answer to a request at `url`. Raises Transient when it isn't one."""
    root = parse(answer.body)
    if root is None or root.tag != f"{DAV}multistatus":
        raise Transient(
            "The answer isn't what a calendar server says: a maintenance page, or another kind of server?",
            cause="not-caldav",
            detail=f"{answer.method} {answer.path}: {answer.status} {answer.text[:200]!r}",
            remedy="Check the url of this connection in connections.toml.",
        )
    found = tuple(_resource(each, url) for each in root.iterfind(f"{DAV}response"))
    return Resources(found, root.findtext(f"{DAV}sync-token", "").strip())


def _resource(response: Element, url: str) -> Resource:
    props = {
        prop.tag: prop
        for propstat in response.iterfind(f"{DAV}propstat")
        if " 200" in propstat.findtext(f"{DAV}status", "")
        for prop in propstat.iterfind(f"{DAV}prop/*")
    }
    gone = " 404" in response.findtext(f"{DAV}status", "")
    return Resource(urljoin(url, response.findtext(f"{DAV}href", "").strip()), gone, props)
