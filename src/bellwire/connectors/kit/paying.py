"""A payment or a refund beside another, whoever keeps them."""

from collections.abc import Sequence

from bellwire.capabilities.accounting import Payment, RedeemedGiftCard
from bellwire.capabilities.payments import PaymentRefund
from bellwire.connectors.kit.looking import Compared, Seen
from bellwire.money import Money


def nearest(
    kind: str, wanted: Money, found: Sequence[Payment] | Sequence[RedeemedGiftCard] | Sequence[PaymentRefund]
) -> Seen | None:
    """Of what is there, the newest first: that of the wanted amount, else the newest."""
    best = min(found, key=lambda each: each.amount != wanted, default=None)
    if best is None:
        return None
    return Seen(f"{kind} {best.id}", (Compared.money("amount", wanted, best.amount),), result=best)
