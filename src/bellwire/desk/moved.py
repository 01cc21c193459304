"""How much money was moved in a day: what was sold, paid and given back, each by its currency."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from bellwire.money import Money

_KINDS = {
    "order.paid": "sold",
    "payment.succeeded": "paid",
    "order.refunded": "given back",
    "payment.refunded": "given back",
    "payment.failed": "not paid",
}
"""By the type of event. A sale and its payment are told by two systems, so the sums stand apart."""


@dataclass(frozen=True)
class Moved:
    kind: str
    total: Money
    count: int


def moved(amounts: Sequence[tuple[str, str]]) -> list[Moved]:
    """Type of event and the JSON of its amount → sums, the kinds in order, the largest currency first."""
    sums: dict[tuple[str, str], Moved] = {}
    for event_type, text in amounts:
        kind = _KINDS.get(event_type)
        if kind is None:
            continue
        try:
            amount = Money.model_validate_json(text)
        except ValidationError:
            continue
        before = sums.get((kind, amount.currency))
        sums[kind, amount.currency] = Moved(
            kind, amount if before is None else before.total + amount, 1 if before is None else before.count + 1
        )
    order = list(dict.fromkeys(_KINDS.values()))
    return sorted(sums.values(), key=lambda each: (order.index(each.kind), -each.count, each.total.currency))
