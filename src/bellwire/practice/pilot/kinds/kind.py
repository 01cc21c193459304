"""What a pilot's records are, whatever they are about."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.stage import Stage


@dataclass(frozen=True)
class Record:
    """One fact that a flow starts with, and what is peculiar about it."""

    position: int
    """From 1."""
    name: str
    """What people know it by: `order 2001`."""
    about: str
    mark: str = ""
    """What stands in each request that has to do with it, such as the order's number; empty: nothing does."""
    copies: int = 1
    """How often its webhook arrives."""
    in_trouble: bool = False
    """While it is under way, one system fails once and one doesn't answer once, if they are simulated."""
    unknown: str = ""
    """What one of the systems doesn't know, such as an article: a person is asked about it once, by this word."""
    yes: bool = True
    """What people answer when the flow asks."""


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Happened:
    """A record that has happened at the vendor that tells of it."""

    id: str
    """The vendor's."""
    tell: Callable[[], Webhook] | None
    """Makes a delivery of it, a new one each time. None: the vendor sends nothing, and its lists tell of it."""
    later: Callable[[], Sequence[tuple[str, Webhook]]] | None = None
    """What happens once the flow waits for a time, such as what ends it: by connection."""


class Kind(ABC, Generic[R]):
    """What a pilot's records are about, such as orders."""

    event_types: ClassVar[Sequence[str]]
    """What a flow may start with."""
    covers: ClassVar[frozenset[str]] = frozenset()
    """The operations whose effects `checks` compares; of the others, what was made is counted."""
    on_sandbox: ClassVar[Sequence[str]] = ()
    """What has to be known when the records go to real sandbox accounts."""

    @abstractmethod
    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        """Why the flow's records can't be made by the simulator behind its trigger, as the end of a sentence ("it isn't
        a shop that can be practised"); empty when they can."""

    @abstractmethod
    def records(self, first: int) -> list[R]:
        """Ten of them: what goes well, what goes wrong, and the odd cases between. What is numbered is so from `first`
        on."""

    def begin(self, stage: Stage, vendors: Vendors) -> None:
        """Before the first record, where all vendors are simulated."""

    @abstractmethod
    def happen(self, vendors: Vendors, record: R) -> Happened:
        """Have it happen. On real sandbox accounts, the simulator behind the flow's trigger is all there is."""

    def state(self, vendors: Vendors) -> Any:
        """What `checks` has to know of the time before a record."""
        return None

    def checks(self, record: R, happened: Happened, vendors: Vendors, wanted: Wanted, before: Any) -> Iterator[Check]:
        """Compares what the vendors hold with what the record says."""
        yield from ()

    def asks(self, record: R, wanted: Wanted) -> bool:
        """Whether the flow does something for which what is `unknown` has to be known."""
        return bool(record.unknown)

    async def mend(self, stage: Stage, vendors: Vendors, record: R, stuck: ExceptionRow) -> str:
        """Do what the owner would do about what is unknown, before it is tried again; says why it can't be done."""
        return "nobody knows how to mend it"
