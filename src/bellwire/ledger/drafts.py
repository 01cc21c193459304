"""Flows that are being edited: every state that one can come back to.

The states of a flow's draft stand one after the other. Those that were undone are kept until something else is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp

_COLUMNS = "id, flow, source, base, who, at"
MOST = 200
"""So many states of a draft are kept; of more, the oldest go."""


@dataclass(frozen=True)
class DraftRow:
    id: int
    flow: str
    source: str
    """The flow's text."""
    base: str
    """The version of the file that the draft began with; empty for a new flow."""
    who: str
    """Who made it so."""
    at: datetime


@dataclass(frozen=True)
class Draft:
    """A flow's draft as it is now, and whether there is a state before and after it."""

    now: DraftRow
    undoable: bool
    redoable: bool


def find(rows: Rows, flow: str) -> Draft | None:
    current = _current(rows, flow)
    if current is None:
        return None
    before = rows.one("SELECT 1 FROM drafts WHERE flow = :flow AND id < :id", {"flow": flow, "id": current.id})
    after = rows.one("SELECT 1 FROM drafts WHERE flow = :flow AND undone = 1", {"flow": flow})
    return Draft(current, before is not None, after is not None)


def flows(rows: Rows) -> Sequence[str]:
    """Of which there are drafts."""
    return [flow for (flow,) in rows.all("SELECT DISTINCT flow FROM drafts ORDER BY flow")]


def put(rows: Rows, flow: str, source: str, base: str, *, who: str, now: datetime) -> int:
    """A new state; what was undone before is forgotten. Gives its number."""
    rows.run("DELETE FROM drafts WHERE flow = :flow AND undone = 1", {"flow": flow})
    new = rows.insert(
        "INSERT INTO drafts (flow, source, base, who, at, undone) VALUES (:flow, :source, :base, :who, :at, 0)",
        {"flow": flow, "source": source, "base": base, "who": who, "at": stamp(now)},
    )
    assert new is not None
    rows.run(
        "DELETE FROM drafts WHERE flow = :flow AND id NOT IN"
        " (SELECT id FROM drafts WHERE flow = :flow ORDER BY id DESC LIMIT :most)",
        {"flow": flow, "most": MOST},
    )
    return new


def undo(rows: Rows, flow: str) -> bool:
    """Go back to the state before. False when there is none."""
    found = find(rows, flow)
    if found is None or not found.undoable:
        return False
    rows.run("UPDATE drafts SET undone = 1 WHERE id = :id", {"id": found.now.id})
    return True


def redo(rows: Rows, flow: str) -> bool:
    """Go on to the state that was undone last. False when there is none."""
    return bool(
        rows.run(
            "UPDATE drafts SET undone = 0 WHERE id = (SELECT MIN(id) FROM drafts WHERE flow = :flow AND undone = 1)",
            {"flow": flow},
        )
    )


def rebase(rows: Rows, flow: str, base: str) -> None:
    """Have the draft be about another version of the file."""
    rows.run("UPDATE drafts SET base = :base WHERE flow = :flow", {"flow": flow, "base": base})


def drop(rows: Rows, flow: str) -> None:
    """Once it is published, or thrown away."""
    rows.run("DELETE FROM drafts WHERE flow = :flow", {"flow": flow})


def _current(rows: Rows, flow: str) -> DraftRow | None:
    row = rows.one(
        f"SELECT {_COLUMNS} FROM drafts WHERE flow = :flow AND undone = 0 ORDER BY id DESC LIMIT 1",  # noqa: S608
        {"flow": flow},
    )
    if row is None:
        return None
    number, name, source, base, who, at = row
    return DraftRow(number, name, source, base, who, unstamp(at))
