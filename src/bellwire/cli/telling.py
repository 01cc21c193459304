"""What a person tells of an action that they did: for `exception resolve` and `todo done`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from bellwire.errors import BellwireError

Id = Annotated[str, typer.Option("--id", help="The number that the other system gave, for the later actions.")]
With = Annotated[list[str] | None, typer.Option("--with", metavar="FIELD=VALUE", help="Another field of the result.")]


def result_of(number: str, others: Sequence[str] | None) -> dict[str, object]:
    """The action's result, as far as it was told. Raises typer.BadParameter."""
    told: dict[str, object] = dict(pair(text, "--with") for text in others or ())
    return told | ({"id": number} if number else {})


def require(action: str, missing: Mapping[str, Sequence[str]]) -> None:
    """Raises BellwireError when later actions (by name, with the fields) can't be done without more of the result."""
    if not missing:
        return
    fields = sorted({field for wanted_by in missing.values() for field in wanted_by})
    options = ("--id …" if field == "id" else f"--with {field}=…" for field in fields)
    raise BellwireError(
        f"What comes later ({', '.join(missing)}) can't be done without more of what '{action}' gives.",
        remedy=f"Add {' '.join(options)}",
    )


def pair(text: str, option: str) -> tuple[str, str]:
    """Raises typer.BadParameter."""
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter(f"{option} takes FIELD=VALUE")
    return name.strip(), value
