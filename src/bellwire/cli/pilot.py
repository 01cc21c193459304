"""`bellwire pilot`: ten test records through a flow, and a report that says ready or not."""

import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import FAILED, HERE, Json, Project, print_json, say
from bellwire.errors import BellwireError

if TYPE_CHECKING:
    from bellwire.cli.piloting import Plan
    from bellwire.practice.pilot import Report, Tried

_FIRST = 2001
"""The number of the first record's order, where orders have one."""


class On(StrEnum):
    """Where the records go."""

    PRACTICE = "practice"
    SANDBOX = "sandbox"


def register(app: typer.Typer) -> None:
    app.command()(pilot)


def pilot(
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="As `bellwire flow list` names it.")],
    on: Annotated[On, typer.Option(help="Simulated vendors, or the project's own sandbox accounts.")] = On.PRACTICE,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", dir_okay=False, help="The page.", show_default="reports/pilot-FLOW-DATE.html"
        ),
    ] = None,
    project: Project = HERE,
    as_json: Json = False,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="Print JSON, a line for each record as it ends, and one for all that --json has."),
    ] = False,
    who: Annotated[str, typer.Option(help="Who wants it, for the record.", show_default="you")] = "",
) -> None:
    """Try a flow with ten test records, good and bad, and say whether it is ready to go live.

    Example: bellwire pilot order_to_cash

    On practice vendors nothing real is called. Ends with exit code 0 if it is ready, with 1 if it isn't.
    """
    import uvloop

    from bellwire.cli.logs import set_up
    from bellwire.cli.piloting import Plan
    from bellwire.practice.pilot import page

    set_up(os.environ.get("BELLWIRE_LOG_LEVEL", "error"))
    quiet = as_json or lines
    found = uvloop.run(_pilot(Plan.read(flow, project), on, _tell_line if lines else None if as_json else _tell))
    path = report or project / "reports" / f"pilot-{found.flow.id}-{found.began.astimezone():%Y-%m-%d}.html"
    _write(path, page(found))
    told = found.as_json() | {"report": str(path.absolute())}
    if lines:
        _print_line(told)
    elif as_json:
        print_json(told)
    else:
        _conclude(found, path)
    _record(found, project, who, quiet=quiet)
    if not found.ready:
        raise typer.Exit(FAILED)


async def _pilot(plan: "Plan", on: On, tell: "Callable[[Tried], None] | None") -> "Report":
    """`tell` is called with each record as it ends."""
    from bellwire.cli.piloting import on_practice, on_sandbox
    from bellwire.clock import system_clock
    from bellwire.practice.pilot import Report

    # Real accounts remember the records of earlier pilots: tenths of a second never give the same ten numbers again.
    first = _FIRST if on is On.PRACTICE else time.time_ns() // 10**8
    wanted, began, started = plan.kind.records(first), system_clock(), time.monotonic()
    async with on_practice(plan) if on is On.PRACTICE else on_sandbox(plan) as trial:
        if tell is _tell:
            systems = ", ".join(f"{connector.manifest.title} ({name})" for name, connector in plan.connectors.items())
            say(f"{plan.flow.name}: {len(wanted)} test records, on {on.value}.")
            say(f"{'Simulated' if on is On.PRACTICE else 'Your sandbox accounts'}: {systems}.\n")
        tried = [each async for each in _telling(trial.run(wanted), len(wanted), tell)]
    return Report(
        plan.flow,
        on is On.PRACTICE,
        began,
        timedelta(seconds=time.monotonic() - started),
        {name: connector.manifest.title for name, connector in plan.connectors.items()},
        tried,
        plan.kind.on_sandbox,
    )


# What is told


async def _telling(
    tried: "AsyncIterator[Tried]", total: int, tell: "Callable[[Tried], None] | None"
) -> "AsyncIterator[Tried]":
    """Tells each record as it ends, and people at a terminal which one is under way."""
    from contextlib import nullcontext

    from rich.console import Console

    console = Console(highlight=False, emoji=False, markup=False)
    status = nullcontext() if tell is not _tell or not console.is_terminal else console.status(f"Record 1 of {total} …")
    with status as shown:
        position = 1
        async for each in tried:
            if tell is not None:
                tell(each)
            position += 1
            if shown is not None:
                shown.update(f"Record {position} of {total} …")
            yield each


def _tell(tried: "Tried") -> None:
    from bellwire.clock import duration

    mark, took = ("✓" if tried.as_expected else "✗"), duration(tried.took) if tried.took is not None else ""
    say(f"{mark} {tried.position:>2}  {took:>6}  {tried.about[:1].upper()}{tried.about[1:]}")
    for check in tried.checks:
        if not check.held:
            say(f"{'':13}{check.what}: expected {check.expected}; found {check.actual}")
    for stuck in tried.stuck:
        say(f"{'':13}{stuck.action} needed a person: {stuck.sentence}")
        if stuck.remedy:
            say(f"{'':13}{stuck.remedy}")
    for retried in tried.retried:
        say(f"{'':13}{retried.action} was tried again: {retried.sentence}")


def _tell_line(tried: "Tried") -> None:
    from bellwire.practice.pilot import tried_as_json

    _print_line(tried_as_json(tried))


def _print_line(values: "Mapping[str, Any]") -> None:
    import orjson

    say(orjson.dumps(values).decode())
    sys.stdout.flush()


def _conclude(report: "Report", path: Path) -> None:
    from bellwire.clock import duration

    say()
    for check in report.criteria:
        say(f"{'✓' if check.held else '✗'} {check.what}: {check.expected}; measured {check.actual}")
    if report.by_hand is not None:
        say(f"By hand, these {len(report.tried)} would have taken a person {duration(report.by_hand)}.")
    say(f"\n{'READY' if report.ready else 'NOT READY'}: {report.as_expected} of {len(report.tried)} as expected.")
    for sentence in report.why_not:
        say(f"- {sentence}")
    for note in report.notes:
        say(f"Note: {note}")
    say(f"The report: {path}")


def _record(report: "Report", project: Path, who: str, *, quiet: bool) -> None:
    from bellwire.cli.going_live import keep, say_what_waits

    stands = keep(report, project, who)
    if not quiet:
        say_what_waits(stands)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BellwireError(
            f"The report {path} can't be written: {error.strerror}.", remedy="Name another file."
        ) from error
