"""The crosswalk: what one system calls another system's records, as people have said."""

from bellwire.ledger import Database, crosswalk


class LedgerCrosswalk:
    """The crosswalk that the ledger keeps. What is said on the command line holds for the next look-up."""

    def __init__(self, ledger: Database) -> None:
        self._ledger = ledger

    async def find(self, connection: str, kind: str, ours: str) -> str | None:
        return await self._ledger.read(lambda rows: crosswalk.find(rows, connection, kind, ours))
