"""Edit and retry: what a flow gives an action of one run, with the changes that a person makes to it.

The input is worked out as the engine does it, changed, and checked against the operation before anything is kept. What
is kept is the whole input, so that it stays what was seen, whatever becomes of the flow.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from inspect import isclass
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from bellwire.capabilities import Operation
from bellwire.engine.loading import event_of, flow_of, gathered_by
from bellwire.engine.means import Means
from bellwire.engine.progress import Progress
from bellwire.errors import BellwireError
from bellwire.flows import ByHand, Flow, element, options, uses
from bellwire.ledger import AskRow, ExceptionRow, Rows, edits, events, runs
from bellwire.settings import suggestion

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[\d+\])*")
_STEP = re.compile(r"(\w+)|\[(\d+)\]")


@dataclass(frozen=True)
class Edited:
    """An input that fits its operation."""

    given: str
    """All of it: JSON."""
    fields: tuple[str, ...]
    """What was changed, such as `order.customer.email`; not to what."""


@dataclass(frozen=True)
class Input:
    """What an action of a run is given: by the flow, or by an earlier edit."""

    operation: Operation
    values: Mapping[str, Any]
    """As JSON has it: text, numbers, mappings, lists."""

    def with_changes(self, changes: Sequence[tuple[str, str]]) -> Edited:
        """Each is a field, such as `lines[0].sku`, and its new value: text, or JSON where it is a list or a mapping,
        or `null`. Raises BellwireError."""
        return self.with_values({path: _value(path, text) for path, text in changes})

    def with_values(self, changes: Mapping[str, Any]) -> Edited:
        """The same with values as JSON has them, by field."""
        values = deepcopy(dict(self.values))
        for path, value in changes.items():
            _put(values, path, value)
        return self.replaced(values)

    def replaced(self, values: Any) -> Edited:
        """`values` instead of all of it. Raises BellwireError, which names what doesn't fit, or that nothing is new."""
        try:
            given = self.operation.given.model_validate_json(orjson.dumps(values, default=str))
        except ValidationError as error:
            raise _wrong(self.operation, error) from error
        fields = tuple(_differences(self.values, given.model_dump(mode="json"), ""))
        if not fields:
            raise BellwireError("That is what it is given already, so nothing was changed.")
        return Edited(given.model_dump_json(), fields)


def input_of(rows: Rows, means: Means, exception: ExceptionRow, today: Mapping[str, Flow] | None = None) -> Input:
    """What the action of an exception is given by its run's flow, or by `today`'s. Raises BellwireError."""
    progress = _progress(rows, means, exception, today)
    operation = means.of(progress.flow.actions[exception.action])[1].operation
    kept = {(edit.action, edit.item): edit.given for edit in edits.of_run(rows, exception.run or 0)}
    before = kept.get((exception.action, exception.item))
    inputs = progress.inputs(exception.action, exception.item) if before is None else orjson.loads(before)
    return Input(operation, _plain(operation, inputs))


def _progress(rows: Rows, means: Means, about: ExceptionRow | AskRow, today: Mapping[str, Flow] | None) -> Progress:
    """How far the run of an exception or a to-do is, as the engine would take it up."""
    if isinstance(about, ExceptionRow) and not about.action:
        raise not_about_an_action(about)
    run = runs.find(rows, about.run or 0)
    event = events.find(rows, run.event) if run else None
    assert run is not None and event is not None, f"run {about.run} has lost its event"
    flow = flow_of(rows, run) if today is None else today.get(run.flow)
    if flow is None or about.action not in flow.actions:
        raise BellwireError(f"The flow '{run.flow}' has no action '{about.action}' any more.")
    progress = Progress(means, event_of(event), flow, run.id, gathered_by(rows, run, flow))
    try:
        progress.restore(runs.attempts(rows, run.id), interrupted=False)
    except ValidationError as error:
        raise BellwireError(
            f"What is kept of run {run.id} can't be read.", remedy="Update Bellwire, or do by hand what is missing."
        ) from error
    return progress


def lacking(rows: Rows, means: Means, about: ExceptionRow | AskRow, told: Mapping[str, object]) -> dict[str, list[str]]:
    """Which fields the later actions want to know of one that a person did, and can't do without: by action. `about`
    is what they were asked.

    Raises BellwireError.
    """
    progress = _progress(rows, means, about, None)
    wanted = {}
    for name, fields in uses(progress.flow, about.action).items():
        unknown = [field for field in fields if field not in told]
        if unknown and not progress.could(name, {about.action: ByHand(told)}):
            wanted[name] = unknown
    return wanted


