"""What a return gives back: in whole minor units, so that the parts of an order add up to the order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from bellwire.capabilities.planning import (
    CreditPart,
    EarlierLine,
    PaidLine,
    PaidShipping,
    PlanRefund,
    RefundCredit,
    RefundPlan,
    RefundShipping,
    ReturnedLine,
    StockPart,
)
from bellwire.errors import Refused
from bellwire.events import Condition
from bellwire.money import Money


@dataclass
class _Line:
    """A line of the order, in minor units without tax; its first `back` units have come back."""

    paid: PaidLine
    net: int
    tax: int
    back: int = 0

    @property
    def left(self) -> int:
        return self.paid.quantity - self.back

    def take(self, units: int) -> tuple[int, int]:
        """Price and tax of the next units to come back. A unit has its place in the line, so that all of them come to
        the line, in whatever parts they are taken."""
        begin, self.back = self.back, self.back + units
        return self._part(self.net, begin), self._part(self.tax, begin)

    def _part(self, amount: int, begin: int) -> int:
        return _share(amount, self.back, self.paid.quantity) - _share(amount, begin, self.paid.quantity)


@dataclass(frozen=True)
class _Piece:
    """Units of one line that come back in one condition, and what is given back for them."""

    line: PaidLine
    units: int
    condition: Condition
    net: int
    tax: int


def refund_plan(given: PlanRefund) -> RefundPlan:
    """Raises Refused when what came back isn't of the order, is more than was bought, or currencies are mixed."""
    currency = given.paid.currency
    lines = [_Line(paid, *_parts(paid, given.taxes_included, currency)) for paid in given.lines]
    for earlier in given.returned_before:
        _come_back_before(lines, earlier)
    is_first = not any(line.back for line in lines) and not _minor(given.refunded, currency)
    was_out = _still_out(lines, [])
    pieces = [piece for returned in given.returned for piece in _pieces(lines, returned, given)]
    net, tax = sum(piece.net for piece in pieces), sum(piece.tax for piece in pieces)
    out = _still_out(lines, pieces)
    with_shipping = given.refund_shipping is RefundShipping.ALWAYS and is_first
    with_shipping = with_shipping or (given.refund_shipping is RefundShipping.IF_ALL and was_out > out == 0)
    shipping, shipping_tax = _shipping(given, currency) if with_shipping else (0, 0)
    tax += shipping_tax
    fee = min(_fee(given, pieces, currency), net + tax + shipping)
    due = net + tax + shipping - fee
    left = max(_minor(given.paid, currency) - _minor(given.refunded, currency), 0)
    amount = min(due, left)

    def money(units: int) -> Money:
        return Money.from_minor(units, currency)

    return RefundPlan(
        amount=money(amount),
        lines=money(net),
        tax=money(tax),
        shipping=money(shipping),
        fee=money(fee),
        held_back=money(due - amount),
        restock=_stock(pieces, Condition.SELLABLE),
        damaged=_stock(pieces, Condition.DAMAGED),
        credit=_credit(pieces, (shipping, shipping_tax), fee, amount, currency),
        complete=not out,
        reason=" ".join(
            (
                *_about_goods(pieces, given),
                _about_shipping(given, with_shipping, money(shipping), out),
                *([f"{money(fee)} is kept for restocking."] if fee else []),
                *(
                    [f"Only {money(left)} is left of what was paid: {money(due - amount)} less than would be due."]
                    if amount < due
                    else []
                ),
            )
        ),
        stock_note=_about_stock(pieces),
    )


def _share(amount: int, units: int, whole: int) -> int:
    """What `units` of `whole` come to, rounded half up."""
    return (2 * amount * units + whole) // (2 * whole)


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _minor(money: Money | None, currency: str) -> int:
    """Raises Refused when it is in another currency."""
    if money is None:
        return 0
    if money.currency != currency:
        raise Refused(
            f"{money} is not in {currency}, in which the order was paid.",
            cause="currency",
            remedy="Give all amounts of a refund in the currency of the payment.",
        )
    return money.minor


def _parts(paid: PaidLine | PaidShipping, taxes_included: bool, currency: str) -> tuple[int, int]:
    """Price without tax, and tax."""
    total, tax = _minor(paid.total, currency), sum(_minor(each.amount, currency) for each in paid.taxes)
    tax = min(tax, total) if taxes_included else tax
    return max(total - tax if taxes_included else total, 0), max(tax, 0)


def _shipping(given: PlanRefund, currency: str) -> tuple[int, int]:
    parts = [_parts(each, given.taxes_included, currency) for each in given.shipping_lines]
    return sum(net for net, _ in parts), sum(tax for _, tax in parts)


def _of_order(lines: list[_Line], wanted: ReturnedLine | EarlierLine) -> list[_Line]:
    """The lines that it may be of; several where one SKU stands in several."""
    if wanted.line_id:
        return [line for line in lines if line.paid.id == wanted.line_id]
    return [line for line in lines if wanted.sku and line.paid.sku == wanted.sku]


def _come_back_before(lines: list[_Line], earlier: EarlierLine) -> None:
    """What isn't there can't come back again, whatever an earlier refund says."""
    units = earlier.quantity
    for line in _of_order(lines, earlier):
        taken = min(units, line.left)
        line.back, units = line.back + taken, units - taken


