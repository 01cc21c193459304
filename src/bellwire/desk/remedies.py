"""What a person can put right on the page of an exception, beside trying again."""

import re
from dataclasses import dataclass

from bellwire.ledger import ExceptionRow

_MAP = re.compile(r'`bellwire records map (?P<connection>\S+) (?P<kind>\S+) (?P<ours>[^"`]+?) "(?P<theirs>[^"`]*)"`')


@dataclass(frozen=True)
class Unknown:
    """A record of ours that another system doesn't know by this name."""

    connection: str
    kind: str
    """Such as `product`."""
    ours: str
    asked: str
    """What that system's people would call what is to be told, such as `Item name or id`."""


def unknown_of(row: ExceptionRow) -> Unknown | None:
    """Where the remedy is to say what a record is called there: which. Connectors name the command for it."""
    found = _MAP.search(row.remedy)
    if found is None:
        return None
    return Unknown(found["connection"], found["kind"], found["ours"], found["theirs"] or "Id")


def remedy_of(row: ExceptionRow, system: str) -> str:
    """What to do, for who is at the desk: no command where the page has a form. `system` is the other one's name."""
    unknown = unknown_of(row)
    if unknown is None:
        return row.remedy
    return f"Say which {unknown.kind} of {system} {unknown.ours} is, or add it there. Then send it again."
