"""`bellwire people`: who may use the desk."""

import sys
from collections.abc import Callable
from contextlib import suppress
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Project, new_group, print_rows, say
from bellwire.errors import BellwireError, NotFound

if TYPE_CHECKING:
    from bellwire.access import Role
    from bellwire.ledger import Database, PersonRow, Rows
    from bellwire.settings import Settings

group = new_group("See to who may use the desk.")

Address = Annotated[str, typer.Argument(metavar="EMAIL", help="The address that they sign in with.")]
RoleName = Annotated[str, typer.Argument(metavar="owner|operator|viewer", help="What they may do.")]
FromPipe = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from a pipe instead of asking for it.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="people")


@group.command("list")
def list_(project: Project = HERE, as_json: Json = False) -> None:
    """Show who has an account.

    Example: bellwire people list
    """
    from bellwire.cli.lasting import when, with_ledger
    from bellwire.ledger import people

    async def read(ledger: "Database", _: object) -> "list[PersonRow]":
        return await ledger.read(people.everybody)

    rows = [
        {
            "number": person.id,
            "name": person.name,
            "email": person.email,
            "role": person.role,
            "state": "closed" if person.disabled_at else "open",
            "codes": "on" if person.codes_since else "off",
            "signed_in_at": person.signed_in_at,
            "last": when(person.signed_in_at) or "never",
        }
        for person in with_ledger(project, read)
    ]
    columns = {
        "name": "Name",
        "email": "Address",
        "role": "Role",
        "state": "Account",
        "codes": "One-time codes",
        "last": "Signed in last",
    }
    print_rows(rows, columns, as_json=as_json, empty="Nobody has an account yet: `bellwire people add`.")


@group.command()
def add(
    email: Address,
    role: RoleName,
    name: Annotated[str, typer.Option(help="As it stands on record; by default what the address begins with.")] = "",
    password_stdin: FromPipe = False,
    project: Project = HERE,
) -> None:
    """Give somebody an account.

    Example: bellwire people add dana@example.com owner --name Dana

    Their first password is asked for twice, without showing it.
    """
    from bellwire.access import add_person

    role_, name = _role(role), name or email.partition("@")[0]
    kept = _new_password(password_stdin, name, email)
    _write(
        project,
        lambda rows, now, who: add_person(rows, name=name, email=email, role=role_, password=kept, now=now, who=who),
    )
    say(f"{name} {role_.meaning}.")


@group.command()
def role(email: Address, role: RoleName, project: Project = HERE) -> None:
    """Say what somebody may do.

    Example: bellwire people role ada@example.com operator
    """
    from bellwire.access import change_person

    wanted = _role(role)

    def change(rows: "Rows", person: "PersonRow", now: Any, who: str) -> None:
        change_person(rows, person.id, name=person.name, role=wanted, now=now, who=who)

    say(f"{_for(project, email, change).name} {wanted.meaning}.")


@group.command()
def password(
    email: Address,
    codes_off: Annotated[bool, typer.Option("--codes-off", help="Ask for no one-time code any more.")] = False,
    password_stdin: FromPipe = False,
    project: Project = HERE,
) -> None:
    """Set somebody's password; they are signed out everywhere.

    Example: bellwire people password dana@example.com

    With --codes-off also for somebody who has lost the phone and the recovery codes.
    """
    from bellwire.access import set_password, switch_codes_off

    kept = _new_password(password_stdin, email)

    def change(rows: "Rows", person: "PersonRow", now: Any, who: str) -> None:
        set_password(rows, person.id, kept, now, who=who)
        if codes_off:
            switch_codes_off(rows, person.id, now, who=who)

    say(f"{_for(project, email, change).name} has a new password, and is signed out everywhere.")


@group.command()
def close(email: Address, project: Project = HERE) -> None:
    """Close an account: they are signed out, and can't sign in.

    Example: bellwire people close ada@example.com

    What they did stays on record; the API tokens that they made are no longer good.
    """
    from bellwire.access import close_account

    person = _for(project, email, lambda rows, person, now, who: close_account(rows, person.id, now, who=who))
    say(f"{person.name} can't sign in any more.")


@group.command("open")
def open_(email: Address, project: Project = HERE) -> None:
    """Open a closed account again.

    Example: bellwire people open ada@example.com
    """
    from bellwire.access import open_account

    person = _for(project, email, lambda rows, person, now, who: open_account(rows, person.id, now, who=who))
    say(f"{person.name} may sign in again.")


@group.command()
def code(project: Project = HERE) -> None:
    """Show the code that the desk asks for when the first account is made from another machine.

    Example: bellwire people code
    """
    from bellwire.access import setup_code
    from bellwire.cli.lasting import with_ledger
    from bellwire.ledger import people

    async def read(ledger: "Database", _: "Settings") -> tuple[bool, str]:
        return await ledger.read(lambda rows: (people.is_anybody(rows), setup_code(rows)))

    anybody, found = with_ledger(project, read)
    if anybody:
        raise BellwireError("There is an account already.", remedy="Sign in with it, or: `bellwire people password`.")
    if not found:
        raise BellwireError("There is no code yet.", remedy="It is made when `bellwire up` starts for the first time.")
    say(found)


def _for(project: Path, email: str, change: "Callable[[Rows, PersonRow, Any, str], None]") -> "PersonRow":
    """Do it to the person with this address. Raises NotFound."""
    from bellwire.ledger import people

    def find(rows: "Rows", now: Any, who: str) -> "PersonRow":
        person = people.by_email(rows, email.strip().lower())
        if person is None:
            raise NotFound(f"Nobody has the address {email}.", remedy="`bellwire people list` shows who there is.")
        change(rows, person, now, who)
        return person

    found: PersonRow = _write(project, find)
    return found


def _write(project: Path, work: "Callable[[Rows, Any, str], Any]") -> Any:
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock

    async def write(ledger: "Database", _: "Settings") -> Any:
        return await ledger.write(lambda rows: work(rows, system_clock(), person()))

    return with_ledger(project, write)


def _role(name: str) -> "Role":
    from bellwire.access import Role

    try:
        return Role(name.lower())
    except ValueError:
        raise typer.BadParameter(f"'{name}' is no role: there are {', '.join(Role)}") from None


def _new_password(from_pipe: bool, *about: str) -> str:
    """Its hash. Raises BellwireError when it is too weak, or wasn't typed the same twice."""
    from bellwire.access import hashed, too_weak

    if from_pipe:
        given = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        given = again = ""
        with suppress(EOFError):
            given, again = getpass("Password (hidden): "), getpass("The same again: ")
        if given != again:
            raise BellwireError("The two aren't the same, so nothing was changed.")
    else:
        raise BellwireError("There is nobody to type a password.", remedy="Give it by a pipe: --password-stdin.")
    if wrong := too_weak(given, *about):
        raise BellwireError(wrong)
    return hashed(given)
