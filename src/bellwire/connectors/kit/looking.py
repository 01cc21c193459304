"""What somebody did already of that which an action would do: looked for at the vendor, without changing anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bellwire.capabilities import Result
from bellwire.connectors.kit.http import before_writing
from bellwire.errors import Refused
from bellwire.money import Money

ONLY_LOOKING = "only-looking"


@dataclass(frozen=True)
class Compared:
    """One thing that both say: what Bellwire would have sent, and what the vendor has. Texts, for people."""

    name: str
    """Such as `total`."""
    ours: str
    theirs: str
    """Empty: it says nothing there."""

    @property
    def same(self) -> bool:
        return self.ours.strip().casefold() == self.theirs.strip().casefold()

    @classmethod
    def money(cls, name: str, ours: Money, theirs: Money) -> "Compared":
        return cls(name, str(ours.rounded()), str(theirs.rounded()))


@dataclass(frozen=True)
class Seen:
    """What is there, whoever made it."""

    label: str
    """What people call it: `invoice 1001`."""
    compared: tuple[Compared, ...] = ()
    url: str = ""
    result: Result | None = None
    """What the action would have given if it had made this: what builds on it can be looked for then. None: it can't be
    told, or nothing builds on it."""


@contextmanager
def only_looking() -> Iterator[None]:
    """Nothing that may change something at a vendor is sent within this block: instead, Refused (only-looking)."""

    async def refuse() -> None:
        raise Refused("This would have changed something there, so it wasn't sent.", cause=ONLY_LOOKING)

    token = before_writing.set(refuse)
    try:
        yield
    finally:
        before_writing.reset(token)
