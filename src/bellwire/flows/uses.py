"""What later actions want to know of an earlier one."""

from bellwire.flows.inference import paths_in
from bellwire.flows.model import Flow
from bellwire.flows.parsing import expressions_in


def uses(flow: Flow, name: str) -> dict[str, list[str]]:
    """Which fields of the result of the action `name` others refer to, by action; only those that refer to any."""
    found = {}
    for action in flow.actions.values():
        asked = [action.approval.question, action.approval.condition] if action.approval else []
        parts = [*asked, action.condition, action.each, action.wait_until, *action.given.values()]
        paths = {path for part in parts for expression in expressions_in(part) for path in paths_in(expression.tree)}
        fields = sorted(path.split(".")[1] for path in paths if path.startswith(f"{name}."))
        if fields:
            found[action.name] = list(dict.fromkeys(fields))
    return found