def referred_to(rows: Rows, means: Means, about: ExceptionRow | AskRow) -> dict[str, list[str]]:
    """By field of what an action gives: the later actions that want to know it, whether they could do without or not.

    Raises BellwireError.
    """
    found: dict[str, list[str]] = {}
    for name, fields in uses(_progress(rows, means, about, None).flow, about.action).items():
        for field in fields:
            found.setdefault(field, []).append(name)
    return found


def not_about_an_action(exception: ExceptionRow) -> BellwireError:
    """For what is asked about an action, of an exception about a whole run or a delivery."""
    what = "a delivery that can't be read" if exception.run is None else "a run as a whole"
    return BellwireError(
        f"Exception {exception.id} is about {what}, not about an action.",
        remedy=f"Do by hand what it asks for; then `bellwire exception dismiss {exception.id} --reason …` closes it.",
    )


def _plain(operation: Operation, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of the operation that are known, as JSON has them, whether they fit or not."""
    values = {}
    for name, field in operation.given.model_fields.items():
        if name in inputs:
            values[name] = _as_json(field.annotation, inputs[name])
        elif not field.is_required():
            values[name] = to_jsonable_python(field.get_default(call_default_factory=True))
    return values


def _as_json(kind: Any, value: Any) -> Any:
    adapter = TypeAdapter(kind)
    try:
        # As the operation reads it: of an order's line, only what the stock wants to know of it.
        return adapter.dump_python(adapter.validate_python(value, from_attributes=True), mode="json")
    except ValidationError:
        return to_jsonable_python(value, fallback=str)


def _value(path: str, text: str) -> Any:
    if text == "null":
        return None
    if not text.startswith(("[", "{")):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BellwireError(f"The value of '{path}' begins like JSON and isn't: {error}.") from error


def _put(values: Any, path: str, value: Any) -> None:
    if not _PATH.fullmatch(path):
        raise BellwireError(f"'{path}' isn't the name of a field.", remedy="Write e.g. customer.email or lines[0].sku.")
    steps: list[str | int] = [name or int(index) for name, index in _STEP.findall(path)]
    place, where = values, ""
    for number, step in enumerate(steps):
        _can_step(place, step, where)
        where = path_of(steps[: number + 1])
        if number + 1 == len(steps):
            place[step] = value
        elif isinstance(step, str) and place.get(step) is None:
            place[step] = place = {}
        else:
            place = place[step]


def _can_step(place: Any, step: str | int, where: str) -> None:
    if isinstance(step, int):
        if not isinstance(place, list):
            raise BellwireError(f"'{where}' isn't a list, so it has no [{step}].")
        if step >= len(place):
            raise BellwireError(
                f"'{where}' has {len(place)} in it, so there is no {where}[{step}].", remedy="The first one is [0]."
            )
    elif isinstance(place, list):
        raise BellwireError(f"'{where}' is a list.", remedy=f"Write {where}[0].{step} for the first one.")
    elif not isinstance(place, dict):
        raise BellwireError(f"'{where}' has no fields, so there is no '{where}.{step}'.")


def _wrong(operation: Operation, error: ValidationError) -> BellwireError:
    """What doesn't fit; first what isn't known at all, as then mostly another field is missing because of it."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    *outer, name = first["loc"] or ("it",)
    path = path_of([*outer, name])
    if first["type"] == "extra_forbidden":
        return BellwireError(f"There is no field '{path}'.", remedy=_meant(operation, outer, str(name)))
    if first["type"] == "missing":
        return BellwireError(f"'{path}' is missing.", remedy=f"Give it with --set {path}=VALUE.")
    return BellwireError(f"'{path}' doesn't fit: {first['msg'][:1].lower()}{first['msg'][1:]}.")


def _meant(operation: Operation, outer: Sequence[str | int], name: str) -> str:
    kind: Any = operation.given
    for step in outer:
        kind = _within(kind, step)
    fields = _fields(kind)
    deeper = {inner: path_of([*outer, field, inner]) for field, kind in fields.items() for inner in _fields(kind)}
    if name in deeper:
        return f"Did you mean '{deeper[name]}'?"
    return suggestion(path_of([*outer, name]), [path_of([*outer, field]) for field in fields]) if fields else ""


def _within(kind: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return _fields(kind).get(step, Any)
    return next((inner for option in options(kind) if (inner := element(option)) is not None), Any)


def _fields(kind: Any) -> dict[str, Any]:
    models = [option for option in options(kind) if isclass(option) and issubclass(option, BaseModel)]
    return {name: field.annotation for model in models for name, field in model.model_fields.items()}


def path_of(steps: Sequence[str | int]) -> str:
    """Such as `order.lines[0].sku`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _differences(before: Any, after: Any, where: str) -> Iterator[str]:
    """The paths of what isn't the same."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in after:
            yield from _differences(before.get(name), after[name], f"{where}.{name}".removeprefix("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(*pair, f"{where}[{index}]")
    elif before != after:
        yield where
