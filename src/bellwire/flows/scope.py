"""What expressions can see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bellwire.business import BusinessCalendar
from bellwire.events import Event

BUSINESS = "business"
Scope = dict[str, Any]
"""`event` (the event's data), `events` (all that were gathered), `meta` (its envelope), `business` (a BusinessCalendar:
the days and hours of the business, by which filters count business days), each finished action's result by its name
(for one with `for_each`: the list of its results; for a skipped one: SKIPPED; for one done by a person: ByHand; for one
that was only noted: Foreseen), and `item` inside a `for_each`."""


class Skipped:
    """The result of an action that was skipped, and each of its fields, however deep: false, empty, printed as
    nothing, equal to nothing but emptiness, never greater or less. As an input it is left out, so that the
    operation's own default holds."""

    def __getattr__(self, name: str) -> "Skipped":
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "SKIPPED"

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __eq__(self, other: object) -> bool:
        return other is None or other == "" or isinstance(other, Skipped)

    def __lt__(self, other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self) -> int:
        return 0


SKIPPED = Skipped()


class Foreseen:
    """The result of an action that was not done, only noted (in the mode `shadow`), and each of its fields, however
    deep: true, printed as its own name, equal to nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "Foreseen":
        if name.startswith("_"):
            raise AttributeError(name)
        return Foreseen(f"{self._name}.{name}")

    def __getitem__(self, key: int) -> "Foreseen":
        return Foreseen(f"{self._name}[{key}]")

    def __str__(self) -> str:
        return f"‹{self._name}›"

    __repr__ = __str__

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter((self[0],))

    def __lt__(self, other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


@dataclass(frozen=True)
class ByHand:
    """The result of an action that a person did: the fields that were told; all others as if it had been skipped."""

    told: Mapping[str, Any]


_NINE_TO_FIVE = BusinessCalendar()


def scope_for(
    event: Event,
    results: Mapping[str, Any] | None = None,
    gathered: Sequence[Any] = (),
    business: BusinessCalendar = _NINE_TO_FIVE,
    links: Mapping[str, str] = MappingProxyType({}),
) -> Scope:
    """The scope of a run of `event`, with the results there are; the caller adds the others as they come. `gathered`:
    the data of the events that came together with it; `business` is the project's (`Settings.calendar`);
    `links` are those that answer what its actions ask, by action."""
    known = {
        "event": event.data,
        "events": [event.data, *gathered],
        "meta": event,
        BUSINESS: business,
        "links": dict(links),
    }
    return known | dict(results or {})
