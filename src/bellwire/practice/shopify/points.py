"""What a GraphQL query costs, and the bucket that pays for it.

https://shopify.dev/docs/api/usage/limits: an object costs 1 point, a list as many of its objects as it is asked for,
a mutation 10; one query may ask for 1000. Of what was asked for, only what was found is paid.
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
from graphql.language import IntValueNode, OperationDefinitionNode, OperationType, VariableNode

DEAREST = 1000


@dataclass
class Bucket:
    """Points of one app at one shop (as on the Plus plan)."""

    size: float = 20_000
    refill: float = 1000
    _left: float = field(default=20_000, init=False)
    _at: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self._left = self.size

    @property
    def left(self) -> float:
        now = time.monotonic()
        self._left, self._at = min(self.size, self._left + (now - self._at) * self.refill), now
        return self._left

    def pay(self, points: float) -> None:
        self._left = self.left - points

    def status(self, asked: float, paid: float | None) -> dict[str, Any]:
        """`extensions` of an answer."""
        left = {"maximumAvailable": self.size, "currentlyAvailable": int(self.left), "restoreRate": self.refill}
        return {"cost": {"requestedQueryCost": asked, "actualQueryCost": paid, "throttleStatus": left}}


def asked(document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """The points that a query asks for."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return sum(
        _of(node.selection_set, fragments, variables) + (10 if node.operation is OperationType.MUTATION else 0)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    )


def found(value: Any) -> int:
    """The points that an answer costs: its objects."""
    if isinstance(value, Mapping):
        return 1 + sum(found(entry) for entry in value.values())
    if isinstance(value, list):
        return sum(found(entry) for entry in value)
    return 0


def _of(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> int:
    points = 0
    for node in selected.selections:
        if isinstance(node, FragmentSpreadNode):
            points += _of(fragments[node.name.value].selection_set, fragments, variables)
        elif isinstance(node, FieldNode):
            points += _of_field(node, fragments, variables)
        elif isinstance(node, InlineFragmentNode):
            points += _of(node.selection_set, fragments, variables)
    return points


def _of_field(node: FieldNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> int:
    if node.selection_set is None or node.name.value == "pageInfo":
        return 0
    inside = _of(node.selection_set, fragments, variables)
    given = next((argument.value for argument in node.arguments if argument.name.value == "first"), None)
    if isinstance(given, IntValueNode):
        return 2 + int(given.value) * max(inside, 1)
    if isinstance(given, VariableNode):
        return 2 + int(variables[given.name.value]) * max(inside, 1)
    return 1 + inside
