"""Which exceptions a command is about, and going through many of them."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bellwire.cli.base import counted, printable
from bellwire.errors import BellwireError

if TYPE_CHECKING:
    from bellwire.ledger import Database, Rows
    from bellwire.ledger.exceptions import Choice

T = TypeVar("T")

_AT_ONCE = 200
"""Exceptions that are dealt with in one transaction. A running `bellwire up` writes between two of them."""
_TOLD = 20
"""Failures that are told one by one."""

Numbers = Annotated[list[int] | None, typer.Argument(metavar="EXCEPTION", help="Their numbers.")]
Cause = Annotated[str, typer.Option(help="All that have this cause, e.g. unknown-sku:TEA-250.")]
OfFlow = Annotated[str, typer.Option("--flow", help="All of this flow.")]
OfConnection = Annotated[str, typer.Option("--connection", help="All that concern this connection.")]
About = Annotated[str, typer.Option(help="All about this order's number, or this event's subject.")]
OlderThan = Annotated[str, typer.Option(metavar="TIME", help="Open for longer: 2h, 3d, or a day such as 2026-01-31.")]
NewerThan = Annotated[str, typer.Option(metavar="TIME", help="Open for less long.")]
Everything = Annotated[bool, typer.Option("--all", help="All that are open.")]


@dataclass(frozen=True)
class Chosen:
    """What a command line says about which exceptions it is for."""

    numbers: Sequence[int]
    choice: "Choice"
    everything: bool

    @property
    def by_filter(self) -> bool:
        from bellwire.ledger.exceptions import EVERY_OPEN_ONE

        return self.everything or self.choice != EVERY_OPEN_ONE

    @property
    def none(self) -> str:
        """What to say when there is none."""
        only_by_cause = self.choice.cause and replace(self.choice, cause="") == type(self.choice)()
        if only_by_cause:
            return "None has this cause."
        return "None fits." if self.by_filter and not self.everything else "All is well: nothing needs you."

    def needed(self) -> "Chosen":
        """Itself, unless it says nothing."""
        if not (self.numbers or self.by_filter):
            raise typer.BadParameter("name exceptions, choose them by --cause or another filter, or take --all")
        return self

    def find(self, rows: "Rows") -> list[int]:
        """Their ids, each once; those that were named first."""
        from bellwire.ledger import exceptions

        fitting = exceptions.chosen_ids(rows, self.choice) if self.by_filter else []
        return list(dict.fromkeys([*self.numbers, *fitting]))


def chosen(
    numbers: Sequence[int] | None,
    cause: str,
    flow: str,
    connection: str,
    about: str,
    older_than: str,
    newer_than: str,
    everything: bool = False,
) -> Chosen:
    """What these options choose. Raises BadParameter."""
    from bellwire.cli.lasting import moment
    from bellwire.ledger.exceptions import Choice

    choice = Choice(
        cause=cause,
        flow=flow.replace("-", "_"),
        connection=connection,
        about=about,
        before=moment(older_than),
        after=moment(newer_than),
    )
    return Chosen(numbers or (), choice, everything)


@dataclass(frozen=True)
class Told:
    """What came of going through them. `refused` says of each that couldn't be done why."""

    done: int
    refused: Sequence[tuple[int, BellwireError]]

    def say_refused(self) -> None:
        """Say it, and end with exit code 1 if there is any."""
        if not self.refused:
            return
        typer.echo(f"{counted(len(self.refused), 'exception')} couldn't be done:", err=True)
        for number, error in self.refused[:_TOLD]:
            typer.echo(printable(f"  {number}: {error}"), err=True)
        if len(self.refused) > _TOLD:
            typer.echo(f"  and {len(self.refused) - _TOLD} more.", err=True)
        raise typer.Exit(1)


async def go_through(
    ledger: "Database",
    chosen: Chosen,
    now: datetime,
    act: "Callable[[Rows, int], None]",
    *,
    prepare: "Callable[[Rows, int], T]",
    first: "Callable[[Rows, int, T], None]" = lambda *_: None,
    doing: str,
) -> Told:
    """Do `act` to each, a portion at a time; before, `prepare` finds out what is to be done (without holding the
    ledger), and `first` does what has to be done to all of them before: to retry one opens its run again.

    When only one was named, what it raises is raised.
    """
    numbers = await ledger.read(chosen.find)
    done, refused = 0, list[tuple[int, BellwireError]]()
    with _bar(doing, len(numbers)) as forward:
        for start in range(0, len(numbers), _AT_ONCE):
            portion = numbers[start : start + _AT_ONCE]
            ready = await ledger.read(partial(_prepared, numbers=portion, prepare=prepare))
            failed = await ledger.write(partial(_portion, ready=ready, now=now, first=first, act=act))
            done, refused = done + len(portion) - len(failed), [*refused, *failed]
            forward(len(portion))
    if refused and len(numbers) == 1 and chosen.numbers:
        raise refused[0][1]
    return Told(done, refused)


def _prepared(
    rows: "Rows", numbers: Sequence[int], prepare: "Callable[[Rows, int], T]"
) -> "dict[int, T | BellwireError]":
    ready: dict[int, T | BellwireError] = {}
    for number in numbers:
        try:
            ready[number] = prepare(rows, number)
        except BellwireError as error:
            ready[number] = error
    return ready


def _portion(
    rows: "Rows",
    ready: "Mapping[int, T | BellwireError]",
    now: datetime,
    first: "Callable[[Rows, int, T], None]",
    act: "Callable[[Rows, int], None]",
) -> list[tuple[int, BellwireError]]:
    """What couldn't be done. What a person does checks before it changes: when it raises, nothing was changed."""
    from bellwire.ledger import exceptions

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


@contextmanager
def _bar(doing: str, total: int) -> Iterator[Callable[[int], object]]:
    """How far it is, on standard error; only for who sits at a terminal, and only where there is more than one."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    away = total < 2 or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=away) as progress:
        task = progress.add_task(doing, total=total)
        yield lambda steps: progress.advance(task, steps)
