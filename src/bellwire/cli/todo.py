"""`bellwire todo`: what flows ask of people: to decide, or to do an action themselves."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Limit, Project, new_group, print_json, print_rows, say
from bellwire.cli.telling import Id, With, require, result_of
from bellwire.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bellwire.ledger import AskRow, Database, Rows
    from bellwire.settings import Settings

group = new_group("What flows ask of people: a yes or a no, or to do something by hand.")

Number = Annotated[int, typer.Argument(metavar="TODO", help="Its number, as `bellwire todo list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it stays on record.", prompt="Why")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="todo")


@group.command("list")
def list_(
    flow: Annotated[str, typer.Option(help="Only those of this flow.")] = "",
    limit: Limit = 50,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Show what is open, oldest first.

    Example: bellwire todo list
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import asks

    async def read(ledger: "Database", _: object) -> list[dict[str, Any]]:
        found = await ledger.read(lambda rows: asks.open_ones(rows, flow=flow, limit=limit))
        return [_row(each) | {"since": when(each.asked_at)} for each in found]

    columns = {
        "id": "No.",
        "kind": "",
        "text": "What",
        "run": "Run",
        "asked": "Who",
        "since": "Since",
    }
    listed = with_ledger(project, read)
    print_rows(listed, columns, as_json=as_json, empty="Nobody has anything to do.")
    if listed and not as_json:
        say("`bellwire todo show NO.` shows the values, and how to answer.")


@group.command("show")
def show(number: Number, project: Project = HERE, as_json: Json = False) -> None:
    """Show one with every value, ready to copy.

    Example: bellwire todo show 3
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.engine import values_of
    from bellwire.ledger import AskKind, AskState, asks

    async def read(ledger: "Database", _: object) -> "AskRow":
        found = await ledger.read(lambda rows: asks.find(rows, number))
        if found is None:
            raise NotFound(f"There is no to-do {number}.", remedy="`bellwire todo list` shows them.")
        return found

    found = with_ledger(project, read)
    if as_json:
        print_json(_row(found))
        return
    say(found.text)
    values = [{"field": field, "value": value} for field, value in values_of(found.given)]
    print_rows(values, {"field": "Field", "value": "Value"}, as_json=False, empty="It needs no values.")
    if found.state is not AskState.OPEN:
        say(f"It is {found.state.value}, since {when(found.decided_at)}. {found.who} {found.reason}".rstrip())
    elif found.kind is AskKind.APPROVAL:
        say(f"Until {when(found.expires_at)}.")
        say(f"Yes: bellwire todo approve {number}")
        say(f'No:  bellwire todo decline {number} --reason "…"')
    else:
        say(f"Done: bellwire todo done {number} --id …   (the number that the other system gave)")
        say(f'Not to be done: bellwire todo skip {number} --reason "…"')


@group.command("approve")
def approve(number: Number, reason: Annotated[str, typer.Option(help="A note.")] = "", project: Project = HERE) -> None:
    """Say yes: the action is done.

    Example: bellwire todo approve 3
    """
    from bellwire.engine import approve as approve_one

    _answer(project, lambda rows, now, who: approve_one(rows, number, now, who=who, reason=reason))
    say("Noted: yes. The run goes on.")


@group.command("decline")
def decline(number: Number, reason: Reason, project: Project = HERE) -> None:
    """Say no: the action is left out.

    Example: bellwire todo decline 3 --reason "sent back by agreement"
    """
    from bellwire.engine import decline as decline_one

    _answer(project, lambda rows, now, who: decline_one(rows, number, now, who=who, reason=reason))
    say("Noted: no. The run goes on without it.")


@group.command("done")
def done(
    number: Number,
    id_: Id = "",
    with_: With = None,
    project: Project = HERE,
) -> None:
    """Tick it off: you did it, and the run goes on with what you tell it.

    Example: bellwire todo done 3 --id 1045

    If a later action can't be done without more, it says so, and nothing is changed.
    """
    from bellwire.cli.lasting import means, with_ledger
    from bellwire.engine import lacking, still_asked, tick_off

    result = result_of(id_, with_)

    async def check(ledger: "Database", settings: "Settings") -> None:
        known = means(ledger, settings)

        def query(rows: "Rows") -> None:
            row = still_asked(rows, number)
            require(row.action, lacking(rows, known, row, result))

        await ledger.read(query)

    with_ledger(project, check)
    _answer(project, lambda rows, now, who: tick_off(rows, number, now, who=who, result=result))
    say("Ticked off. The run goes on.")


@group.command("skip")
def skip(number: Number, reason: Reason, project: Project = HERE) -> None:
    """Nobody is to do it: the action is left out.

    Example: bellwire todo skip 3 --reason "the customer picks it up"
    """
    from bellwire.engine import leave_out

    _answer(project, lambda rows, now, who: leave_out(rows, number, now, who=who, reason=reason))
    say("Left out. The run goes on without it.")


def _answer(project: Any, act: "Callable[[Rows, datetime, str], None]") -> None:
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock

    async def write(ledger: "Database", _: object) -> None:
        now, who = system_clock(), person()
        await ledger.write(lambda rows: act(rows, now, who))

    with_ledger(project, write)


def _row(ask: "AskRow") -> dict[str, Any]:
    import orjson

    return asdict(ask) | {"given": orjson.loads(ask.given)}
