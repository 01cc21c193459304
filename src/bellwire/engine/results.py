"""What earlier actions gave, as later ones see it."""

from typing import Any

import orjson

from bellwire.capabilities import Result
from bellwire.flows import ByHand


def to_json(result: Result) -> str:
    return result.model_dump_json()


def from_json(kind: type[Result], text: str | None, *, by_hand: bool) -> Any:
    """The result that a checkpoint holds; of an action done by hand, the fields that were told."""
    values = orjson.loads(text or "{}")
    return ByHand(values) if by_hand else kind.model_validate(values)
