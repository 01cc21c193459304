"""From the address of a server to a calendar: RFC 6764, 5397 and 4791."""

from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from bellwire.connectors.caldav import xml
from bellwire.connectors.caldav.errors import MISSING, Moved
from bellwire.connectors.caldav.manifest import CalDavSettings
from bellwire.connectors.caldav.xml import CAL, DAV
from bellwire.connectors.kit import Call
from bellwire.errors import Refused, VendorError

_HOPS = 5


@dataclass(frozen=True)
class Calendar:
    url: str
    """Whole, with a slash at its end."""
    name: str
    writable: bool
    tells_changes: bool
    """Whether it has sync-collection."""


async def calendar_url(call: Call, wanted: str = "") -> str:
    """The calendar of this name, or the connection's own. Raises VendorError."""
    name = wanted or call.settings.calendar
    known = call.connection.remembered
    if name not in known:
        known[name] = choose(await calendars(call), name).url
    return known[name]


def forget(call: Call, wanted: str = "") -> None:
    """It isn't where it was."""
    call.connection.remembered.pop(wanted or call.settings.calendar, None)


def choose(found: list[Calendar], name: str) -> Calendar:
    """The calendar of this name (as people see it, or in its address), or the only one. Raises Refused."""
    fitting = [each for each in found if not name or name.casefold() in _names(each)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"'{each.name}'" for each in found) or "none"
    if not name:
        sentence = "There is no calendar yet." if not found else "There are several calendars, and none is named."
    else:
        sentence = f"There is no calendar '{name}'." if not fitting else f"Several calendars are called '{name}'."
    raise Refused(
        sentence,
        cause="unknown-calendar",
        remedy=f"Name one in the flow, or as calendar of this connection in connections.toml. There are: {there}.",
    )


def _names(calendar: Calendar) -> set[str]:
    last = unquote(urlsplit(calendar.url).path).rstrip("/").rpartition("/")[2]
    return {calendar.name.casefold(), last.casefold(), calendar.url.casefold()}


async def calendars(call: Call) -> list[Calendar]:
    """All that the account has, or that are shared with it, for appointments. Raises VendorError."""
    home = await _home(call)
    found = await ask(call, "PROPFIND", home, xml.propfind(xml.CALENDARS), depth=1)
    components = f"{CAL}supported-calendar-component-set"
    return [
        Calendar(
            url=each.url.rstrip("/") + "/",
            name=each.text(f"{DAV}displayname") or unquote(urlsplit(each.url).path.rstrip("/").rpartition("/")[2]),
            writable=f"{DAV}current-user-privilege-set" not in each.props
            or each.holds(f"{DAV}current-user-privilege-set", f"{DAV}write", f"{DAV}write-content", f"{DAV}all"),
            tells_changes=each.holds(f"{DAV}supported-report-set", f"{DAV}sync-collection"),
        )
        for each in found.all
        if each.holds(f"{DAV}resourcetype", f"{CAL}calendar")
        and (components not in each.props or each.holds(components, f"{CAL}comp[@name='VEVENT']"))
    ]


async def _home(call: Call) -> str:
    """Where the account's calendars are."""
    settings: CalDavSettings = call.settings
    principal = ""
    for start in (
        urljoin(settings.url, urlsplit(settings.url).path or "/"),
        urljoin(settings.url, "/.well-known/caldav"),
    ):
        try:
            found = await ask(call, "PROPFIND", start, xml.propfind(xml.WHO))
        except Refused as error:
            if error.cause in (MISSING, "refused-405"):
                continue
            raise
        principal = next((url for each in found.all if (url := each.href(f"{DAV}current-user-principal"))), "")
        if principal:
            break
    if principal:
        found = await ask(call, "PROPFIND", principal, xml.propfind(xml.HOME))
        for each in found.all:
            if home := each.href(f"{CAL}calendar-home-set"):
                return home
    raise Refused(
        "There is no calendar server at this address.",
        cause="no-calendars",
        remedy="Check the url of this connection in connections.toml; that of the provider is in its help.",
    )


async def ask(call: Call, method: str, url: str, body: bytes, *, depth: int = 0) -> xml.Resources:
    """A request that only reads. A redirect is followed by hand: HTTP clients would make another request of it.
    Raises VendorError."""
    headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": str(depth)}
    hops = 0
    while True:
        keep_the_password_home(call, url)
        try:
            return xml.read(await call.api.request(method, url, body=body, headers=headers, writes=False), url)
        except Moved as moved:
            hops += 1
            if hops > _HOPS or not moved.location:
                raise
            url = urljoin(url, moved.location)


def keep_the_password_home(call: Call, url: str) -> None:
    """Raises Refused for an address that isn't the same provider's: the password would go there."""
    home, there = urlsplit(call.settings.url), urlsplit(url)
    if (there.scheme == "https" or there.scheme == home.scheme) and akin(home.hostname or "", there.hostname or ""):
        return
    raise _strange(there.netloc)


def akin(home: str, there: str) -> bool:
    """Whether a host is the same, below it, or beside it (`caldav.example.com` and `p7-caldav.example.com`)."""
    _, _, parent = home.partition(".")
    # Beside `example.co.uk` is the whole country.
    first, _, rest = parent.partition(".")
    shared = "." in parent and ("." in rest or len(rest) > 2 or len(first) > 3) and not home.replace(".", "").isdigit()
    return there == home or there.endswith(f".{home}") or (shared and there.endswith(f".{parent}"))


def _strange(host: str) -> VendorError:
    return Refused(
        f"The calendar server sends us to {host}, which isn't its own.",
        cause="strange-host",
        remedy="If that is right, set it as url of this connection in connections.toml.",
    )
