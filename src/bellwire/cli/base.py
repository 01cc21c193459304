"""What all commands share: the project option, tables and JSON, and how errors reach people."""

import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from bellwire.errors import BellwireError, ConfigurationError, NotFound

if TYPE_CHECKING:
    from bellwire.settings import Settings

FAILED, WRONG_USE, INTERRUPTED, CLOSED_PIPE = 1, 2, 130, 141

Project = Annotated[
    Path, typer.Option("--project", metavar="DIR", file_okay=False, help="The project's folder.", show_default="here")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]

HERE = Path()
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_IN_ORDER_OF_USE = (
    *("demo", "init", "connector", "secrets", "connect", "check", "practice", "pilot", "up", "worker", "status"),
    *("flow", "event", "run", "todo", "exception", "alert", "send-test", "reconcile", "records"),
    *("report", "runbook", "dictionary", "forecast", "insight"),
    *("people", "token", "audit", "purge", "backup", "restore", "migrate"),
)


class Group(TyperGroup):
    """A list of commands, each with the whole first sentence of its help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [(name, (self.commands[name].help or "").partition("\n\n")[0]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Commands(Group):
    """The commands in order of use; whatever goes wrong in one ends in a sentence and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        rank = {name: position for position, name in enumerate(_IN_ORDER_OF_USE)}
        return sorted(self.commands, key=lambda name: rank.get(name, len(rank)))

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody reads on. Python would complain about it once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(CLOSED_PIPE) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BellwireError as error:
            say_error(error)
            # To name what isn't there is a wrong use, like a wrong option.
            raise typer.Exit(WRONG_USE if isinstance(error, ConfigurationError | NotFound) else FAILED) from None
        except Exception as error:
            # The framework's own ways to end know their exit code, or ask for one.
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort):
                raise
            if isinstance(error, OSError) and error.filename is not None:
                say_error(_about_file(error))
                raise typer.Exit(FAILED) from None
            _say_fault(error)
            raise typer.Exit(FAILED) from None
        return result


def new_group(help_: str) -> typer.Typer:
    """An empty group of commands, such as `bellwire secrets`."""
    return typer.Typer(cls=Group, help=help_, no_args_is_help=True, rich_markup_mode=None)


def read_project(project: Path) -> "Settings":
    """The settings of the project in this folder. Raises ConfigurationError."""
    from bellwire.connectors import look_in
    from bellwire.settings import load_settings

    settings = load_settings(project, os.environ)
    look_in(settings.connectors)
    return settings


def say(text: str = "") -> None:
    """A line for the person at the terminal."""
    typer.echo(printable(text))


def say_error(error: BellwireError) -> None:
    """What happened, and on a line of its own what to do next."""
    typer.echo(printable(str(error).removesuffix(error.remedy).rstrip()), err=True)
    if error.remedy:
        typer.echo(printable(error.remedy), err=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    import orjson

    typer.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, empty: str = "Nothing."
) -> None:
    """A listing: as JSON all that the rows hold, else a table of `columns` (key → title), or the sentence `empty`."""
    if as_json:
        print_json(rows)
    elif not rows:
        say(empty)
    else:
        _print_table(rows, columns)


def printable(text: str) -> str:
    """The text without control characters: a vendor's words mustn't steer the terminal."""
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)


def _print_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns.values(), box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(printable("" if row[key] is None else str(row[key])) for key in columns))
    # Into a file or a pipe nothing is wrapped: what reads there goes by lines.
    width = None if sys.stdout.isatty() else 1000
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    with console.capture() as printed:
        console.print(table)
    lines = (line.rstrip() for line in printed.get().splitlines())
    typer.echo("\n".join(line for line in lines if line))


def _about_file(error: OSError) -> BellwireError:
    """A folder that may not be written, a full disk: nobody's fault in the code."""
    return BellwireError(
        f"{error.filename} can't be used: {error.strerror}.", remedy="May this user read and write there?"
    )


def counted(count: int, one: str, many: str = "") -> str:
    """`1 warning`, `2 warnings`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def _say_fault(error: Exception) -> None:
    lines = "".join(traceback.format_exception(error))
    if os.environ.get("BELLWIRE_LOG_LEVEL", "").lower() == "debug":
        typer.echo(lines, err=True)
    with tempfile.NamedTemporaryFile("w", prefix="bellwire-", suffix=".log", delete=False) as log:
        log.write(lines)
    typer.echo(f"Something went wrong that is Bellwire's fault, not yours ({type(error).__name__}).", err=True)
    typer.echo(f"Please report it; what happened is in {log.name}.", err=True)
