"""An input as YAML in the editor of whoever sits at the terminal."""

import os
import shlex
import subprocess
import tempfile
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bellwire.cli.base import say_error
from bellwire.errors import BellwireError

if TYPE_CHECKING:
    from bellwire.engine import Edited, Input


def in_editor(seen: "Input") -> "Edited":
    """What a person makes of it; what doesn't fit can be mended until it does. Raises BellwireError."""
    text = f"# {seen.operation.meaning}: its input. Save and close to try again with it.\n{_yaml(seen.values)}"
    while True:
        text = _edit(text)
        try:
            return seen.replaced(_read(text))
        except BellwireError as error:
            say_error(error)
            if not typer.confirm("Edit it once more?", default=True, err=True):
                raise BellwireError("Nothing was changed, and nothing is tried again.") from error


def _edit(text: str) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="bellwire-") as folder:
        # Orders have people's names and addresses in them: only this user can open the folder.
        file = Path(folder) / "input.yaml"
        file.write_text(text, "utf-8")
        try:
            ended = subprocess.run([*shlex.split(editor), str(file)], check=False)  # noqa: S603 - the user's own choice
        except OSError as error:
            raise BellwireError(
                f"The editor '{editor}' can't be started: {error.strerror}.",
                remedy="Set EDITOR, or use --set FIELD=VALUE.",
            ) from error
        if ended.returncode:
            raise BellwireError("The editor ended with an error, so nothing was changed.")
        return file.read_text("utf-8")


def _yaml(values: Any) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    out = StringIO()
    yaml.dump(values, out)
    return out.getvalue()


def _read(text: str) -> Any:
    from bellwire.errors import ConfigurationError
    from bellwire.flows import read_values

    try:
        return read_values(text, Path("input.yaml"))
    except ConfigurationError as error:
        raise BellwireError(str(error).removesuffix(error.remedy).rstrip(), remedy=error.remedy) from error
