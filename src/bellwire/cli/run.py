"""`bellwire run`: what is done about the events."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Limit, Project, counted, new_group, print_json, print_rows, say
from bellwire.errors import NotFound

group = new_group("The runs: one for each event and flow.")

Run = Annotated[int, typer.Argument(metavar="RUN", help="The run's number, as `bellwire run list` shows it.")]
State = Annotated[str, typer.Option(help="Only those: running, waiting, held, done, skipped or dead.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="run")


@group.command("list")
def list_(
    flow: Annotated[str, typer.Option(help="Only runs of this flow.")] = "",
    state: State = "",
    limit: Limit = 50,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Show the newest runs.

    Example: bellwire run list --state dead
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import Database, Rows, RunState, Wanted, events, finding

    if state and state not in (states := [each.value for each in RunState]):
        raise typer.BadParameter(f"a run is {', '.join(states[:-1])} or {states[-1]}", param_hint="--state")

    wanted = Wanted(flow=flow, state=RunState(state) if state else None)

    async def read(ledger: Database, _: object) -> list[dict[str, Any]]:
        def query(rows: Rows) -> list[dict[str, Any]]:
            listed = []
            for run in finding.newest_runs(rows, wanted, limit=limit):
                event = events.find(rows, run.event)
                listed.append(
                    asdict(run)
                    | {
                        "subject": event.subject if event else "",
                        "began": when(run.created_at),
                        "took": _took(run.received_at, run.finished_at),
                    }
                )
            return listed

        return await ledger.read(query)

    columns = {
        "id": "Run",
        "began": "Began",
        "flow": "Flow",
        "subject": "About",
        "state": "State",
        "took": "Took",
        "reason": "Why",
    }
    empty = "No run fits." if flow or state else "No run yet."
    print_rows(with_ledger(project, read), columns, as_json=as_json, empty=empty)


@group.command("show")
def show(run: Run, project: Project = HERE, as_json: Json = False) -> None:
    """Show one run with every attempt.

    Example: bellwire run show 12
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.cli.situation import said_of_edit
    from bellwire.engine import edits_of, in_short
    from bellwire.ledger import Database, Rows, events, exceptions, runs

    async def read(ledger: Database, _: object) -> dict[str, Any]:
        def query(rows: Rows) -> dict[str, Any]:
            row = runs.find(rows, run)
            if row is None:
                raise NotFound(f"There is no run {run}.", remedy="`bellwire run list` shows them.")
            event = events.find(rows, row.event)
            assert event is not None
            return {
                **asdict(row),
                "subject": event.subject,
                "business_key": event.business_key,
                "attempts": [asdict(attempt) for attempt in runs.attempts(rows, run)],
                "exceptions": [asdict(each) for each in exceptions.of_run(rows, run)],
                "edits": edits_of(rows, run),
            }

        return await ledger.read(query)

    found = with_ledger(project, read)
    if as_json:
        print_json(found)
        return
    say(f"Run {run} of flow '{found['flow']}' for {found['subject']}: {found['state']}. {found['reason']}".rstrip())
    say(f"The webhook arrived {when(found['received_at'])}.")
    rows = [
        attempt
        | {
            "began": when(attempt["started_at"]),
            "took": _took(attempt["started_at"], attempt["finished_at"]),
            "told": attempt["sentence"] or in_short(attempt["result"]),
        }
        for attempt in found["attempts"]
    ]
    columns = {
        "action": "Action",
        "number": "Attempt",
        "began": "Began",
        "took": "Took",
        "outcome": "Outcome",
        "told": "",
    }
    print_rows(rows, columns, as_json=False, empty="Nothing has been tried yet.")
    for edit in found["edits"]:
        say(said_of_edit(edit))
    for exception in found["exceptions"]:
        if exception["state"] == "open":
            say(f"Exception {exception['id']}: {exception['sentence']} {exception['remedy']}".rstrip())


@group.command("retry")
def retry(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="RUN", help="The runs' numbers.")] = None,
    flow: Annotated[str, typer.Option(help="Or all dead runs of this flow.")] = "",
    cause: Annotated[str, typer.Option(help="Or all that failed for this cause, e.g. unknown-sku:TEA-250.")] = "",
    as_now: Annotated[bool, typer.Option("--as-now", help="With the flow as it is now, not as it was.")] = False,
    project: Project = HERE,
) -> None:
    """Retry dead runs from the action that failed; what is done is not done again.

    Example: bellwire run retry --cause unknown-sku:TEA-250
    """
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import retry_run
    from bellwire.flows import load_flows
    from bellwire.ledger import Database, Rows, exceptions
    from bellwire.settings import Settings

    async def write(ledger: Database, settings: Settings) -> list[int]:
        now = system_clock()
        today = {each.id: each for each in load_flows(settings.flows)} if as_now else None

        def operation(rows: Rows) -> list[int]:
            chosen = list(numbers or ())
            if flow or cause:
                open_ones = exceptions.open_ones(rows, limit=100_000, flow=flow, cause=cause)
                chosen += [each.run for each in open_ones if each.run is not None]
            for number in (chosen := sorted(set(chosen))):
                retry_run(rows, number, now, who=person(), today=today)
            return chosen

        return await ledger.write(operation)

    if not (numbers or flow or cause):
        raise typer.BadParameter("name runs, or choose them by --flow or --cause")
    retried = with_ledger(project, write)
    which = "the flow as it is now" if as_now else "the flow as it was when they began"
    say(f"{counted(len(retried), 'run goes', 'runs go')} on, with {which}." if retried else "No dead run fits.")


@group.command("cancel")
def cancel(
    run: Run,
    reason: Annotated[str, typer.Option(help="Why; it stays on record.", prompt="Why")],
    project: Project = HERE,
) -> None:
    """Give up a run that waits or is dead; what it did stays done.

    Example: bellwire run cancel 12 --reason "sent by hand"
    """
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import cancel as cancel_one
    from bellwire.ledger import Database

    async def write(ledger: Database, _: object) -> None:
        now = system_clock()
        await ledger.write(lambda rows: cancel_one(rows, run, now, who=person(), reason=reason))

    with_ledger(project, write)
    say(f"Run {run} is cancelled.")


def _took(start: datetime, end: datetime | None) -> str:
    from bellwire.clock import duration

    return duration(end - start) if end else ""
