"""What somebody looks for, as the filters of a list say it in the address; and how it stands with what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeVar
from urllib.parse import urlencode

from bellwire.desk.words import Words
from bellwire.ledger import DeliveryState, EventRow, Rows, RunRow, RunState, Wanted, events, exceptions, finding, runs
from bellwire.ledger.runs import A_PERSON, ITS_TIME

State = TypeVar("State", RunState, DeliveryState)

PAGE = 50
"""Rows of a list."""
_LONGEST_TEXT = 100
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Filters:
    """As they are filled in; what can't be understood counts as empty."""

    q: str = ""
    flow: str = ""
    connection: str = ""
    state: str = ""
    first: str = ""
    """The first day, as in `2026-11-24`; `last` is the last one."""
    last: str = ""
    before: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filters":
        before = query.get("before", "")
        number = int(before) if before.isascii() and before.isdigit() else 0
        return cls(
            " ".join(query.get("q", "").split())[:_LONGEST_TEXT],
            query.get("flow", "")[:_LONGEST_TEXT],
            query.get("connection", "")[:_LONGEST_TEXT],
            query.get("state", "")[:_LONGEST_TEXT],
            _day_of(query.get("from", "")),
            _day_of(query.get("to", "")),
            number if 0 < number <= _LARGEST_ID else None,
        )

    def wanted(self, states: type[State], zone: tzinfo) -> Wanted:
        known = {each.value for each in states}
        return Wanted(
            text=self.q,
            flow=self.flow,
            connection=self.connection,
            state=states(self.state) if self.state in known else None,
            since=_midnight(self.first, zone) if self.first else None,
            until=_midnight(self.last, zone, behind=True) if self.last else None,
        )

    @property
    def only_text(self) -> bool:
        return self == Filters(q=self.q) and bool(self.q)

    def page_before(self, number: int) -> str:
        """The query of the page that goes on there."""
        given = {
            "q": self.q,
            "flow": self.flow,
            "connection": self.connection,
            "state": self.state,
            "from": self.first,
            "to": self.last,
            "before": str(number),
        }
        return urlencode({name: value for name, value in given.items() if value})


def one_answer(rows: Rows, text: str) -> str:
    """The address of the only thing that this number (or name, or address) leads to; empty when there are several, or
    none."""
    events_found = []
    for number in finding.events_with(rows, text, whole=True):
        events_found.append(number)
        if len(events_found) > _MOST_EVENTS_OF_ONE:
            return ""
    runs_found = [run.id for number in events_found for run in runs.of_event(rows, number)]
    if len(runs_found) == 1:
        return f"/runs/{runs_found[0]}"
    if not runs_found and len(events_found) == 1:
        return f"/events/{events_found[0]}"
    return ""


_MOST_EVENTS_OF_ONE = 20


@dataclass(frozen=True)
class Line:
    """A run in a list: with its event, and how it stands in a sentence."""

    run: RunRow
    event: EventRow
    stands: str


def lines(rows: Rows, found: list[RunRow], words: Words, now: datetime) -> list[Line]:
    made = []
    for run in found:
        event = events.find(rows, run.event)
        assert event is not None
        made.append(Line(run, event, stands(rows, run, words, now)))
    return made


def stands(rows: Rows, run: RunRow, words: Words, now: datetime) -> str:
    """Where it is."""
    match run.state:
        case RunState.DONE:
            return run.reason or f"Everything was done by {words.when(run.finished_at or now, now)}."
        case RunState.DEAD:
            stuck = exceptions.open_ones(rows, run=run.id, limit=1)
            return stuck[0].sentence if stuck else run.reason
        case RunState.WAITING if run.held_for == A_PERSON:
            return "It waits for somebody's answer."
        case RunState.WAITING if run.due_at and run.due_at > now:
            why = "As its flow says, it" if run.held_for == ITS_TIME else "It"
            return f"{why} goes on by itself at {words.when(run.due_at, now)}."
        case RunState.WAITING:
            return "It goes on by itself in a moment."
        case RunState.RUNNING:
            return "It is being worked on."
        case _:
            return run.reason


def _day_of(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(day: str, zone: tzinfo, *, behind: bool = False) -> datetime | None:
    try:
        moment = date.fromisoformat(day) + timedelta(days=behind)
        return datetime.combine(moment, time(), zone).astimezone(UTC)
    except OverflowError:
        return None