def _pieces(lines: list[_Line], returned: ReturnedLine, given: PlanRefund) -> Iterator[_Piece]:
    own = _of_order(lines, returned)
    called = returned.sku or returned.line_id
    if not own:
        raise Refused(
            f"'{called}' came back, and isn't in the order." if called else "It isn't said what came back.",
            cause="not-in-order",
            remedy="Look which order it is of; do this refund by hand if it is none.",
        )
    if returned.quantity > (left := sum(line.left for line in own)):
        raise Refused(
            f"{returned.quantity} × '{called}' came back, and the customer had {left} left of it.",
            cause="too-many",
            remedy="Look whether this return was entered twice.",
        )
    rate = {Condition.DAMAGED: given.damaged, Condition.MISSING: given.missing}.get(returned.condition, Decimal(100))
    units = returned.quantity
    for line in own:
        if taken := min(units, line.left):
            net, tax = (_rounded(part * rate / 100) for part in line.take(taken))
            yield _Piece(line.paid, taken, returned.condition, net, tax)
            units -= taken


def _still_out(lines: list[_Line], pieces: list[_Piece]) -> int:
    """How many units are still with the customer: of what ships, if anything does."""
    waited_for = [line for line in lines if line.paid.ships] or lines
    missing = sum(piece.units for piece in pieces if piece.condition is Condition.MISSING)
    return sum(line.left for line in waited_for) + missing


def _fee(given: PlanRefund, pieces: list[_Piece], currency: str) -> int:
    if given.fees is not None:
        return max(_minor(given.fees, currency), 0)
    charged = sum(piece.net for piece in pieces if piece.condition in (Condition.SELLABLE, Condition.UNKNOWN))
    return _rounded(charged * given.restocking_percent / 100)


def _stock(pieces: Iterable[_Piece], condition: Condition) -> tuple[StockPart, ...]:
    """By SKU, in the order of the return; what has no SKU, or doesn't ship, has no stock."""
    found: dict[str, StockPart] = {}
    for piece in pieces:
        sku = piece.line.sku
        if piece.condition is condition and sku and piece.line.ships:
            before = found[sku].quantity if sku in found else 0
            found[sku] = StockPart(sku=sku, quantity=before + piece.units, name=piece.line.name)
    return tuple(found.values())


def _credit(pieces: Sequence[_Piece], shipping: tuple[int, int], fee: int, amount: int, currency: str) -> RefundCredit:
    """Each part is what is added to the sum of those before it, so that they come to `amount` however they round."""
    parts = [*((piece.net, piece.tax) for piece in pieces), shipping, (-fee, 0)]
    due, reached, before = sum(net + tax for net, tax in parts), 0, 0
    cut: list[tuple[Money, Money]] = []
    for net, tax in parts:
        reached += net + tax
        share = _share(amount, reached, due) if due else 0
        own, before = share - before, share
        # Rounded down, so that there is no tax on nothing.
        own_tax = own * tax // (net + tax) if tax else 0
        cut.append((Money.from_minor(own - own_tax, currency), Money.from_minor(own_tax, currency)))
    *goods, (shipping_net, shipping_tax), (kept, _) = cut
    lines = [
        CreditPart(
            sku=piece.line.sku,
            name=_name(piece),
            quantity=piece.units,
            amount=net,
            tax=tax,
            gift_card=piece.line.gift_card,
        )
        for piece, (net, tax) in zip(pieces, goods, strict=True)
        if net or tax
    ]
    if kept:
        lines.append(CreditPart(name="Kept for restocking", amount=kept, tax=Money.zero(currency)))
    return RefundCredit(lines=tuple(lines), shipping=shipping_net, shipping_tax=shipping_tax)


def _about_goods(pieces: list[_Piece], given: PlanRefund) -> Iterator[str]:
    for condition, rate in (
        (Condition.SELLABLE, Decimal(100)),
        (Condition.UNKNOWN, Decimal(100)),
        (Condition.DAMAGED, given.damaged),
        (Condition.MISSING, given.missing),
    ):
        goods = [_called(piece) for piece in pieces if piece.condition is condition]
        if goods:
            share = {0: "Nothing is given back", 100: "The whole price is given back"}.get(
                int(rate) if rate == int(rate) else -1, f"{rate.normalize():f} % of the price is given back"
            )
            yield f"{share} for {', '.join(goods)} ({_WORDS[condition]})."


def _about_stock(pieces: list[_Piece]) -> str:
    counted = (Condition.SELLABLE, Condition.DAMAGED)
    bare = [piece for piece in pieces if piece.condition in counted and piece.line.ships and not piece.line.sku]
    return f"Without a SKU, the stock of {', '.join(map(_called, bare))} isn't changed." if bare else ""


_WORDS = {
    Condition.SELLABLE: "sellable",
    Condition.UNKNOWN: "nobody has said in which condition",
    Condition.DAMAGED: "damaged",
    Condition.MISSING: "missing",
}


def _called(piece: _Piece) -> str:
    return f"{piece.units} × {_name(piece)}"


def _name(piece: _Piece) -> str:
    return piece.line.name or piece.line.sku or piece.line.id


def _about_shipping(given: PlanRefund, refunded: bool, shipping: Money, out: int) -> str:
    if not given.shipping_lines:
        return "No shipping was paid."
    if refunded:
        why = (
            "all of the order has come back" if given.refund_shipping is RefundShipping.IF_ALL else "by the shop's rule"
        )
        return f"Shipping of {shipping} is given back, {why}."
    if given.refund_shipping is RefundShipping.IF_ALL and not out:
        return "Shipping isn't given back again: all that was sent had come back before."
    if given.refund_shipping is RefundShipping.IF_ALL:
        return f"Shipping isn't given back: {out} of the order {'is' if out == 1 else 'are'} still out."
    if given.refund_shipping is RefundShipping.ALWAYS:
        return "Shipping isn't given back again: this isn't the order's first return."
    return "Shipping isn't given back."
