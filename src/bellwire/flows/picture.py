"""A flow as boxes and arrows, for the desk to draw."""

from collections.abc import Mapping
from dataclasses import dataclass

from bellwire.capabilities import OPERATIONS
from bellwire.events import DICTIONARY
from bellwire.flows.model import Flow, FlowAction
from bellwire.flows.order import layers

START = "event"
"""The name of the trigger's node; no action can have it."""


@dataclass(frozen=True)
class Box:
    """`column` counts from 0, the trigger's; `row` from 0 within the column."""

    name: str
    connection: str
    meaning: str
    column: int
    row: int
    conditional: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Picture:
    boxes: tuple[Box, ...]
    """The trigger first, then the actions in the flow's order."""
    arrows: tuple[tuple[str, str], ...]
    """From box to box by name; none that a longer way makes needless."""


def picture(flow: Flow) -> Picture:
    """The trigger, then the actions by layers of dependency: each one column after the last of those it needs."""
    entry = DICTIONARY.get(flow.event_type)
    boxes = [Box(START, flow.connection, entry.meaning if entry else flow.event_type, 0, 0)]
    for name, layer in layers(flow.actions).items():
        action, column = flow.actions[name], layer + 1
        row = sum(box.column == column for box in boxes)
        meaning = _meaning(action)
        conditional = action.condition is not True
        boxes.append(Box(name, action.connection, meaning, column, row, conditional, action.for_each))
    arrows = [(before, name) for name in flow.actions for before in _direct(name, flow.actions)]
    return Picture(tuple(boxes), tuple(arrows))


def _meaning(action: FlowAction) -> str:
    if action.emits:
        entry = DICTIONARY.get(action.emits)
        return f"Say: {entry.meaning if entry else action.emits}"
    if not action.connection:
        return "Wait"
    known = OPERATIONS.get(action.operation_name)
    return known[0].meaning if known else action.operation_name.replace("_", " ").capitalize()


def _direct(name: str, actions: Mapping[str, FlowAction]) -> list[str]:
    """What `name` needs, without what those need themselves; the trigger when it needs nothing."""
    needs = actions[name].needs
    implied = set().union(*(_all_before(need, actions) for need in needs))
    return [need for need in actions if need in needs - implied] or [START]


def _all_before(name: str, actions: Mapping[str, FlowAction]) -> set[str]:
    needs = actions[name].needs
    return set(needs).union(*(_all_before(need, actions) for need in needs))
