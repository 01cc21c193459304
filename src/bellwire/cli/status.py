"""`bellwire status`: what runs, and what waits."""

from typing import TYPE_CHECKING, Any

import typer

from bellwire.cli.base import HERE, Json, Project, counted, print_json, print_rows, say, say_error

if TYPE_CHECKING:
    from bellwire.ledger import Rows


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(as_json: Json = False, project: Project = HERE) -> None:
    """Show which processes are at work, what waits for them, what is out of order, and which flows aren't live.

    Example: bellwire status
    """
    from bellwire.cli.going_live import in_json, say_what_waits, standings_of
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.engine import Standing
    from bellwire.flows import FlowErrors, load_flows
    from bellwire.ledger import Database, FlowMode
    from bellwire.settings import Settings

    async def look(ledger: Database, settings: Settings) -> tuple[bool, dict[str, Any], list[Standing]]:
        try:
            flows = load_flows(settings.flows)
        except FlowErrors as error:
            flows = []
            say_error(error)
        stands = await ledger.read(lambda rows: standings_of(rows, settings, flows))
        return ledger.queue() is None, await ledger.read(_look), stands

    alone, found, stands = with_ledger(project, look)
    found["flows"] = [{"flow": each.flow.id} | in_json(each) for each in stands]
    if as_json:
        print_json(found)
        return
    if alone:
        say("The ledger is a file, which one process has to itself.")
    else:
        columns = {"process": "process", "work": "work", "carrying": "carrying", "since": "since", "version": "version"}
        there = [each | {"since": when(each["since"])} for each in found["processes"]]
        print_rows(there, columns, as_json=False, empty="No process is at work on this ledger.")
    say(f"To be read: {counted(found['unread'], 'webhook')}.")
    told = ", ".join(f"{number} {state}" for state, number in found["runs"].items() if number)
    say(f"Runs that aren't at their end: {told or 'none'}.")
    say(f"Open exceptions: {found['exceptions']}.")
    for row in found["out_of_order"]:
        say(f"Out of order since {when(row['since'])}: {row['connection']}. {row['reason']}")
    for each in stands:
        if not each.waits and each.mode is not FlowMode.LIVE:
            say(f"{each.flow.name} is {each.mode}.")
    say_what_waits(stands)


def _look(rows: "Rows") -> dict[str, Any]:
    from bellwire.clock import system_clock
    from bellwire.ledger import health, processes, pulse

    now = system_clock()
    state = pulse.pulse(rows, now)
    return {
        "processes": [
            {
                "process": each.name,
                "work": each.work,
                "carrying": each.carrying,
                "since": each.started_at,
                "version": each.version,
            }
            for each in processes.alive(rows, now)
        ],
        "unread": state.unread,
        "runs": dict(state.unfinished),
        "exceptions": sum(state.exceptions.values()),
        "out_of_order": [
            {"connection": row.connection, "state": row.state, "since": row.since, "reason": row.reason}
            for row in health.out_of_order(rows)
        ],
    }
