"""`bellwire status`: what runs, and what waits."""

from typing import TYPE_CHECKING, Any

import typer

from bellwire.cli.base import HERE, Json, Project, counted, print_json, print_rows, say

if TYPE_CHECKING:
    from bellwire.ledger import Rows


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(as_json: Json = False, project: Project = HERE) -> None:
    """Show which processes are at work, what waits for them, and what is out of order.

    Example: bellwire status
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import Database
    from bellwire.settings import Settings

    async def look(ledger: Database, settings: Settings) -> tuple[bool, dict[str, Any]]:
        return ledger.queue() is None, await ledger.read(_look)

    alone, found = with_ledger(project, look)
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
