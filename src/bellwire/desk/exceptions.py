"""What the pages about exceptions show: the causes, all of one cause, and one with all that is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bellwire.desk.site import Site
from bellwire.desk.today import Stuck, stuck
from bellwire.engine import lacking, situation
from bellwire.errors import BellwireError
from bellwire.ledger import (
    Colleague,
    DeliveryRow,
    ExceptionRow,
    ExceptionState,
    Rows,
    audit,
    comments,
    deliveries,
    exceptions,
    figures,
    people,
)
from bellwire.ledger.audit import Act
from bellwire.ledger.comments import Comment
from bellwire.ledger.exceptions import Choice

_MOST_CAUSES = 50
_PAGE = 50
_THINGS = ("order", "refund", "return", "payment", "invoice", "subscription", "ticket", "booking", "product", "quote")


@dataclass(frozen=True)
class Cause:
    """Open exceptions that one remedy mends."""

    group: figures.OpenGroup
    first: Stuck
    whose: Sequence[str]

    @property
    def thing(self) -> str:
        """What waits, such as `order`."""
        return thing_of(self.first)


@dataclass(frozen=True)
class Causes:
    causes: Sequence[Cause]
    open: int
    """All that fit."""

    @property
    def more(self) -> bool:
        """Whether there are other causes, less frequent ones."""
        return self.open > sum(each.group.count for each in self.causes)


@dataclass(frozen=True)
class Listed:
    """A page of exceptions; `next` is the number that the next page goes on from."""

    shown: Sequence[Stuck]
    next: int | None


@dataclass(frozen=True)
class Found:
    """One exception. `situation` is empty for one about a delivery."""

    stuck: Stuck
    situation: Mapping[str, Any]
    delivery: DeliveryRow | None
    others: int
    """Open ones of the same cause."""
    needed: Mapping[str, Sequence[str]]
    """Which fields of its result the later actions can't do without, if a person does it by hand: by action."""
    comments: Sequence[Comment]
    acts: Sequence[Act]
    """What people did about it, the newest first."""

    @property
    def row(self) -> ExceptionRow:
        return self.stuck.exception

    @property
    def is_open(self) -> bool:
        return self.row.state is ExceptionState.OPEN

    @property
    def about_an_action(self) -> bool:
        return self.row.run is not None and bool(self.row.action)

    @property
    def asked(self) -> list[tuple[str, bool]]:
        """The fields of its result that later actions use, and whether they can't do without."""
        needed = {field for fields in self.needed.values() for field in fields}
        used = {field for fields in self.situation.get("used_later", {}).values() for field in fields}
        return sorted((field, field in needed) for field in used | needed)


def causes(rows: Rows, choice: Choice) -> Causes:
    """The most frequent first."""
    groups, whose = (
        figures.open_groups(rows, choice=choice, limit=_MOST_CAUSES),
        figures.open_assignees(rows, choice=choice),
    )
    found = []
    for group in groups:
        first = exceptions.find(rows, group.oldest)
        assert first is not None
        found.append(Cause(group, stuck(rows, first), whose.get((group.connection, group.cause), [])))
    return Causes(found, exceptions.count(rows, choice))


def open_ones(rows: Rows, choice: Choice, beyond: int) -> Listed:
    """Oldest first."""
    found = exceptions.chosen(rows, choice, limit=_PAGE + 1, beyond=beyond)
    shown = [stuck(rows, row) for row in found[:_PAGE]]
    return Listed(shown, found[_PAGE - 1].id if len(found) > _PAGE else None)


def closed_ones(rows: Rows, choice: Choice, below: int) -> Listed:
    """Newest first."""
    found, further = exceptions.closed(rows, choice, limit=_PAGE, below=below)
    return Listed([stuck(rows, row) for row in found], further)


def one(rows: Rows, site: Site, number: int) -> Found | None:
    row = exceptions.find(rows, number)
    if row is None:
        return None
    return Found(
        stuck=stuck(rows, row),
        situation=situation(rows, row, site.flows),
        delivery=deliveries.find(rows, row.delivery) if row.delivery is not None else None,
        others=exceptions.count(rows, Choice(cause=row.cause, connection=row.connection)) - 1,
        needed=_needed(rows, site, row),
        comments=comments.of_exception(rows, number),
        acts=audit.newest(rows, limit=50, target=f"exception {number}"),
    )


def colleagues(rows: Rows) -> list[Colleague]:
    """Who may be given an exception; nobody, while nobody has an account."""
    return [Colleague(each.id, each.name) for each in people.everybody(rows) if each.disabled_at is None]


def looking_after(rows: Rows) -> list[Colleague]:
    """Whose there may be: also of somebody whose account was closed meanwhile."""
    return sorted({*colleagues(rows), *exceptions.assignees(rows)}, key=lambda each: each.id)


def thing_of(first: Stuck) -> str:
    if first.event is None:
        return "delivery"
    kind = first.event.type.partition(".")[0]
    return kind if kind in _THINGS else "thing"


def _needed(rows: Rows, site: Site, row: ExceptionRow) -> Mapping[str, Sequence[str]]:
    if row.state is not ExceptionState.OPEN or row.run is None or not row.action:
        return {}
    try:
        return lacking(rows, site.means, row, {})
    except BellwireError:
        return {}  # The flow can't be read: that is what the exception says, too.
