"""`bellwire audit`: whether the books balance, and who did what."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import FAILED, HERE, Json, Limit, Project, counted, new_group, print_json, print_rows, say

if TYPE_CHECKING:
    from bellwire.ledger import Database, Rows
    from bellwire.ledger.figures import Balance
    from bellwire.settings import Settings

group = new_group("Prove that the books balance; who did what.")

Since = Annotated[str, typer.Option(metavar="TIME", help="From then on: 2h or 3d ago, or a day such as 2026-01-31.")]

_COLUMNS = {
    "day": "Day",
    "connection": "From",
    "flow": "Flow",
    "received": "Received",
    "done": "Done",
    "waiting": "Waiting",
    "dead": "Needs a person",
    "skipped": "Skipped",
}


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="audit")


@dataclass(frozen=True)
class Line:
    """One day's account of one connection and flow (or of none); `events` are some that aren't accounted for."""

    day: str
    balance: "Balance"
    events: list[int] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        flow = self.balance.flow or "(none)"
        return {"day": self.day, **asdict(self.balance), "flow": flow, "balanced": self.balance.balanced}


@group.callback(invoke_without_command=True, no_args_is_help=False)
def audit(ctx: typer.Context, since: Since = "", project: Project = HERE, as_json: Json = False) -> None:
    """Prove for every day, connection and flow: received = done + waiting + in need of a person + skipped.

    Example: bellwire audit

    Ends with exit code 1, and shows where, if anything is missing. `bellwire audit log` says who did what.
    """
    if ctx.invoked_subcommand is not None:
        return
    from bellwire.cli.lasting import moment, with_ledger

    async def read(ledger: "Database", settings: "Settings") -> list[Line]:
        return await _lines(ledger, moment(since), settings.time_zone)

    lines = with_ledger(project, read)
    wrong = [line for line in lines if not line.balance.balanced]
    if as_json:
        print_json([line.row() | {"unaccounted_events": line.events} for line in lines])
    else:
        _tell(lines, wrong)
    if wrong:
        raise typer.Exit(FAILED)


@group.command("log")
def log(
    target: Annotated[str, typer.Option(help="Only what was done to this, e.g. 'run 12' or 'exception 3'.")] = "",
    since: Since = "",
    limit: Limit = 50,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Show what people did, the newest first.

    Example: bellwire audit log --target "run 12"
    """
    from bellwire.cli.lasting import moment, when, with_ledger
    from bellwire.ledger import audit as acts

    async def read(ledger: "Database", _: object) -> list[dict[str, Any]]:
        found = await ledger.read(lambda rows: acts.newest(rows, limit=limit, target=target, since=moment(since)))
        return [asdict(act) | {"when": when(act.at)} for act in found]

    columns = {"when": "When", "who": "Who", "what": "What", "target": "To what", "detail": ""}
    empty = "Nothing fits." if target or since else "Nobody has done anything yet."
    print_rows(with_ledger(project, read), columns, as_json=as_json, empty=empty)


async def _lines(ledger: "Database", since: datetime | None, zone: tzinfo) -> list[Line]:
    """Each day in a look of its own: a long one would hold up the ledger's housekeeping."""
    from bellwire.clock import system_clock
    from bellwire.ledger import figures

    first = since or await ledger.read(figures.beginning)
    found: list[Line] = []
    for start, end in _days(first, system_clock(), zone) if first else ():
        found += await ledger.read(lambda rows, start=start, end=end: _day(rows, start, end))  # type: ignore[misc]
    return found


def _days(first: datetime, now: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """From midnight to midnight in the business's zone, so that they are the desk's days."""
    start = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while start <= now:
        # By the calendar, not by 24 hours: days on which the clocks change are shorter or longer.
        end = (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
        yield start, end
        start = end


def _day(rows: "Rows", start: datetime, end: datetime) -> list[Line]:
    from bellwire.ledger import figures

    lines = []
    for balance in [*figures.balances(rows, start, end), *figures.unread(rows, start, end)]:
        lost = (
            [] if balance.balanced else figures.unaccounted(rows, start, end, connection=balance.connection, limit=10)
        )
        lines.append(Line(start.date().isoformat(), balance, lost))
    return lines


def _tell(lines: list[Line], wrong: list[Line]) -> None:
    if not lines:
        say("The books balance: nothing has come in yet.")
        return
    if wrong:
        print_rows([line.row() for line in wrong], _COLUMNS, as_json=False)
        for line in wrong:
            if line.events:
                numbers = ", ".join(map(str, line.events))
                say(f"{line.day}, '{line.balance.connection}': not accounted for, e.g. event {numbers}.")
        days = counted(len({line.day for line in wrong}), "day")
        say(f"The books don't balance on {days}: keep a copy of the ledger, and report it.")
        return
    sums = {name: sum(getattr(line.balance, name) for line in lines) for name in list(_COLUMNS)[3:]}
    say(f"The books balance: {counted(len({line.day for line in lines}), 'day')}, every connection, every flow.")
    say(
        f"{sums['received']} received = {sums['done']} done + {sums['waiting']} waiting"
        f" + {sums['dead']} in need of a person + {sums['skipped']} skipped."
    )
