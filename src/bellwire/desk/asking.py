"""What flows ask of people, as pages and the API show it, and how it is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.desk.history import link_of
from bellwire.engine import Means, lacking, referred_to, still_asked, tick_off
from bellwire.errors import BellwireError
from bellwire.ledger import AskKind, AskRow, EventRow, Rows, RunRow, asks, events, runs

SHOWN_FOR = timedelta(days=7)
"""What is done stays on the page for so long."""
LONGEST = 500
"""Characters of a reason, or of a value."""
_MOST = 500
_MOST_CLOSED = 50
_AGES = (
    ("For more than a week", timedelta(days=7)),
    ("For more than a day", timedelta(days=1)),
    ("For less than a day", timedelta()),
)


@dataclass(frozen=True)
class Asked:
    """A question or a to-do, with the run that waits for it."""

    ask: AskRow
    event: EventRow | None


@dataclass(frozen=True)
class Lists:
    ages: Sequence[tuple[str, Sequence[Asked]]]
    """Open ones by how long they have waited, the oldest first; each age only if there are any."""
    closed: Sequence[Asked]
    """The last ones of `SHOWN_FOR`."""
    flows: Sequence[str]
    """Those that ask something, by id."""
    more: bool
    """Whether there are more open ones than are shown."""


@dataclass(frozen=True)
class Field:
    """What can be told of an action that a person did."""

    name: str
    wanted_by: Sequence[str]
    """Actions."""
    needed: bool
    """Whether one of them can't be done without it."""

    @property
    def label(self) -> str:
        return "Its number there" if self.name == "id" else self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Whole:
    """All that the page of one shows."""

    ask: AskRow
    run: RunRow | None
    event: EventRow | None
    fields: Sequence[Field]
    links: Sequence[tuple[str, str]]
    """Action and address, of what earlier actions of the run made in other systems."""


def lists(rows: Rows, now: datetime, *, flow: str, kind: str) -> Lists:
    found = asks.open_ones(rows, flow=flow, kind=kind, limit=_MOST + 1)
    ages: dict[str, list[Asked]] = {}
    for ask in found[:_MOST]:
        age = next(name for name, least in _AGES if now - ask.asked_at >= least or not least)
        ages.setdefault(age, []).append(_asked(rows, ask))
    closed = asks.closed_ones(rows, flow=flow, kind=kind, since=now - SHOWN_FOR, limit=_MOST_CLOSED)
    return Lists(
        list(ages.items()),
        [_asked(rows, ask) for ask in closed],
        [name for name, _ in asks.count_open(rows)],
        len(found) > _MOST,
    )


def whole(rows: Rows, means: Means, number: int) -> Whole | None:
    """None when there is no such number."""
    ask = asks.find(rows, number)
    if ask is None:
        return None
    run = runs.find(rows, ask.run)
    made = ((row.action, link_of(row)) for row in runs.attempts(rows, ask.run))
    return Whole(
        ask,
        run,
        events.find(rows, run.event) if run else None,
        fields_of(rows, means, ask) if ask.kind is AskKind.TODO else (),
        [(action, link) for action, link in made if link],
    )


def fields_of(rows: Rows, means: Means, ask: AskRow) -> list[Field]:
    """The number that the other system gave, and what later actions want to know; only that number, when the flow of
    the run can't be read."""
    try:
        wanted = referred_to(rows, means, ask)
        needed = {field for fields in lacking(rows, means, ask, {}).values() for field in fields}
    except BellwireError:
        wanted, needed = {}, set()
    names = ["id", *(name for name in wanted if name != "id")]
    return [Field(name, wanted.get(name, ()), name in needed) for name in names]


def told_of(given: Mapping[str, str], fields: Sequence[Field]) -> dict[str, object]:
    """The result of an action that a person did, as far as it was filled in."""
    return {field.name: value for field in fields if (value := given.get(field.name, ""))}


def do_by_hand(rows: Rows, number: int, now: datetime, *, means: Means, who: str, result: Mapping[str, object]) -> None:
    """Tick a to-do off, if later actions can go on with what is told. Raises NotFound, BellwireError."""
    ask = still_asked(rows, number)
    missing = lacking(rows, means, ask, result) if ask.kind is AskKind.TODO else {}
    if missing:
        fields = sorted({field for wanted_by in missing.values() for field in wanted_by})
        raise BellwireError(
            f"What comes later ({', '.join(missing)}) can't be done without more of what '{ask.action}' gives.",
            remedy=f"Tell also: {', '.join(fields)}.",
        )
    tick_off(rows, number, now, who=who, result=result)


def _asked(rows: Rows, ask: AskRow) -> Asked:
    run = runs.find(rows, ask.run)
    return Asked(ask, events.find(rows, run.event) if run else None)
