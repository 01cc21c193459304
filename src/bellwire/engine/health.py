"""Which connections are out of order, and when each is tried again.

A connection whose vendor fails for several runs in a row is left alone, and so is one that is signed out: its runs are
held in the ledger and use up none of their attempts. It is tried again after growing waits (half open): by its
connector's `sign_in`, which changes nothing, or, where it has none, by letting one run through. Once that succeeds,
the held runs go on in their order. https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import structlog

from bellwire.clock import Clock
from bellwire.connectors.kit import Call, Connection, Crosswalk
from bellwire.errors import (
    BellwireError,
    LedgerBusy,
    MissingCredential,
    OutcomeUnknown,
    SignedOut,
    Transient,
    VendorError,
)
from bellwire.ledger import Database, HealthRow, Trouble, health, runs

log = structlog.get_logger()

OUTAGES = frozenset(
    {"unreachable", "no-answer", "no-sign-in", "vendor-failed", "unavailable", "not-json", "outcome-unknown"}
)
"""The causes of failures that say something about the vendor, not about what was asked of it."""
_RUNS_IN_A_ROW = 3
"""So many different runs have to fail, with no answer in between: one that always fails is no outage."""
_FIRST_PROBE = {Trouble.DOWN: timedelta(seconds=10), Trouble.SIGNED_OUT: timedelta(minutes=5)}
_LONGEST_PROBE = {Trouble.DOWN: timedelta(minutes=5), Trouble.SIGNED_OUT: timedelta(hours=1)}
_RELAPSE = timedelta(minutes=10)
"""A connection that is out of order again so soon is tried again as late as it would have been."""
_PROBE = timedelta(minutes=1)
"""How long one process may take to try, before another does."""
_AT_ONCE = 500
"""Held runs that are let go in one transaction."""


@dataclass
class _Out:
    """A connection that is out of order."""

    row: HealthRow
    credentials: int
    """Of what it had when it failed, to notice new ones."""
    probing: bool = False
    at_once: bool = False
    """Whether it is tried without waiting for its time."""
    written: bool = True
    """Whether the ledger says so too."""


@dataclass
class Health:
    """Of the connections of one engine. Nothing here costs anything for connections that are well."""

    ledger: Database
    connections: Mapping[str, Connection]
    crosswalk: Crosswalk
    clock: Clock
    random: Random
    _out: dict[str, _Out] = field(default_factory=dict)
    _failing: dict[str, set[int]] = field(default_factory=dict)
    """By connection, the runs that failed since it last answered."""
    _before: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    """By connection, when it was last well again, and how often it had been tried in vain."""
    _probes: set[asyncio.Task[None]] = field(default_factory=set)

    async def load(self) -> None:
        """What was out of order when the last process ended is tried at once: a restart is often the remedy."""
        for row in await self.ledger.read(health.out_of_order):
            if row.connection in self.connections:
                self._out[row.connection] = _Out(row, self._fingerprint(row.connection), at_once=True)
            else:
                await self._well(row.connection)
        for name in self.connections.keys() - self._out.keys():
            await self.let_go_if_well(name)

    async def compare(self) -> None:
        """What other processes have found out since."""
        rows = {row.connection: row for row in await self.ledger.read(health.out_of_order)}
        for name, row in rows.items():
            known = self._out.get(name)
            if name not in self.connections or (known and (known.row == row or known.probing or not known.written)):
                continue
            self._out[name] = _Out(row, known.credentials if known else self._fingerprint(name))
        for name in [name for name, out in self._out.items() if name not in rows and out.written and not out.probing]:
            self._before[name] = self.clock(), self._out.pop(name).row.failures
            self._failing.pop(name, None)
            # Since then this process may have had more of its runs held.
            await self.let_go_if_well(name)

    def try_soon(self) -> None:
        """The machine's clock was set back: what would have waited for its time is tried now."""
        for out in self._out.values():
            out.at_once = True

    def stop(self) -> None:
        for probe in self._probes:
            probe.cancel()

    def shut(self, connection: str) -> bool:
        """Whether nothing may be asked of it now. Where only a run can find out, the first that asks may."""
        out = self._out.get(connection)
        if out is None:
            return False
        if self.connections[connection].connector.sign_in is None and not out.probing and self._due(out):
            out.probing = True
            return False
        return True

    async def let_go_if_well(self, connection: str) -> None:
        """For runs that were being held just as it became well again."""
        if connection not in self._out:
            while await self._let_go(connection, _AT_ONCE) == _AT_ONCE:
                pass

    def doubts(self, connection: str) -> bool:
        """Whether it matters that it `answered`."""
        return connection in self._failing or connection in self._out

    async def answered(self, connection: str) -> None:
        """It did what was asked, or said why not."""
        self._failing.pop(connection, None)
        if connection in self._out:
            await self._well(connection)

    async def failed(self, connection: str, run: int, error: Exception) -> bool:
        """It didn't. Returns whether it is out of order now: then the attempt counts for nothing, and its run is
        held."""
        if isinstance(error, SignedOut | MissingCredential):
            await self._set_out(connection, Trouble.SIGNED_OUT, error)
            return True
        if not is_outage(error):
            if isinstance(error, VendorError):
                await self.answered(connection)
            return False
        failing = self._failing.setdefault(connection, set())
        failing.add(run)
        if connection not in self._out and len(failing) < _RUNS_IN_A_ROW:
            return False
        await self._set_out(connection, Trouble.DOWN, error)
        return True

    async def look(self) -> None:
        """Try again what is due, or has new credentials."""
        for name, out in self._out.items():
            connection = self.connections[name]
            renewed = out.row.state is Trouble.SIGNED_OUT and self._fingerprint(name) != out.credentials
            if out.probing or not (renewed or self._due(out)):
                continue
            if connection.connector.sign_in is None:
                await self._let_go(name, 1)
                continue
            out.probing = True
            probe = asyncio.create_task(self._probe_first(connection, out), name=f"probe of {name}")
            self._probes.add(probe)
            probe.add_done_callback(self._probes.discard)

    async def _probe_first(self, connection: Connection, out: _Out) -> None:
        """Unless another process was quicker: then what comes of that will be known to all."""
        row, until = out.row, self.clock() + _PROBE
        try:
            if await self.ledger.write(lambda rows: health.begin_probe(rows, row, until)):
                await self._probe(connection)
        except LedgerBusy as error:
            log.error("a connection could not be tried", connection=connection.name, error=str(error))
        finally:
            out.probing = False

    async def _probe(self, connection: Connection) -> None:
        sign_in = connection.connector.sign_in
        assert sign_in is not None
        try:
            await sign_in(Call(connection, self.crosswalk, self.clock, key="0" * 32))
        except BellwireError as error:
            signed_out = isinstance(error, SignedOut | MissingCredential)
            if not signed_out and not is_outage(error):
                await self._well(connection.name)
                return
            await self._set_out(connection.name, Trouble.SIGNED_OUT if signed_out else Trouble.DOWN, error)
        except Exception as error:
            log.exception("a connection could not be tried", connection=connection.name)
            await self._set_out(connection.name, Trouble.DOWN, error)
        else:
            await self._well(connection.name)

    async def _set_out(self, connection: str, trouble: Trouble, error: Exception) -> None:
        known, now = self._out.get(connection), self.clock()
        if known is not None and known.row.state is trouble and not known.probing:
            return  # one of those that were under way when it was found out
        failures, since = 1, now
        if known is not None:
            failures, since = known.row.failures + 1, known.row.since
        elif connection in self._before and now - self._before[connection][0] < _RELAPSE:
            failures = self._before[connection][1] + 1
        ceiling = min(_LONGEST_PROBE[trouble], _FIRST_PROBE[trouble] * 2 ** min(failures - 1, 16))
        # Between half and all of it, so that several connections to one vendor don't come back in step.
        wait = ceiling * (0.5 + self.random.random() / 2)
        asked = error.retry_after if isinstance(error, Transient) else None
        reason = error.sentence if isinstance(error, BellwireError) else str(error)
        row = HealthRow(connection, trouble, reason, failures, since, now + max(wait, asked or wait))
        out = self._out[connection] = _Out(row, self._fingerprint(connection), written=False)
        if known is None:
            log.error("a connection is out of order", connection=connection, state=trouble.value, reason=reason)
        await self.ledger.write(lambda rows: health.set_out(rows, row))
        out.written = True

    async def _well(self, connection: str) -> None:
        """It works again: let its runs go on."""
        out = self._out.pop(connection, None)
        if out is not None:
            self._before[connection] = self.clock(), out.row.failures
            log.info("a connection is well again", connection=connection)
        self._failing.pop(connection, None)
        try:
            await self.let_go_if_well(connection)
            await self.ledger.write(lambda rows: health.set_well(rows, connection))
        except LedgerBusy:
            if out is not None:
                self._out.setdefault(connection, out)  # Else nobody would let its runs go any more.
            raise

    async def _let_go(self, connection: str, most: int) -> int:
        now = self.clock()
        return await self.ledger.write(lambda rows: runs.let_go(rows, runs.waits_for(connection), now, most))

    def _due(self, out: _Out) -> bool:
        return out.at_once or out.row.probe_at is None or out.row.probe_at <= self.clock()

    def _fingerprint(self, connection: str) -> int:
        """Changes with the credentials."""
        known = self.connections[connection]
        fields = [credential.field for credential in known.manifest.credentials]
        try:
            return hash(tuple(known.credentials.find(name) for name in fields))
        except BellwireError:
            return 0


def is_outage(error: Exception) -> bool:
    """Whether it says that the vendor is unwell."""
    if isinstance(error, TimeoutError):
        return True
    return isinstance(error, Transient | OutcomeUnknown) and error.cause in OUTAGES
