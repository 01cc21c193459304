"""Going through many exceptions: a portion in a transaction, so that a running engine writes between two of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from bellwire.errors import BellwireError
from bellwire.ledger import Database, Rows, exceptions

T = TypeVar("T")
Refused = tuple[int, BellwireError]
"""An exception's number, and why it couldn't be dealt with."""
_AT_ONCE = 200
"""Exceptions that are dealt with in one transaction."""


@dataclass(frozen=True)
class Told:
    """What came of going through them. `refused` says of each that couldn't be done why."""

    done: int
    refused: Sequence[Refused]


async def go_through(
    ledger: Database,
    numbers: Sequence[int],
    now: datetime,
    act: Callable[[Rows, int], None],
    *,
    prepare: Callable[[Rows, int], T],
    first: Callable[[Rows, int, T], None] = lambda *_: None,
    forward: Callable[[int, Sequence[Refused]], object],
) -> Told:
    """Do `act` to each, a portion at a time; before, `prepare` finds out what is to be done (without holding the
    ledger), and `first` does what has to be done to all of them before: to retry one opens its run again. `forward` is
    told of each portion: how many there were, and which of them couldn't be done."""
    done, refused = 0, list[Refused]()
    for start in range(0, len(numbers), _AT_ONCE):
        portion = numbers[start : start + _AT_ONCE]
        ready = await ledger.read(partial(prepared, numbers=portion, prepare=prepare))
        failed = await ledger.write(partial(deal_with, ready=ready, now=now, first=first, act=act))
        done, refused = done + len(portion) - len(failed), [*refused, *failed]
        forward(len(portion), failed)
    return Told(done, refused)


def prepared(rows: Rows, numbers: Sequence[int], prepare: Callable[[Rows, int], T]) -> dict[int, T | BellwireError]:
    """What `prepare` finds out about each, or why it can't be done."""
    ready: dict[int, T | BellwireError] = {}
    for number in numbers:
        try:
            ready[number] = prepare(rows, number)
        except BellwireError as error:
            ready[number] = error
    return ready


def deal_with(
    rows: Rows,
    ready: Mapping[int, T | BellwireError],
    now: datetime,
    act: Callable[[Rows, int], None],
    first: Callable[[Rows, int, T], None] = lambda *_: None,
) -> list[Refused]:
    """Do `act` to those that are ready; gives what couldn't be done. What a person does checks before it changes: when
    it raises, nothing was changed."""
    refused, left = [], []
    for number, prepared in ready.items():
        try:
            if isinstance(prepared, BellwireError):
                raise prepared
            first(rows, number, prepared)
        except BellwireError as error:
            refused.append((number, error))
        else:
            left.append(number)
    for number in left:
        row = exceptions.find(rows, number)
        if row is not None and row.closed_at == now:
            continue  # With one before it: both are of one run.
        try:
            act(rows, number)
        except BellwireError as error:
            refused.append((number, error))
    return refused
