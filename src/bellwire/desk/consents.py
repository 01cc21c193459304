"""Sign-ins in the browser that are under way at a vendor: who comes back after a restart, or to another process, is
recognised.

The ledger knows hashes of their states and sessions; what else they are completed with is sealed by the vault.
"""

import hashlib
from urllib.parse import parse_qs, urlsplit

import orjson

from bellwire.access import key_of
from bellwire.clock import Clock
from bellwire.connectors.kit import Asked
from bellwire.desk.gate import in_thread
from bellwire.errors import BellwireError
from bellwire.ledger import ConsentRow, Database, consents
from bellwire.vault import Vault


class Consents:
    """Each is bound to the session that began it, and good for one answer within ten minutes."""

    def __init__(self, ledger: Database, vault: Vault | None, clock: Clock) -> None:
        self._ledger = ledger
        self._kept_by = vault
        self._clock = clock

    async def begin(self, connection: str, session: str, asked: Asked) -> None:
        """In the place of what this session began for this connection. Raises BellwireError without a vault."""
        text, now = orjson.dumps(vars(asked)).decode(), self._clock()
        key = key_of(session)
        sealed = await in_thread(self._vault.seal, _purpose(connection, key), text)
        row = ConsentRow(_hash(asked.state), connection, key, sealed)
        await self._ledger.write(lambda rows: consents.ask(rows, row, now))

    async def find(self, connection: str, session: str) -> Asked | None:
        key, now = key_of(session), self._clock()
        return await self._opened(await self._ledger.read(lambda rows: consents.find(rows, connection, key, now)))

    async def take(self, session: str, answer: str) -> tuple[str, Asked] | None:
        """The connection, and what was asked, that this answer (the address that the browser was sent to) belongs to:
        by its state, once, and only for the session that began it."""
        state = _hash(parse_qs(urlsplit(answer).query).get("state", [""])[-1])
        key, now = key_of(session), self._clock()
        row = await self._ledger.write(lambda rows: consents.take(rows, state, key, now))
        asked = await self._opened(row)
        return (row.connection, asked) if row is not None and asked is not None else None

    async def _opened(self, row: ConsentRow | None) -> Asked | None:
        """None too when the vault's key was changed meanwhile."""
        if row is None:
            return None
        text = await in_thread(self._vault.unseal, _purpose(row.connection, row.session), row.sealed)
        return Asked(**orjson.loads(text)) if text is not None else None

    @property
    def _vault(self) -> Vault:
        if self._kept_by is None:
            raise BellwireError("There is no vault to keep a sign-in in.", remedy="Run `bellwire init` first.")
        return self._kept_by


def _purpose(connection: str, session: str) -> str:
    return f"consent {connection} {session}"


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
