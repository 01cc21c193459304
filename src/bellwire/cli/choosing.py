"""Which exceptions a command is about, and going through many of them."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bellwire.cli.base import counted, printable

if TYPE_CHECKING:
    from bellwire.engine import Told
    from bellwire.ledger import Database, Rows
    from bellwire.ledger.exceptions import Choice

T = TypeVar("T")

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


def say_refused(told: "Told") -> None:
    """Say what couldn't be done, and end with exit code 1 if there is any."""
    if not told.refused:
        return
    typer.echo(f"{counted(len(told.refused), 'exception')} couldn't be done:", err=True)
    for number, error in told.refused[:_TOLD]:
        typer.echo(printable(f"  {number}: {error}"), err=True)
    if len(told.refused) > _TOLD:
        typer.echo(f"  and {len(told.refused) - _TOLD} more.", err=True)
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
) -> "Told":
    """As the engine's, with a bar that shows how far it is. When only one was named, what it raises is raised."""
    from bellwire import engine

    numbers = await ledger.read(chosen.find)
    with _bar(doing, len(numbers)) as forward:
        told = await engine.go_through(
            ledger, numbers, now, act, prepare=prepare, first=first, forward=lambda steps, _: forward(steps)
        )
    if told.refused and len(numbers) == 1 and chosen.numbers:
        raise told.refused[0][1]
    return told


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
