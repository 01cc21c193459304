"""`bellwire event`: what came in."""

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Limit, Project, counted, new_group, print_json, print_rows, say
from bellwire.errors import NotFound

if TYPE_CHECKING:
    from bellwire.ledger import EventRow, Rows

group = new_group("The events that came in, and what became of them.")

Event = Annotated[int, typer.Argument(metavar="EVENT", help="The event's number, as `bellwire event list` shows it.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="event")


@group.command("list")
def list_(
    connection: Annotated[str, typer.Option(help="Only those of this connection.")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this type, e.g. order.paid.")] = "",
    subject: Annotated[str, typer.Option(help="Only those about this, e.g. order/1001.")] = "",
    limit: Limit = 50,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Show the newest events, and whether they started a run.

    Example: bellwire event list --type order.paid
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import Database, Rows, events, runs

    async def read(ledger: Database, _: object) -> list[dict[str, Any]]:
        def query(rows: Rows) -> list[dict[str, Any]]:
            found = events.newest(rows, limit=limit, connection=connection, type_=type_, subject=subject)
            return [
                {
                    **{key: value for key, value in asdict(event).items() if key != "data"},
                    "outcome": ", ".join(f"run {run.id} {run.state.value}" for run in runs.of_event(rows, event.id))
                    or event.reason,
                    "arrivals": _arrivals(rows, event),
                    "came": when(event.recorded_at),
                }
                for event in found
            ]

        return await ledger.read(query)

    columns = {
        "id": "Event",
        "came": "Came in",
        "type": "What",
        "connection": "From",
        "subject": "About",
        "arrivals": "Arrivals",
        "outcome": "What became of it",
    }
    empty = "No event fits." if connection or type_ or subject else "No event has come in yet."
    print_rows(with_ledger(project, read), columns, as_json=as_json, empty=empty)


@group.command("show")
def show(event: Event, project: Project = HERE, as_json: Json = False) -> None:
    """Show one event with its data, as CloudEvents 1.0 has it.

    Example: bellwire event show 12
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.engine import event_of
    from bellwire.ledger import Database, Rows, deliveries, events, runs

    async def read(ledger: Database, _: object) -> tuple[Any, Any, int, bool]:
        def query(rows: Rows) -> tuple[Any, Any, int, bool]:
            row = events.find(rows, event)
            if row is None:
                raise NotFound(f"There is no event {event}.", remedy="`bellwire event list` shows them.")
            gone = row.delivery is not None and deliveries.payload(rows, row.delivery) is None
            return row, runs.of_event(rows, event), _arrivals(rows, row), gone

        return await ledger.read(query)

    row, started, arrivals, delivery_purged = with_ledger(project, read)
    if as_json:
        known = {"runs": [run.id for run in started], "reason": row.reason, "purged": row.purged}
        print_json(event_of(row).cloudevent() | known)
        return
    say(f"Event {row.id}: {row.type} of {row.subject}, from '{row.connection}' ({row.environment})")
    say(f"Happened {when(row.time)}, came in {when(row.recorded_at)}, {counted(arrivals, 'time')} in all.")
    for run in started:
        say(f"Run {run.id} of flow '{run.flow}': {run.state.value}. {run.reason}".rstrip())
    if row.reason:
        say(row.reason)
    if delivery_purged:
        say("The webhook as it arrived was purged; [keep] in bellwire.toml says after how many days.")
    if row.purged:
        say("Its data was purged too, so it can't be replayed; that it came, and what became of it, is still known.")
    else:
        say(f"All of its data: bellwire event show {row.id} --json")


@group.command("replay")
def replay(
    event: Event,
    flow: Annotated[str, typer.Option(help="The flow to run for it; by default, all that listen to it.")] = "",
    project: Project = HERE,
) -> None:
    """Run a flow for an event once more, on purpose: all of its actions are done again.

    Example: bellwire event replay 12

    Where a system finds again what it has for the order, such as its invoice, that one is taken and no second one made.
    """
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.engine import send_again
    from bellwire.flows import load_flows
    from bellwire.ledger import Database
    from bellwire.settings import Settings

    async def write(ledger: Database, settings: Settings) -> list[int]:
        now, nonce, flows = system_clock(), secrets.token_hex(8), load_flows(settings.flows)
        return await ledger.write(
            lambda rows: send_again(rows, event, flows, now, who=person(), nonce=nonce, flow=flow)
        )

    for run in with_ledger(project, write):
        say(f"Run {run} does it again; `bellwire run show {run}` tells how it goes.")


def _arrivals(rows: "Rows", event: "EventRow") -> int:
    """How often it came: in deliveries of its own, and in repeats of the first one."""
    from bellwire.ledger import deliveries

    delivery = deliveries.find(rows, event.delivery) if event.delivery else None
    return event.copies + (delivery.copies - 1 if delivery else 0)
