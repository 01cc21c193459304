"""What pydantic found wrong, in words for the owner."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bellwire.docstrings import meaning
from bellwire.errors import ConfigurationError
from bellwire.settings.lines import Place
from bellwire.settings.source import Source

_WANTED = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "date_from_datetime_parsing": "must be a date such as 2026-01-31",
    "datetime_from_date_parsing": "must be a time such as 2026-01-31T00:00:00Z",
    "datetime_type": "must be a time such as 2026-01-31T00:00:00Z",
    "decimal_parsing": "must be a number",
    "dict_type": "must be a table",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": 'must be a list such as ["one", "two"]',
    "model_type": "must be a table",
    "string_pattern_mismatch": "doesn't have the right form ({pattern})",
    "string_too_short": "must not be empty",
    "string_type": "must be text in quotes",
    "time_delta_parsing": "must be a number of seconds",
    "time_delta_type": "must be a number of seconds",
    "timezone_aware": "must say its time zone, such as the Z in 2026-01-31T00:00:00Z",
    "tuple_type": 'must be a list such as ["one", "two"]',
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def explain(
    error: ValidationError,
    model: type[BaseModel],
    source: Source,
    *,
    within: Place = (),
    variables: Mapping[str, str] | None = None,
) -> list[ConfigurationError]:
    """Each finding with its line in `source`, in the order of the file, but what is missing last: mostly it is there
    and misspelt, and that has the better remedy. `within` is where `model`'s table stands.

    `variables` says which top-level settings came from which environment variable: such a finding names that instead
    of a line. Values are never repeated: a database's address holds a password.
    """
    found = [
        (details["type"] == "missing", _explain(details, model, source, within, variables or {}))
        for details in error.errors()
    ]
    return [finding for _, finding in sorted(found, key=lambda each: (each[0], each[1].line or 0))]


def wrong_fields(error: ValidationError) -> dict[str, str]:
    """What is wrong with the fields of a table, in words to follow their names: `must be 1 or more`."""
    return {str(details["loc"][0]): _reason(details) for details in error.errors() if details["loc"]}


def suggestion(wrong: str, right: list[str]) -> str:
    """`Did you mean …?`, or all that there is."""
    close = difflib.get_close_matches(wrong, right, 1)
    return f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(sorted(right))}."


def _explain(
    details: ErrorDetails, model: type[BaseModel], source: Source, within: Place, variables: Mapping[str, str]
) -> ConfigurationError:
    place, kind = (*within, *details["loc"]), details["type"]
    *outer, name = place
    table = f"[{'.'.join(map(str, outer))}]" if outer else "The file"
    if kind == "extra_forbidden":
        known = _settings_at(model, details["loc"][:-1])
        remedy = suggestion(str(name), known) if known else "Take it out."
        return source.error(f"{table} has no setting '{name}'.", place, remedy=remedy)
    if kind == "missing":
        wanted = _description(model, details["loc"])
        return source.error(f"{table} doesn't say its {name}.", place, remedy=wanted)
    reason = _reason(details)
    if not within and (variable := variables.get(str(details["loc"][0]))):
        return ConfigurationError(f"{variable} {reason}.", remedy="Correct the variable, or unset it.")
    return source.error(f"'{name}' {reason}.", place, remedy=_description(model, details["loc"]))


def _reason(details: ErrorDetails) -> str:
    kind = details["type"]
    return _WANTED[kind].format_map(details.get("ctx", {})) if kind in _WANTED else _plain(details["msg"])


def _settings_at(model: type[BaseModel], place: Place) -> list[str]:
    found: Any = model
    for step in place:
        found = found.model_fields[step].annotation if _has(found, step) else None
    return sorted(found.model_fields) if _is_model(found) else []


def _description(model: type[BaseModel], place: Place) -> str:
    found: Any = model
    for step in place[:-1]:
        found = found.model_fields[step].annotation if _has(found, step) else None
    return meaning(found, str(place[-1])) if _has(found, place[-1]) else ""


def _has(model: Any, name: str | int) -> bool:
    return _is_model(model) and name in model.model_fields


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "must be").replace("Input", "It")
