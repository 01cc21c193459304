"""What earlier actions gave, as later ones see it."""

from typing import Any

import orjson

from bellwire.capabilities import Operation, Result


class ByHand:
    """The result of an action that a person did: the fields that were told, and nothing for all others."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._values.get(name, "")


def to_json(result: Result) -> str:
    return result.model_dump_json()


def from_json(operation: Operation, text: str | None, *, by_hand: bool) -> Any:
    """The result that a checkpoint holds."""
    values = orjson.loads(text or "{}")
    return ByHand(values) if by_hand else operation.result.model_validate(values)
