"""A flag at a product beside another, whatever the shop."""

from collections.abc import Sequence

from bellwire.capabilities.storefront import FlaggedProduct, FlagProduct
from bellwire.connectors.kit.looking import Compared, Seen


def flagged(given: FlagProduct, tags: Sequence[str], product_id: str) -> Seen | None:
    """Whether the product has the flag, with which day; or hasn't, if it is to go. Whoever saw to that."""
    there = [tag for tag in tags if tag == given.tag or given.replaces(tag)]
    result = FlaggedProduct(product_id=product_id, flags=tuple(tags))
    if not given.on:
        return None if there else Seen(f"the product without '{given.flag}'", result=result)
    if not there:
        return None
    theirs = given.tag if given.tag in there else there[0]
    return Seen(f"the flag '{theirs}'", (Compared("flag", given.tag, theirs),), result=result)
