"""What all pages have in common: where things are looked up, how a page is rendered, where to go after a form."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bellwire.access import Right
from bellwire.business import BusinessCalendar
from bellwire.clock import Clock, duration, system_clock
from bellwire.connectors.kit import Connection
from bellwire.desk import words
from bellwire.desk.about import about
from bellwire.desk.assets import Assets
from bellwire.desk.errands import Errands
from bellwire.desk.piloting import Pilots
from bellwire.desk.reach import Reach
from bellwire.desk.remedies import remedy_of, unknown_of
from bellwire.desk.trends import Trends
from bellwire.desk.visitor import Visitor
from bellwire.desk.ways import in_words
from bellwire.desk.words import Words
from bellwire.engine import Means
from bellwire.flows import Flow, FlowFolder
from bellwire.ledger import Database
from bellwire.records import LedgerCrosswalk
from bellwire.settings.live import LiveSettings
from bellwire.vault import Vault

View = Callable[[Request], Awaitable[Response]]
SAID = "bellwire_said"
"""The cookie with what is to be said on the next page."""
_LONGEST_SAID = 3_000
"""Bytes of it: browsers keep cookies of 4,096."""


@dataclass(frozen=True)
class Page:
    """A page, or what one of its forms does. The right it `needs` is checked by the gate, and nowhere else."""

    path: str
    view: View
    needs: Right | None = Right.SEE
    """None: nobody has to be signed in."""
    method: str = "GET"


@dataclass
class Site:
    """`host` is the address that the server is bound to; `zone` is the one that times are shown in; `reach` is where
    Bellwire is reached. Without a project's `live` settings the defaults are shown; without a `vault` there are no
    one-time codes and no channels for alerts."""

    ledger: Database
    all_flows: Sequence[Flow]
    connections: Mapping[str, Connection]
    clock: Clock = system_clock
    business: str = ""
    zone: tzinfo = UTC
    host: str = "127.0.0.1"
    reach: Reach = field(default_factory=Reach)
    live: LiveSettings | None = None
    """What of the settings may change meanwhile, also from here."""
    vault: Vault | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    project: Path | None = None
    """Its folder: without it, no pilot can be run from here."""
    calendar: BusinessCalendar = field(default_factory=BusinessCalendar)
    """The days and hours of the business, for previews."""
    folder: FlowFolder | None = None
    """Where the flows' files are; None: they can't be edited here."""
    means: Means = field(init=False)
    """What an input is worked out with; nothing is sent."""
    errands: Errands = field(init=False)
    pilots: Pilots = field(init=False)
    flows: dict[str, Flow] = field(init=False)
    words: Words = field(init=False)
    trends: Trends = field(init=False)
    assets: Assets = field(init=False)
    templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.flows = {flow.id: flow for flow in self.all_flows}
        random, crosswalk = Random(), LedgerCrosswalk(self.ledger)  # noqa: S311 - nothing is sent, so nothing waits
        self.means = Means.make(self.ledger, self.connections, crosswalk, self.clock, random, self.calendar)
        self.errands = Errands(self.ledger, self.clock)
        self.pilots = Pilots(self.project, self.clock)
        self.words = Words(self.zone)
        self.trends = Trends(self.ledger, self.words)
        self.assets = Assets()
        self.templates = _templates()
        self.templates.globals.update(
            business=self.business,
            flows=self.flows,
            asset=self.assets.url,
            words=self.words,
            about=about,
            system=self.system,
            environment=self.environment,
            connections=self.connections,
            in_words=in_words,
            remedy_of=remedy_of,
            unknown_of=unknown_of,
            Right=Right,
            editable=self.folder is not None,
        )

    async def use(self, flows: Sequence[Flow]) -> None:
        """Show other flows from now on."""
        self.all_flows = flows
        self.flows.clear()
        self.flows.update((flow.id, flow) for flow in flows)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """`here` names the page that the template belongs to, for the navigation: the template sets it."""
        said = unquote(request.cookies.get(SAID, ""))[:_LONGEST_SAID]
        visitor = request.scope.get("visitor") or Visitor("", frozenset())
        found = self.templates.get_template(template)
        text = found.render(visitor=visitor, said=said, path=request.url.path, now=self.clock(), **values)
        response = HTMLResponse(text, status)
        if said:
            response.delete_cookie(SAID, httponly=True, samesite="lax")
        return response

    def message(self, request: Request, status: int, title: str, text: str, remedy: str = "") -> HTMLResponse:
        return self.page(request, "message.html", status, title=title, text=text, remedy=remedy)

    def go(self, to: str, say: str = "") -> RedirectResponse:
        """After a form: to another page of the desk, which says `say` once."""
        response = RedirectResponse(local(to), 303)
        if say:
            response.set_cookie(SAID, _bounded(say), max_age=60, httponly=True, samesite="lax")
        return response

    def system(self, connection: str) -> str:
        """The vendor's name of a connection; the connection's own when it is no longer there."""
        found = self.connections.get(connection)
        return found.manifest.title if found else connection

    def environment(self, connection: str) -> str:
        found = self.connections.get(connection)
        return found.environment.value if found else ""


def local(to: str) -> str:
    """An address of the desk; `/` for all that might lead elsewhere."""
    plain = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isascii() and to.isprintable()
    return to if plain and "\\" not in to else "/"


def _bounded(say: str) -> str:
    """As much of it as a cookie holds, each letter whole."""
    kept = ""
    for letter in map(quote, say):
        if len(kept) + len(letter) > _LONGEST_SAID:
            break
        kept += letter
    return kept


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        duration=duration,
        number=words.number,
        plural=words.plural,
        joined=words.joined,
        ordinal=words.ordinal,
        money=words.money,
    )
    return environment
