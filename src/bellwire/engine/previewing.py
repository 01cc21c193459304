"""What a flow would give its actions for an event, worked out as the engine does it, with nothing sent, nothing kept.

What earlier actions would bring isn't known before they were done: where a real run of the flow did them, its results
are taken; else they stand as their own names, such as ‹invoice.number›.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from bellwire.business import BusinessCalendar
from bellwire.capabilities import Operation
from bellwire.connectors.kit import Connection, Connector
from bellwire.engine.results import from_json
from bellwire.errors import BellwireError, FlowError
from bellwire.events import Delivery, Event, data_model
from bellwire.flows import SKIPPED, Flow, FlowAction, Foreseen, Scope, Skipped, operation_for, scope_for
from bellwire.flows.parsing import expressions_in
from bellwire.ledger import Outcome, Rows, runs

_LONGEST = 160
_LATER = Foreseen("known once the flow runs")


@dataclass(frozen=True)
class Step:
    """What one action would be given."""

    wanted: bool
    """Whether its `if` holds; with problems in that, True."""
    inputs: Mapping[str, Any]
    problems: Mapping[str, str] = field(default_factory=dict)
    """By key of the action (`if`, `wait_until`), or of its `with`: why it can't be worked out, or doesn't fit."""
    question: str = ""
    """What a person would be asked; empty: nobody is."""
    until: str = ""
    entries: int | None = None
    """How often it would be done; None: once, without `for_each`."""


@dataclass(frozen=True)
class Preview:
    steps: Mapping[str, Step]
    """By action."""
    scope: Scope
    """What expressions see once all is done."""


def preview(
    flow: Flow,
    event: Event,
    connectors: Mapping[str, Connector],
    business: BusinessCalendar,
    results: Mapping[str, Any],
) -> Preview:
    """`results`: those of a real run, by action (`results_of`)."""
    links = {name: f"‹link {name}›" for name, action in flow.actions.items() if action.approval}
    scope = scope_for(event, business=business, links=links)
    steps: dict[str, Step] = {}
    for name, action in flow.actions.items():
        steps[name] = _step(action, scope, connectors)
        known = results.get(name, Foreseen(name))
        scope[name] = known if steps[name].wanted else [] if action.for_each else SKIPPED
    return Preview(steps, scope)


def results_of(rows: Rows, event: int, flow: Flow, connectors: Mapping[str, Connector]) -> dict[str, Any]:
    """What the newest run of this flow brought for an event, as far as it fits what the flow is now."""
    found = [run for run in runs.of_event(rows, event) if run.flow == flow.id]
    results: dict[str, Any] = {}
    for attempt in runs.attempts(rows, found[-1].id) if found else ():
        action = flow.actions.get(attempt.action)
        if action is None or action.for_each or attempt.outcome not in (Outcome.DONE, Outcome.BY_HAND):
            continue
        with suppress(BellwireError, ValidationError):
            kind = action.own_result or operation_for(action, connectors[action.connection]).result
            results[action.name] = from_json(kind, attempt.result, by_hand=attempt.outcome is Outcome.BY_HAND)
    return results


def shown(value: Any) -> str:
    """A value for people, in one line."""
    if isinstance(value, BaseModel):
        own = getattr(value, "number", "") or getattr(value, "name", "") or getattr(value, "id", "")
        text = str(value) if type(value).__name__ == "Money" else f"all of it ({own})" if own else "all of it"
    elif isinstance(value, list | tuple):
        text = ", ".join(map(shown, value)) if len(value) < 4 else f"{len(value)} entries"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, datetime):
        text = f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    elif value is None or value == "":
        text = "nothing"
    elif isinstance(value, dict):
        text = ", ".join(f"{key}: {shown(each)}" for key, each in value.items())
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _step(action: FlowAction, scope: Scope, connectors: Mapping[str, Connector]) -> Step:
    problems: dict[str, str] = {}

    def tried(key: str, part: Any, work: Callable[[], Any], default: Any) -> Any:
        try:
            return work()
        except FlowError as error:
            if any(isinstance(scope.get(name), Foreseen) for each in expressions_in(part) for name in each.names):
                return _LATER
            problems[key] = f"For this event it can't be worked out: {error.sentence.rpartition(': ')[2]}"
            return default

    wanted = bool(tried("if", action.condition, lambda: action.wanted(scope), True))
    items = list(tried("for_each", action.each, lambda: action.items(scope), [])) if action.for_each else [None]
    inner = {**scope, "item": items[0]} if action.for_each and items else scope
    inputs: dict[str, Any] = {}
    for key, value in action.given.items():
        found = tried(key, value, partial(value, inner), SKIPPED)
        if not isinstance(found, Skipped):
            inputs[str(key)] = found
    question, approval = "", action.approval
    if approval is not None and tried("ask", approval.condition, lambda: approval.needed(scope), False):
        question = str(tried("ask", approval.question, lambda: approval.text(scope), ""))
    wait = action.wait_until
    until = tried("wait_until", wait, partial(wait, scope), "") if wait is not None else ""
    if wanted:
        problems |= {key: text for key, text in _misfits(action, inputs, connectors).items() if key not in problems}
    entries = len(items) if action.for_each and "for_each" not in problems else None
    return Step(wanted, inputs, problems, question, shown(until) if until else "", entries)


def _misfits(action: FlowAction, inputs: Mapping[str, Any], connectors: Mapping[str, Connector]) -> dict[str, str]:
    """What the operation, or the event, doesn't take of it."""
    model: type[BaseModel] | None = data_model(action.emits) if action.emits else None
    if action.connection:
        with suppress(BellwireError, KeyError):
            operation: Operation = operation_for(action, connectors[action.connection])
            model = operation.given
    if model is None:
        return {}
    try:
        model.model_validate(dict(inputs), from_attributes=True)
    except ValidationError as error:
        found: dict[str, str] = {}
        for each in error.errors(include_url=False, include_context=False):
            key = str(each["loc"][0]) if each["loc"] else ""
            if each["type"] == "missing" and len(each["loc"]) == 1:
                found[key] = "It has to be given."
            elif not _foreseen(inputs.get(key)):
                found.setdefault(key, f"For this event it doesn't fit: {each['msg'][:1].lower()}{each['msg'][1:]}.")
        return found
    return {}


def _foreseen(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_foreseen, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_foreseen, value))
    return isinstance(value, Foreseen) or (isinstance(value, str) and "‹" in value)


def made_up(connection: Connection, event_type: str, now: datetime) -> Event | None:
    """An event of a type, of a delivery that its connector makes up; None when it can't."""
    triggers = connection.connector.triggers
    if triggers is None or triggers.sample is None:
        return None
    try:
        headers, body = triggers.sample(event_type, connection)
        delivery = Delivery(connection.name, {name.lower(): value for name, value in headers.items()}, body, now)
        found = triggers.normalise(delivery, connection).events
    except Exception:  # whatever it is, there is only no example then
        return None
    return next((event for event in found if event.type == event_type), None)
