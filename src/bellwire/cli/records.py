"""`bellwire records`: which record of one system is which of another."""

from dataclasses import asdict
from typing import Annotated

import typer

from bellwire.cli.base import HERE, Json, Project, new_group, print_rows, read_project, say
from bellwire.errors import NotFound

group = new_group("Which record of one system is which of another.")

Connection = Annotated[
    str, typer.Argument(metavar="CONNECTION", help="The connection whose own name or id it is, e.g. books.")
]
Kind = Annotated[str, typer.Argument(metavar="KIND", help="What it is: product.")]
Ours = Annotated[str, typer.Argument(metavar="OURS", help="What the orders call it, e.g. a SKU.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="records")


@group.command("map")
def map_(
    connection: Connection,
    kind: Kind,
    ours: Ours,
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="What that system calls it: its id or name.")],
    project: Project = HERE,
) -> None:
    """Say that our SKU is called something else in another system; it holds from now on.

    Example: bellwire records map books product TEA-250 "Green tea, large"
    """
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.ledger import Database
    from bellwire.ledger.crosswalk import Mapping
    from bellwire.records import map_record

    if connection not in (known := read_project(project).connections):
        raise NotFound(f"There is no connection '{connection}'.", remedy=f"There are: {', '.join(known)}.")

    async def write(ledger: Database, _: object) -> None:
        mapping, now = Mapping(connection, kind, ours, theirs), system_clock()
        await ledger.write(lambda rows: map_record(rows, mapping, now, who=person()))

    with_ledger(project, write)
    say(f"From now on, {kind} {ours} is {theirs!r} for '{connection}'.")


@group.command("unmap")
def unmap(connection: Connection, kind: Kind, ours: Ours, project: Project = HERE) -> None:
    """Take such a saying back.

    Example: bellwire records unmap books product TEA-250
    """
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.ledger import Database
    from bellwire.records import unmap_record

    async def write(ledger: Database, _: object) -> bool:
        now = system_clock()
        return await ledger.write(lambda rows: unmap_record(rows, connection, kind, ours, now, who=person()))

    if not with_ledger(project, write):
        raise NotFound(f"{kind} {ours} isn't mapped for '{connection}'.", remedy="`bellwire records list` shows all.")
    say("Taken back.")


@group.command("list")
def list_(project: Project = HERE, as_json: Json = False) -> None:
    """Show all that is mapped.

    Example: bellwire records list
    """
    from bellwire.cli.lasting import with_ledger
    from bellwire.ledger import Database, crosswalk

    async def read(ledger: Database, _: object) -> list[dict[str, str]]:
        return [asdict(mapping) for mapping in await ledger.read(crosswalk.everything)]

    columns = {"connection": "Connection", "kind": "What", "ours": "Ours", "theirs": "Theirs"}
    print_rows(with_ledger(project, read), columns, as_json=as_json, empty="Nothing is mapped.")
