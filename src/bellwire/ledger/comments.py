"""What people said about exceptions."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp


@dataclass(frozen=True)
class Comment:
    id: int
    at: datetime
    who: str
    text: str


def add(rows: Rows, exception: int, who: str, text: str, now: datetime) -> None:
    rows.run(
        "INSERT INTO comments (exception, at, who, text) VALUES (:exception, :now, :who, :text)",
        {"exception": exception, "now": stamp(now), "who": who, "text": text},
    )


def of_exception(rows: Rows, exception: int, *, limit: int = 200) -> list[Comment]:
    """Oldest first; of more than `limit` the newest."""
    found = rows.all(
        "SELECT id, at, who, text FROM comments WHERE exception = :exception ORDER BY id DESC LIMIT :limit",
        {"exception": exception, "limit": limit},
    )
    return [Comment(number, unstamp(at), who, text) for number, at, who, text in reversed(found)]
