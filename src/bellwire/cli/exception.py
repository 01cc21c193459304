"""`bellwire exception`: what needs a person."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Project, new_group, print_json, print_rows, say
from bellwire.errors import NotFound

group = new_group("What needs a person: the dead letters.")

Number = Annotated[int, typer.Argument(metavar="EXCEPTION", help="Its number, as `bellwire exception list` shows it.")]
Numbers = Annotated[list[int] | None, typer.Argument(metavar="EXCEPTION", help="Their numbers.")]
Cause = Annotated[str, typer.Option(help="All that have this cause.")]
Reason = Annotated[str, typer.Option(help="Why; it stays on record.", prompt="Why")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="exception")


@group.command("list")
def list_(cause: Cause = "", project: Project = HERE, as_json: Json = False) -> None:
    """Show what is open, oldest first.

    Example: bellwire exception list
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import Database, exceptions

    async def read(ledger: Database, _: object) -> list[dict[str, Any]]:
        found = await ledger.read(lambda rows: exceptions.open_ones(rows, cause=cause))
        return [asdict(each) | {"since": when(each.opened_at)} for each in found]

    found = with_ledger(project, read)
    columns = {
        "id": "No.",
        "since": "Since",
        "run": "Run",
        "action": "Action",
        "sentence": "What happened",
        "cause": "Cause",
    }
    empty = "None has this cause." if cause else "All is well: nothing needs you."
    print_rows(found, columns, as_json=as_json, empty=empty)
    if found and not as_json:
        say("`bellwire exception show NO.` says what to do.")


@group.command("show")
def show(number: Number, project: Project = HERE, as_json: Json = False) -> None:
    """Show one with what to do about it, and what is done already elsewhere.

    Example: bellwire exception show 3
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import Database, Outcome, Rows, exceptions, runs

    async def read(ledger: Database, _: object) -> dict[str, Any]:
        def query(rows: Rows) -> dict[str, Any]:
            row = exceptions.find(rows, number)
            if row is None:
                raise NotFound(f"There is no exception {number}.", remedy="`bellwire exception list` shows them.")
            done = runs.attempts(rows, row.run) if row.run else []
            settled = (Outcome.DONE, Outcome.BY_HAND)
            return asdict(row) | {"done_already": [each.action for each in done if each.outcome in settled]}

        return await ledger.read(query)

    found = with_ledger(project, read)
    if as_json:
        print_json(found)
        return
    say(found["sentence"])
    if found["remedy"]:
        say(f"What to do: {found['remedy']}")
    say(f"Open since {when(found['opened_at'])}; it is {found['state']}.")
    if found["run"]:
        say(f"It stopped run {found['run']} at the action '{found['action']}'.")
        say(f"Done already: {', '.join(found['done_already']) or 'nothing'}.")
    if found["detail"]:
        say(f"For your developer: {found['cause']}; {found['detail']}")
    if found["state"] == "open":
        say(f"Then:  bellwire exception retry {number}                  try again from there")
        say(f"   or  bellwire exception resolve {number} --id ID       you did it by hand; ID is what the system gave")
        say(f"   or  bellwire exception dismiss {number} --reason WHY  leave it")


@group.command("retry")
def retry(numbers: Numbers = None, cause: Cause = "", project: Project = HERE) -> None:
    """Try again from the action that failed; what is done is not done again.

    Example: bellwire exception retry --cause unknown-sku:TEA-250
    """
    from bellwire.cli.lasting import with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import retry as retry_one
    from bellwire.ledger import Database, Rows, exceptions

    async def write(ledger: Database, _: object) -> int:
        now = system_clock()

        def operation(rows: Rows) -> int:
            fitting = exceptions.open_ones(rows, limit=100_000, cause=cause) if cause else []
            chosen = dict.fromkeys([*(numbers or ()), *(each.id for each in fitting)])
            retried = set[int | None]()
            for number in chosen:
                row = exceptions.find(rows, number)
                # To retry a run closes all of its exceptions.
                if row is None or row.run is None or row.run not in retried:
                    retry_one(rows, number, now)
                    retried.add(row.run if row else None)
            return len(chosen)

        return await ledger.write(operation)

    if not (numbers or cause):
        raise typer.BadParameter("name exceptions, or choose them by --cause")
    count = with_ledger(project, write)
    say(f"{count} tried again; a running `bellwire up` takes them up at once." if count else "None has this cause.")


@group.command("resolve")
def resolve(
    number: Number,
    id_: Annotated[
        str, typer.Option("--id", help="The number that the other system gave, for the later actions.")
    ] = "",
    with_: Annotated[
        list[str] | None, typer.Option("--with", metavar="FIELD=VALUE", help="Another field of the result.")
    ] = None,
    reason: Annotated[str, typer.Option(help="A note; it stays on record.")] = "Done by hand.",
    project: Project = HERE,
) -> None:
    """Say that you did it by hand; the run goes on with what you tell it.

    Example: bellwire exception resolve 3 --id 1045 --with number=1001
    """

    def close(rows: Any, now: datetime) -> None:
        from bellwire.engine import resolve as resolve_one

        pairs = [text.partition("=") for text in with_ or ()]
        if any(not separator for _, separator, _ in pairs):
            raise typer.BadParameter("--with takes FIELD=VALUE")
        result: dict[str, object] = {field: value for field, _, value in pairs}
        resolve_one(rows, number, now, result=result | ({"id": id_} if id_ else {}), reason=reason)

    _decide(project, close)
    say("Noted. The run goes on.")


@group.command("dismiss")
def dismiss(number: Number, reason: Reason, project: Project = HERE) -> None:
    """Leave it: nothing more is done about it.

    Example: bellwire exception dismiss 3 --reason "the customer cancelled by phone"
    """

    def close(rows: Any, now: datetime) -> None:
        from bellwire.engine import dismiss as dismiss_one

        dismiss_one(rows, number, now, reason=reason)

    _decide(project, close)
    say("Dismissed.")


def _decide(project: Any, close: Any) -> None:
    from bellwire.cli.lasting import with_ledger
    from bellwire.clock import system_clock
    from bellwire.ledger import Database

    async def write(ledger: Database, _: object) -> None:
        now = system_clock()
        await ledger.write(lambda rows: close(rows, now))

    with_ledger(project, write)
