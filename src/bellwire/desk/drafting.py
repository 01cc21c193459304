"""Drafts of flows: checked, kept, shown for a real event, and published. The pages and the API both go by these."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bellwire.connectors.kit import Connector
from bellwire.connectors.opening import own_connector
from bellwire.desk.site import Site
from bellwire.engine import Preview, due_event, event_of, made_up, preview, results_of
from bellwire.errors import BellwireError, ConfigurationError, LedgerBusy, NotFound
from bellwire.events import OWN, Event
from bellwire.flows import Finding, Flow, FlowFolder, Severity, check_flow, parse_flow, version_of, where_is
from bellwire.ledger import EventRow, Rows, audit, drafts, events

EVENTS_SHOWN = 20
"""So many past events can be chosen from."""


@dataclass(frozen=True)
class State:
    """How a flow's draft is; where there is none, how its file is."""

    flow: str
    text: str
    base: str
    """The version of the file that it began with; empty: there is none yet."""
    seen: int = 0
    """The number of the draft's state; 0: nothing has been changed yet."""
    who: str = ""
    at: Any = None
    undoable: bool = False
    redoable: bool = False
    on_disk: str | None = None
    """What is in the file now."""

    @property
    def overtaken(self) -> bool:
        """Whether the file was changed by something else since the draft began."""
        return version_of(self.on_disk) != self.base and self.on_disk != self.text

    @property
    def difference(self) -> list[str]:
        """From the file to the draft, line by line; each begins with `+`, `-` or a blank."""
        lines = unified_diff((self.on_disk or "").splitlines(), self.text.splitlines(), lineterm="", n=2)
        return list(lines)[2:]


def folder_of(site: Site) -> FlowFolder:
    """Raises NotFound."""
    if site.folder is None:
        raise NotFound("The flows of this desk aren't files.")
    return site.folder


def state_of(rows: Rows, folder: FlowFolder, flow: str) -> State:
    """Raises NotFound."""
    draft, text = drafts.find(rows, flow), folder.text(flow) if _named(flow) else None
    if draft is not None:
        row = draft.now
        return State(flow, row.source, row.base, row.id, row.who, row.at, draft.undoable, draft.redoable, text)
    if text is None:
        raise NotFound(f"There is no flow '{flow}'.")
    return State(flow, text, version_of(text), on_disk=text)


def keep(rows: Rows, site: Site, state: State, text: str, who: str) -> int:
    """A new state of a draft; what it began with is one, too, so that one can come back to it. Gives its number."""
    now = site.clock()
    if not state.seen and state.base:
        drafts.put(rows, state.flow, state.text, state.base, who=who, now=now)
    return drafts.put(rows, state.flow, text, state.base, who=who, now=now)


def connectors_of(site: Site) -> Mapping[str, Connector]:
    return {name: each.connector for name, each in site.connections.items()} | own_connector()


def checked(text: str, flow: str, connectors: Mapping[str, Connector]) -> tuple[Flow | None, Sequence[Finding]]:
    """The flow that a text is, if it is one; and what is wrong or doubtful about it, each with its place."""
    try:
        found = parse_flow(text, Path(f"{flow}.yaml"))
    except ConfigurationError as error:
        where: tuple[str, ...] = ()
        with suppress(Exception):
            where = where_is(text, error.line or 1, error.sentence)
        sentence = error.sentence.rstrip(".")
        return None, [Finding(None, error.line or 1, sentence, error.remedy.rstrip("."), where=where)]
    return found, check_flow(found, connectors)


def past_events(rows: Rows, connection: str, event_type: str) -> list[EventRow]:
    """Those that a flow can be tried with, the newest first."""
    found = events.newest(rows, connection=connection, type_=event_type, limit=EVENTS_SHOWN)
    return [row for row in found if not row.purged]


async def tried(site: Site, flow: Flow, number: int | None = None) -> tuple[Preview | None, EventRow | None]:
    """What a flow would do for the event of this number, else for the newest there is, else for a made-up one, or the
    next time of one that begins by the clock. The event is None where it is made up; the preview, where there is
    nothing at all."""
    connectors = connectors_of(site)

    def read(rows: Rows) -> tuple[EventRow | None, Mapping[str, Any]]:
        row = events.find(rows, number) if number is not None else None
        if row is None or row.type != flow.event_type or row.purged:
            row = next(iter(past_events(rows, flow.connection, flow.event_type)), None)
        return row, results_of(rows, row.id, flow, connectors) if row else {}

    row, results = await site.ledger.read(read)
    event: Event | None = None
    if row is not None:
        with suppress(ValidationError):
            event = event_of(row)
    if event is None:
        row, event = None, _example(site, flow)
    return (preview(flow, event, connectors, site.calendar, results) if event else None), row


def _example(site: Site, flow: Flow) -> Event | None:
    connection, now = site.connections.get(flow.connection), site.clock()
    if flow.schedule is not None:
        environments = {name: each.environment for name, each in site.connections.items()}
        return due_event(flow, flow.schedule.next(now), environments)
    return made_up(connection, flow.event_type, now) if connection and flow.connection != OWN else None


async def publish(site: Site, flow: str, who: str, seen: int | None = None) -> Flow:
    """Write a draft into its file and have it used at once. Raises BellwireError when it has mistakes, was changed by
    somebody since the state `seen`, or its file was: then nothing is written."""
    folder, connectors = folder_of(site), connectors_of(site)

    def write(rows: Rows) -> Flow:
        state = state_of(rows, folder, flow)
        if not state.seen:
            raise BellwireError("Nothing has been changed, so there is nothing to publish.")
        if seen is not None and seen != state.seen:
            raise changed_by(state)
        found, findings = checked(state.text, flow, connectors)
        wrong = [each for each in findings if each.severity is Severity.ERROR]
        if found is None or wrong:
            raise BellwireError(
                f"The flow can't run like this: {wrong[0].sentence}.", remedy="Mend what is marked, then publish it."
            )
        audit.record(rows, who, "publish", f"flow {flow}", site.clock(), f"version {found.hash}")
        drafts.drop(rows, flow)
        folder.write(flow, state.text, state.base)
        return found

    found = await site.ledger.write(write)
    with suppress(LedgerBusy):  # It is in its file, and looked for again in a moment.
        await folder.renew()
    return found


def changed_by(state: State) -> BellwireError:
    """For who began with an earlier state."""
    return BellwireError(
        f"{state.who or 'Somebody'} changed this flow meanwhile, so yours wasn't taken over.",
        remedy="Look at it as it is now, and change it again.",
    )


def _named(flow: str) -> bool:
    return flow.isidentifier() and flow.isascii()
