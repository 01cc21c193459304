"""What is done about exceptions, one or thousands: the same for the pages and the API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

import orjson

from bellwire.desk.errands import Steps
from bellwire.desk.remedies import unknown_of
from bellwire.desk.site import Site
from bellwire.desk.words import plural
from bellwire.engine import assign, dismiss, lacking, resolve, retry, still_open
from bellwire.errors import BellwireError
from bellwire.ledger import ErrandRow, Rows, exceptions
from bellwire.ledger.crosswalk import Mapping as Mapped
from bellwire.ledger.exceptions import Choice
from bellwire.records import map_record


class Kind(StrEnum):
    RETRY = "retry"
    RESOLVE = "resolve"
    DISMISS = "dismiss"
    ASSIGN = "assign"


_SAID = {
    Kind.RETRY: ("is sent again", "are sent again"),
    Kind.RESOLVE: ("is noted as done by hand", "are noted as done by hand"),
    Kind.DISMISS: ("is left as it is", "are left as they are"),
    Kind.ASSIGN: ("is given to somebody else", "are given to somebody else"),
}


@dataclass(frozen=True)
class Deed:
    """`reason` belongs to RESOLVE and DISMISS, `result` to RESOLVE, `as_now` to RETRY: with the flow as it is now;
    `assignee`, a person's number, to ASSIGN: None gives it to nobody."""

    kind: Kind
    reason: str = ""
    assignee: int | None = None
    as_now: bool = False
    result: Mapping[str, object] = field(default_factory=dict)

    def check(self) -> None:
        """Raises BellwireError when something is missing."""
        if self.kind is Kind.DISMISS and not self.reason:
            raise BellwireError("Say why it is left: it stays on record.")

    @property
    def given(self) -> str:
        """All but its kind, as JSON."""
        told = {"reason": self.reason, "assignee": self.assignee, "as_now": self.as_now, "result": dict(self.result)}
        return orjson.dumps(told).decode()

    @classmethod
    def of(cls, errand: ErrandRow) -> Self:
        """What an errand does to each."""
        return cls(Kind(errand.what), **orjson.loads(errand.given))


def told(errand: ErrandRow) -> str:
    """What came of it: `14 are sent again.`"""
    return f"{plural(errand.done, *_SAID[Kind(errand.what)])}."


def enough_told(rows: Rows, site: Site, number: int, result: Mapping[str, object]) -> None:
    """Raises BellwireError when later actions can't be done with what a person tells of one done by hand."""
    row = still_open(rows, number)
    missing = lacking(rows, site.means, row, result)
    if missing:
        fields = sorted({name.replace("_", " ") for fields in missing.values() for name in fields})
        raise BellwireError(
            f"What comes later ({', '.join(missing)}) can't be done without this: {', '.join(fields)}.",
            remedy="Tell what the other system gave.",
        )


def name(rows: Rows, site: Site, number: int, theirs: str, who: str) -> Choice:
    """Say what the record is called in the other system that an open exception is about. Gives all those that waited
    for that. Raises NotFound, BellwireError."""
    row = still_open(rows, number)
    unknown = unknown_of(row)
    if unknown is None or unknown.connection not in site.connections:
        raise BellwireError("There is nothing to map here.")
    map_record(rows, Mapped(unknown.connection, unknown.kind, unknown.ours, theirs), site.clock(), who=who)
    return Choice(cause=row.cause, connection=row.connection)


def do(site: Site, deed: Deed, now: datetime, who: str) -> Callable[[Rows, int], None]:
    """What is done to one, in a transaction."""
    today = site.flows if deed.as_now else None

    def act(rows: Rows, number: int) -> None:
        match deed.kind:
            case Kind.RETRY:
                retry(rows, number, now, who=who, today=today)
            case Kind.RESOLVE:
                reason = deed.reason or "Done by hand."
                resolve(rows, number, now, who=who, result=deed.result, reason=reason)
            case Kind.DISMISS:
                dismiss(rows, number, now, who=who, reason=deed.reason)
            case Kind.ASSIGN:
                assign(rows, number, deed.assignee, now, who=who)

    return act


def checked(site: Site, deed: Deed) -> Callable[[Rows, int], None]:
    """What is looked at before, without changing anything."""

    def look(rows: Rows, number: int) -> None:
        if deed.kind is Kind.RESOLVE and still_open(rows, number).action:
            enough_told(rows, site, number, deed.result)

    return look


def ask(rows: Rows, site: Site, deed: Deed, who: str, wanted: Sequence[int] | Choice) -> ErrandRow:
    """Have it done to these exceptions, or to all open ones that are chosen, in the background, a portion at a time: in
    a transaction; then hurry the errands. Raises BellwireError."""
    deed.check()
    numbers = exceptions.chosen_ids(rows, wanted) if isinstance(wanted, Choice) else wanted
    return site.errands.ask(rows, deed.kind.value, deed.given, who, numbers)


def steps(site: Site, errand: ErrandRow, now: datetime) -> Steps:
    """How it is done to each."""
    deed = Deed.of(errand)
    return Steps(checked(site, deed), do(site, deed, now, errand.who))
