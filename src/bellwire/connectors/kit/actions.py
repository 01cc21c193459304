"""Actions: what a connector does for a capability, and how each survives being sent twice."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from bellwire.capabilities import Effect, Given, Operation, Result
from bellwire.clock import Clock
from bellwire.connectors.kit.connection import Connection
from bellwire.connectors.kit.http import Api
from bellwire.connectors.kit.looking import Seen
from bellwire.errors import OutcomeUnknown, VendorError
from bellwire.events import Environment

G = TypeVar("G", bound=Given)
R = TypeVar("R", bound=Result)


class Crosswalk(Protocol):
    """Which record of one system is which of another, as far as a person or a match has said so."""

    async def find(self, connection: str, kind: str, ours: str) -> str | None:
        """The id (or name) that `connection` has for our `ours`, e.g. kind `product`, ours a SKU. None: not mapped."""


class _NothingMapped:
    """A crosswalk that knows nothing."""

    async def find(self, connection: str, kind: str, ours: str) -> str | None:
        return None


@dataclass(frozen=True)
class Call:
    """What an action is given beside its input."""

    connection: Connection
    crosswalk: Crosswalk
    clock: Clock
    key: str
    """The idempotency key: 32 hexadecimal characters, the same for every attempt of this action."""
    again: bool = False
    """An earlier attempt may have reached the vendor."""
    since: datetime | None = None
    """When the first of those began, by this machine's clock: nothing of them is older at the vendor."""

    @classmethod
    def asking(cls, connection: Connection, clock: Clock) -> "Call":
        """For what changes nothing: signing in, listing."""
        return cls(connection, _NothingMapped(), clock, key="0" * 32)

    @property
    def api(self) -> Api:
        return self.connection.api

    @property
    def settings(self) -> Any:
        """An instance of the manifest's `settings` model."""
        return self.connection.settings

    @property
    def uuid(self) -> str:
        """The key as a UUID, for vendors that want one."""
        return str(UUID(self.key))

    def part(self, name: str) -> "Call":
        """The same call with a key of its own, for one of several requests that an action makes."""
        key = hashlib.sha256(f"{self.key}/{name}".encode()).hexdigest()[:32]
        return replace(self, key=key)

    async def mapped(self, kind: str, ours: str) -> str | None:
        """What this connection calls our `ours`, if somebody mapped it."""
        return await self.crosswalk.find(self.connection.name, kind, ours)


@dataclass(frozen=True)
class ByKey:
    """The vendor gives its first answer again when it sees the same key. `where` says how it is sent."""

    where: str


@dataclass(frozen=True)
class Upsert:
    """The vendor overwrites what has the same natural key. `on` names it."""

    on: str


@dataclass(frozen=True)
class LookUp(Generic[G, R]):
    """Before sending again, look whether it is there. `find` gives the result of the earlier attempt, or None."""

    find: Callable[[Call, G], Awaitable[R | None]]


@dataclass(frozen=True)
class Unkeyed:
    """The vendor offers nothing: repeated only where that is harmless."""

    why: str


Repeat = ByKey | Upsert | LookUp[Any, Any] | Unkeyed


@dataclass(frozen=True)
class Action:
    """An operation as one connector does it."""

    operation: Operation
    repeat: Repeat
    perform: Callable[[Call, Any], Awaitable[Result]] = field(repr=False)
    unkeyed: Callable[[Any], str] = field(default=lambda _settings: "", repr=False)
    """Why a connection with these settings can't repeat it, though others can; empty: it can."""
    look: Callable[[Call, Any], Awaitable[Seen | None]] | None = field(default=None, repr=False)
    """Finds what a person did of it, by what people know it by (an order's number, an address), and only reads. None:
    there is nothing to find it by."""

    def under(self, settings: Any) -> "Action":
        """As a connection with these settings does it."""
        why = self.unkeyed(settings)
        return replace(self, repeat=Unkeyed(why)) if why else self

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when the outcome of an attempt is unknown."""
        return not isinstance(self.repeat, Unkeyed) or self.operation.effect.harmless

    @property
    def announced(self) -> bool:
        """Whether an attempt is written down before its first request that writes is sent. Where a repeat has to be
        looked for, or isn't possible, that spares it after a crash for all that hadn't begun."""
        return isinstance(self.repeat, LookUp | Unkeyed) and self.operation.effect is not Effect.NOTHING

    async def __call__(self, call: Call, given: Given) -> Result:
        """Do it; after an attempt that may have arrived, look first where that is the way. Raises VendorError."""
        if call.again and isinstance(self.repeat, LookUp):
            found: Result | None = await self.repeat.find(call, given)
            if found is not None:
                return found
        return await self.perform(call, given)


def action(
    operation: Operation,
    *,
    repeat: Repeat,
    unkeyed: Callable[[Any], str] = lambda _settings: "",
    look: Callable[[Call, G], Awaitable[Seen | None]] | None = None,
) -> Callable[[Callable[[Call, G], Awaitable[R]]], Action]:
    """Declare a coroutine function as the way this connector does `operation`. `unkeyed` and `look`:
    see Action."""

    def declare(perform: Callable[[Call, G], Awaitable[R]]) -> Action:
        return Action(operation, repeat, perform, unkeyed, look)

    return declare


@contextmanager
def after_writing(done: str) -> Iterator[None]:
    """Around what is asked after something was changed: whatever fails there, who repeats has to look first. `done`
    says in a sentence what was. Raises OutcomeUnknown instead of any VendorError."""
    try:
        yield
    except VendorError as error:
        raise OutcomeUnknown(f"{done} {error.sentence}", detail=error.detail) from error


@dataclass(frozen=True)
class Account:
    """What signing in shows, for `bellwire check`."""

    name: str
    """The account as its owner knows it, e.g. the shop's or company's name."""
    detail: str = ""
    scopes: tuple[str, ...] | None = None
    """What the credentials may do; None where the vendor doesn't say."""
    warnings: tuple[str, ...] = ()
    environment: Environment | None = None
    """Which it is, where the vendor tells: a connection to the other one is refused."""
