"""The crosswalk: what one system calls another system's records, as people have said."""

from datetime import datetime

from bellwire.ledger import Database, Rows, audit, crosswalk
from bellwire.ledger.crosswalk import Mapping


class LedgerCrosswalk:
    """The crosswalk that the ledger keeps. What is said on the command line or the desk holds for the next look-up."""

    def __init__(self, ledger: Database) -> None:
        self._ledger = ledger

    async def find(self, connection: str, kind: str, ours: str) -> str | None:
        return await self._ledger.read(lambda rows: crosswalk.find(rows, connection, kind, ours))


def map_record(rows: Rows, mapping: Mapping, now: datetime, *, who: str) -> None:
    """Say that a record of ours is called so elsewhere, in place of what was said before."""
    crosswalk.put(rows, mapping, now)
    target, detail = f"{mapping.kind} {mapping.ours}", f"for '{mapping.connection}': {mapping.theirs}"
    audit.record(rows, who, "map", target, now, detail)


def unmap_record(rows: Rows, connection: str, kind: str, ours: str, now: datetime, *, who: str) -> bool:
    """Take it back. False when nothing was said."""
    removed = crosswalk.remove(rows, connection, kind, ours)
    if removed:
        audit.record(rows, who, "unmap", f"{kind} {ours}", now, f"for '{connection}'")
    return removed
