"""Changes in the text of bellwire.toml: the values that are meant, and not a comment, an order or a blank line more."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from bellwire.errors import ConfigurationError
from bellwire.settings.lines import find_lines

_HEADER = re.compile(r"[ \t]*\[")


def edited(text: str, table: str, values: Mapping[str, Any]) -> str:
    """The text of a TOML file with other `values` in a table of its first level; None takes a setting out, so that its
    default holds. What is new stands below the comment that shows its default, or else below the head of the table.

    Raises ConfigurationError when that can't be done without changing anything else.
    """
    # What is put in has line ends like the rest.
    windows = "\r\n" in text and text.count("\r\n") == text.count("\n")
    before = found = text.replace("\r\n", "\n") if windows else text
    try:
        for key, value in values.items():
            found = _changed(found, table, key, value)
        as_meant = _meant(found, table) == _meant(before, table, values)
    except ValueError:  # What was put in stands where it makes no sense, as amid a list over several lines.
        as_meant = False
    if not as_meant:
        raise ConfigurationError(
            "The settings file is written in a way that can't be changed from here.",
            remedy=f"Have the settings of [{table}] put on a line each, below [{table}].",
        )
    return found.replace("\n", "\r\n") if windows else found


def _changed(text: str, table: str, key: str, value: Any) -> str:
    # Only who changes settings needs it, and it takes longer to load than the rest of this folder.
    import tomlkit

    there = tomllib.loads(text).get(table)
    if value is None and key not in (there or {}):
        return text
    if there is None:
        text = (text.rstrip("\n") + "\n\n" if text else "") + f"[{table}]\n"
    if key not in (there or {}) and (line := _line_above(text, table, key)):
        lines = text.split("\n")
        lines.insert(line, f"{key} = {tomlkit.item(value).as_string()}")
        return "\n".join(lines)
    document: Any = tomlkit.parse(text)
    if value is None:
        del document[table][key]
    else:
        document[table][key] = value
    return tomlkit.dumps(document)


def _line_above(text: str, table: str, key: str) -> int:
    """The line, from 1, below which a setting is to stand that isn't there yet; 0: the table has no head."""
    lines, head = text.split("\n"), find_lines(text)[table,]
    if not _HEADER.match(lines[head - 1]):
        return 0
    default = re.compile(rf"[ \t]*#[ \t]*{re.escape(key)}[ \t]*=")
    for number, line in enumerate(lines[head:], head + 1):
        if _HEADER.match(line):
            break
        if default.match(line):
            return number
    return head


def _meant(text: str, table: str, values: Mapping[str, Any] = {}) -> dict[str, Any]:
    """All that a file says, with other `values`; that a table is there without a setting says nothing."""
    data = tomllib.loads(text)
    merged = data.pop(table, {}) | values
    return data | {table: {key: value for key, value in merged.items() if value is not None}}
