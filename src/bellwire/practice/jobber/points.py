"""What a GraphQL query costs, and the bucket that pays for it.

https://developer.getjobber.com/docs/using_jobbers_api/api_rate_limits: a field costs a point, `nodes`, `edges` and
`node` nothing; a list costs its fields as often as it is asked for, which is a hundred times unless it is said.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)
from graphql.language import IntValueNode, OperationDefinitionNode, VariableNode

DEAREST = 10_000
_FREE = {"nodes", "edges", "node"}
_UNSAID = 100


@dataclass
class Bucket:
    """Points of one app at one account."""

    size: float = DEAREST
    refill: float = 500
    left: float = DEAREST
    _at: float = field(default_factory=time.monotonic)

    def gain(self, seconds: float) -> None:
        self.left = min(self.size, self.left + max(0.0, seconds) * self.refill)

    def pay(self, points: float) -> bool:
        """Whether there were so many."""
        now = time.monotonic()
        self.gain(now - self._at)
        self._at = now
        if points > self.left:
            return False
        self.left -= points
        return True

    def status(self, asked: float, paid: float | None) -> dict[str, Any]:
        left = {
            "maximumAvailable": self.size,
            "currentlyAvailable": int(self.left),
            "restoreRate": self.refill,
        }
        return {"requestedQueryCost": asked, "actualQueryCost": paid, "throttleStatus": left}


def asked(document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The points that a query asks for."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return sum(_of(node.selection_set, fragments, variables) for node in operations)


def _of(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> int:
    points = 0
    for node in selected.selections:
        match node:
            case FragmentSpreadNode():
                points += _of(fragments[node.name.value].selection_set, fragments, variables)
            case InlineFragmentNode():
                points += _of(node.selection_set, fragments, variables)
            case FieldNode():
                points += _of_field(node, fragments, variables)
    return points


def _of_field(node: FieldNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> int:
    own = 0 if node.name.value in _FREE else 1
    if node.selection_set is None:
        return own
    inside = _of(node.selection_set, fragments, variables)
    chosen = {each.name.value for each in node.selection_set.selections if isinstance(each, FieldNode)}
    if not chosen & {"nodes", "edges"}:
        return own + inside
    given = next((each.value for each in node.arguments if each.name.value in ("first", "last")), None)
    match given:
        case IntValueNode():
            return own + int(given.value) * inside
        case VariableNode():
            return own + int(variables.get(given.name.value) or _UNSAID) * inside
        case _:
            return own + _UNSAID * inside
