"""`bellwire token`: what programs show to the API."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import HERE, Json, Project, new_group, print_json, print_rows, say

if TYPE_CHECKING:
    from bellwire.access import Right
    from bellwire.ledger import Database, TokenRow

group = new_group("Let programs into the API.")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="token")


@group.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    may: Annotated[
        list[str] | None, typer.Option(metavar="see|work|manage", help="What it may do; several times for several.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="When it ends; 0: never.")] = 90,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Make a token. It is shown this once.

    Example: bellwire token new "the till" --may see --may work

    Without --may it may look at everything, and change nothing.
    """
    from bellwire.access import issue_token
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock

    rights, now = [_right(each) for each in may or ["see"]], system_clock()
    ends = now + timedelta(days=days) if days else None

    async def write(ledger: "Database", _: object) -> tuple[int, str]:
        return await ledger.write(lambda rows: issue_token(rows, name, rights, now, who=person(), expires_at=ends))

    number, token = with_ledger(project, write)
    if as_json:
        print_json({"number": number, "token": token, "expires_at": ends})
    else:
        say(token)


@group.command("list")
def list_(project: Project = HERE, as_json: Json = False) -> None:
    """Show the tokens: what each may do, and when it was used last.

    Example: bellwire token list
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.clock import system_clock
    from bellwire.ledger import tokens

    async def read(ledger: "Database", _: object) -> "list[TokenRow]":
        return await ledger.read(tokens.all_of_them)

    now = system_clock()
    rows = [
        vars(token)
        | {
            "may": ", ".join(token.rights),
            "state": "revoked"
            if token.revoked_at
            else "over"
            if token.expires_at and token.expires_at <= now
            else "good",
            "used": when(token.used_at) or "never",
            "ends": when(token.expires_at) or "never",
        }
        for token in with_ledger(project, read)
    ]
    columns = {"id": "No.", "name": "For", "may": "May", "state": "", "used": "Used last", "ends": "Ends"}
    print_rows(rows, columns, as_json=as_json, empty="There is none: `bellwire token new`.")


@group.command()
def revoke(
    number: Annotated[
        int, typer.Argument(metavar="NO", min=1, max=2**63 - 1, help="As `bellwire token list` shows it.")
    ],
    project: Project = HERE,
) -> None:
    """End a token: the program that has it is refused from its next request on.

    Example: bellwire token revoke 3
    """
    from bellwire.access import revoke_token
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock

    async def write(ledger: "Database", _: object) -> None:
        await ledger.write(lambda rows: revoke_token(rows, number, system_clock(), who=person()))

    with_ledger(project, write)
    say(f"Token {number} is no longer good.")


def _right(name: str) -> "Right":
    from bellwire.access import Right

    try:
        return Right(name.lower())
    except ValueError:
        raise typer.BadParameter(f"'{name}' is no right: there are {', '.join(Right)}") from None
