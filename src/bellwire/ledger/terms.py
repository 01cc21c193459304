"""By which terms events are found: written with each event, and taken out with its data."""

from collections.abc import Sequence

from bellwire.ledger.database import Rows

_AFTER_ALL = "\U0010ffff"


def put(rows: Rows, event: int, terms: Sequence[str]) -> None:
    """Each of the terms leads to the event from now on; they are all different."""
    if terms:
        each = ", ".join(f"(:term{place}, :event)" for place in range(len(terms)))
        values = {f"term{place}": found for place, found in enumerate(terms)}
        rows.run(f"INSERT INTO terms (term, event) VALUES {each}", values | {"event": event})  # noqa: S608


def beginning_with(rows: Rows, text: str, *, limit: int) -> list[str]:
    """The first terms that begin with `text`, from one to the next by the index: how many events have them makes no
    difference."""
    found = rows.all(
        "WITH RECURSIVE known (term) AS ("
        " SELECT MIN(term) FROM terms WHERE term >= :first AND term < :last"
        " UNION ALL SELECT (SELECT MIN(term) FROM terms WHERE term > known.term AND term < :last) FROM known"
        " WHERE known.term IS NOT NULL)"
        " SELECT term FROM known WHERE term IS NOT NULL LIMIT :limit",
        {"first": text, "last": text + _AFTER_ALL, "limit": limit},
    )
    return [row[0] for row in found]


def events_of(rows: Rows, term: str, *, before: int, limit: int) -> list[int]:
    """The newest events below number `before` that a term leads to."""
    found = rows.all(
        "SELECT event FROM terms WHERE term = :term AND event < :before ORDER BY event DESC LIMIT :limit",
        {"term": term, "before": before, "limit": limit},
    )
    return [row[0] for row in found]
