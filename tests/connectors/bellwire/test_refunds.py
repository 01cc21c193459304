"""What a return gives back: never more than was paid, and in parts the same as in one."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bellwire.capabilities.accounting import CreateCreditMemo
from bellwire.capabilities.planning import EarlierLine, PlanRefund, RefundPlan, RefundShipping, ReturnedLine
from bellwire.connectors.bellwire.refunds import refund_plan
from bellwire.errors import Refused
from bellwire.events import Condition, Line, Order, ShippingLine, Tax
from bellwire.money import Money
from tests.samples import line, order, usd
from tests.strategies import orders

TEA = line(id="11", sku="TEA-100", quantity=3, total=usd("10.00"), taxes=(Tax(name="Tax", amount=usd("0.83")),))
MUG = line(id="12", sku="MUG-RED", name="Red mug", quantity=1, unit_price=usd("8.00"), total=usd("8.00"), taxes=())
POST = ShippingLine(
    name="Standard", price=usd("6.00"), discount=usd("0"), total=usd("6.00"),
    taxes=(Tax(name="Tax", amount=usd("0.50")),),
)  # fmt: skip
SALE = order(lines=(TEA, MUG), shipping_lines=(POST,), total=usd("25.33"))


def plan(sale: Order, returned: Sequence[ReturnedLine], **changes: Any) -> RefundPlan:
    values = {
        "lines": sale.lines,
        "shipping_lines": sale.shipping_lines,
        "taxes_included": sale.taxes_included,
        "returned": tuple(returned),
        "paid": sale.total,
        "damaged": "full",
    }
    return refund_plan(PlanRefund.model_validate(values | changes, from_attributes=True))


def back(sku: str = "", quantity: int = 1, condition: Condition = Condition.SELLABLE, **more: Any) -> ReturnedLine:
    return ReturnedLine(sku=sku, quantity=quantity, condition=condition, **more)


def parts(found: RefundPlan) -> tuple[str, ...]:
    amounts = (found.amount, found.lines, found.tax, found.shipping, found.fee, found.held_back)
    return tuple(str(each.amount) for each in amounts)


def test_what_is_back_and_sellable_is_paid_back_with_its_tax_and_goes_back_into_stock() -> None:
    found = plan(SALE, [back("TEA-100", 2)])
    assert parts(found) == ("7.22", "6.67", "0.55", "0.00", "0.00", "0.00")
    assert [(part.sku, part.quantity, part.name) for part in found.restock] == [("TEA-100", 2, "Green tea, 100 g")]
    assert (found.damaged, found.complete) == ((), False)
    assert found.reason == (
        "The whole price is given back for 2 × Green tea, 100 g (sellable). Shipping isn't given back."
    )


def test_the_units_of_a_line_add_up_to_the_line_one_by_one() -> None:
    before: list[EarlierLine] = []
    found = []
    for _ in range(3):
        found.append(parts(plan(SALE, [back("TEA-100")], returned_before=tuple(before)))[1:3])
        before.append(EarlierLine(line_id="11", quantity=1))
    assert found == [("3.33", "0.28"), ("3.34", "0.27"), ("3.33", "0.28")]


def test_prices_with_tax_in_them_are_split_into_price_and_tax() -> None:
    inclusive = order(
        taxes_included=True, total=usd("11.90"), shipping_lines=(),
        lines=(line(quantity=1, total=usd("11.90"), taxes=(Tax(name="VAT", amount=usd("1.90")),)),),
    )  # fmt: skip
    assert parts(plan(inclusive, [back("TEA-100")])) == ("11.90", "10.00", "1.90", "0.00", "0.00", "0.00")


def test_damaged_and_missing_goods_go_by_their_own_rates_and_to_their_own_places() -> None:
    returned = [back("TEA-100", 1), back("TEA-100", 1, Condition.DAMAGED), back("MUG-RED", 1, Condition.MISSING)]
    found = plan(SALE, returned, damaged="50", missing="none")
    assert parts(found)[1:3] == ("5.00", "0.42")
    assert [(part.sku, part.quantity) for part in found.restock] == [("TEA-100", 1)]
    assert [(part.sku, part.quantity) for part in found.damaged] == [("TEA-100", 1)]
    assert not found.complete
    assert found.reason.startswith(
        "The whole price is given back for 1 × Green tea, 100 g (sellable). "
        "50 % of the price is given back for 1 × Green tea, 100 g (damaged). "
        "Nothing is given back for 1 × Red mug (missing)."
    )


def test_what_nobody_has_looked_at_is_paid_back_and_goes_nowhere() -> None:
    found = plan(SALE, [back("MUG-RED", 1, Condition.UNKNOWN)])
    assert (parts(found)[0], found.restock, found.damaged) == ("8.00", (), ())


@pytest.mark.parametrize(
    ("rule", "returned", "before", "refunded", "shipping"),
    [
        ("never", 4, 0, "0", "0.00"),
        ("if_all", 4, 0, "0", "6.00"),
        ("if_all", 2, 0, "0", "0.00"),
        ("if_all", 2, 2, "7.22", "6.00"),
        ("always", 1, 0, "0", "6.00"),
        ("always", 1, 2, "7.22", "0.00"),
        ("always", 1, 0, "1.00", "0.00"),
    ],
)
def test_shipping_is_given_back_by_the_shops_rule_and_only_once(
    rule: str, returned: int, before: int, refunded: str, shipping: str
) -> None:
    lines = [back("MUG-RED"), *([back("TEA-100", returned - 1)] if returned > 1 else [])]
    earlier = (EarlierLine(sku="TEA-100", quantity=before),)
    found = plan(SALE, lines, refund_shipping=rule, returned_before=earlier, refunded=usd(refunded))
    assert str(found.shipping.amount) == shipping
    assert ("Shipping of 6.00 USD is given back" in found.reason) is (shipping != "0.00")
    assert found.tax.minor - plan(SALE, lines, returned_before=earlier).tax.minor == (50 if shipping != "0.00" else 0)


def test_goods_that_are_missing_or_not_back_yet_keep_the_order_open() -> None:
    missing = [back("TEA-100", 3), back("MUG-RED", 1, Condition.MISSING)]
    found = plan(SALE, missing, refund_shipping="if_all", missing="full")
    assert (found.complete, str(found.shipping.amount)) == (False, "0.00")
    assert "Shipping isn't given back: 1 of the order is still out." in found.reason


def test_services_arent_waited_for_and_give_no_shipping_back() -> None:
    service = line(id="13", sku="FIT", ships=False, quantity=1, total=usd("5.00"), taxes=())
    sale = SALE.model_copy(update={"lines": (MUG, service)})
    found = plan(sale, [back("MUG-RED")], refund_shipping="if_all")
    assert (found.complete, str(found.shipping.amount)) == (True, "6.00")
    later = plan(
        sale, [back("FIT")], returned_before=(EarlierLine(sku="MUG-RED", quantity=1),), refund_shipping="if_all"
    )
    assert (parts(later)[0], later.restock) == ("5.00", ())
    assert "Shipping isn't given back again: all that was sent had come back before." in later.reason


def test_a_fee_is_kept_of_what_can_be_sold_again_but_not_of_what_is_damaged() -> None:
    returned = [back("MUG-RED"), back("TEA-100", 3, Condition.DAMAGED)]
    found = plan(SALE, returned, restocking_percent=15)
    assert parts(found) == ("17.63", "18.00", "0.83", "0.00", "1.20", "0.00")
    assert "1.20 USD is kept for restocking." in found.reason
    assert parts(plan(SALE, returned, restocking_percent=15, fees=usd("4.00")))[4] == "4.00"
    assert parts(plan(SALE, [back("MUG-RED")], fees=usd("99.00")))[:5] == ("0.00", "8.00", "0.00", "0.00", "8.00")


def test_no_more_is_given_back_than_is_left_of_what_was_paid() -> None:
    found = plan(SALE, [back("MUG-RED")], refunded=usd("20.00"))
    assert (parts(found)[0], parts(found)[5]) == ("5.33", "2.67")
    assert "Only 5.33 USD is left of what was paid: 2.67 USD less than would be due." in found.reason
    assert parts(plan(SALE, [back("MUG-RED")], refunded=usd("30.00")))[0] == "0.00"


def test_a_line_is_found_by_its_id_and_one_sku_may_stand_in_several() -> None:
    cheap = TEA.model_copy(update={"id": "14", "quantity": 1, "total": usd("1.00"), "taxes": ()})
    sale = SALE.model_copy(update={"lines": (TEA, cheap)})
    assert parts(plan(sale, [back(line_id="14")]))[0] == "1.00"
    assert parts(plan(sale, [back("TEA-100", 4)]))[0] == "11.83"
    assert [(part.sku, part.quantity) for part in plan(sale, [back("TEA-100", 4)]).restock] == [("TEA-100", 4)]


def credited(found: RefundPlan) -> CreateCreditMemo:
    """As `accounting.create_credit_memo` takes it."""
    parts = {"lines": found.credit.lines, "shipping": found.credit.shipping, "shipping_tax": found.credit.shipping_tax}
    return CreateCreditMemo.model_validate({"invoice_number": "1001", "reference": "R-7", **parts})


def test_the_books_get_each_part_with_its_own_tax() -> None:
    found = plan(SALE, [back("TEA-100", 3), back("MUG-RED")], refund_shipping="if_all", fees=usd("2.00"))
    assert credited(found).total == found.amount == usd("23.33")
    assert [(each.name, each.quantity, each.amount, each.tax) for each in found.credit.lines] == [
        ("Green tea, 100 g", 3, usd("10.00"), usd("0.83")),
        ("Red mug", 1, usd("8.00"), usd("0")),
        ("Kept for restocking", 1, usd("-2.00"), usd("0")),
    ]
    assert (found.credit.shipping, found.credit.shipping_tax) == (usd("6.00"), usd("0.50"))


def test_what_is_held_back_is_taken_off_all_parts_alike() -> None:
    found = plan(SALE, [back("TEA-100", 3), back("MUG-RED")], refund_shipping="if_all", refunded=usd("12.66"))
    assert credited(found).total == found.amount == usd("12.67")
    assert [(each.amount, each.tax) for each in found.credit.lines] == [
        (usd("5.01"), usd("0.41")),
        (usd("4.00"), usd("0")),
    ]
    assert (found.credit.shipping, found.credit.shipping_tax) == (usd("3.00"), usd("0.25"))


def test_a_gift_card_that_is_taken_back_is_no_sale() -> None:
    card = MUG.model_copy(update={"gift_card": True, "ships": False})
    (part,) = plan(order(lines=(card,)), [back("MUG-RED")]).credit.lines
    assert part.gift_card


def test_where_nothing_is_given_back_there_is_nothing_for_the_books() -> None:
    assert plan(SALE, [back("MUG-RED", 1, Condition.MISSING)]).credit.lines == ()


def test_goods_without_a_sku_are_told_of() -> None:
    bare = SALE.model_copy(update={"lines": (MUG.model_copy(update={"sku": ""}),)})
    found = plan(bare, [back(line_id="12")])
    assert found.restock == ()
    assert found.stock_note == "Without a SKU, the stock of 1 × Red mug isn't changed."
    assert "SKU" not in found.reason and plan(SALE, [back(line_id="12")]).stock_note == ""


@pytest.mark.parametrize(
    ("returned", "more", "cause"),
    [
        (back("POT-1"), {}, "not-in-order"),
        (back(line_id="99", sku="TEA-100"), {}, "not-in-order"),
        (back(), {}, "not-in-order"),
        (back("TEA-100", 4), {}, "too-many"),
        (back("TEA-100", 2), {"returned_before": (EarlierLine(sku="TEA-100", quantity=2),)}, "too-many"),
        (back("MUG-RED"), {"paid": Money.of("25.33", "EUR")}, "currency"),
        (back("MUG-RED"), {"refunded": Money.of("1", "EUR")}, "currency"),
    ],
)
def test_what_doesnt_fit_the_order_is_refused_with_a_remedy(
    returned: ReturnedLine, more: dict[str, Any], cause: str
) -> None:
    with pytest.raises(Refused) as caught:
        plan(SALE, [returned], **more)
    assert caught.value.cause == cause
    assert caught.value.remedy


@pytest.mark.parametrize(
    "wrong", [{"damaged": "half"}, {"damaged": 101}, {"missing": -1}, {"restocking_percent": 120}, {"lines": ()}]
)
def test_rules_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan(SALE, [back("MUG-RED")], **wrong)


RULES = st.fixed_dictionaries(
    {
        "refund_shipping": st.sampled_from(RefundShipping),
        "damaged": st.sampled_from(("full", "none", "50", "33.3")),
        "missing": st.sampled_from(("full", "none", "12.5")),
        "restocking_percent": st.sampled_from((0, 0, 15, Decimal("7.5"), 100)),
    }
)


@st.composite
def partings(draw: st.DrawFn) -> tuple[Order, list[list[ReturnedLine]]]:
    """An order, and some of its units in returns, one after the other."""
    sale = draw(orders(max_lines=6))
    returns: list[list[ReturnedLine]] = [[] for _ in range(draw(st.integers(1, 4)))]
    for each in sale.lines:
        left = each.quantity
        for _ in range(draw(st.integers(0, 3))):
            if units := draw(st.integers(0, left)):
                condition = draw(st.sampled_from(Condition))
                draw(st.sampled_from(returns)).append(back("", units, condition, line_id=each.id))
                left -= units
    return sale, [each for each in returns if each]


def in_parts(sale: Order, returns: list[list[ReturnedLine]], rules: dict[str, Any]) -> list[RefundPlan]:
    """Each return by itself, as the flow does: it knows what came back, and what was given back, before."""
    found: list[RefundPlan] = []
    before: list[EarlierLine] = []
    refunded = Money.zero(sale.currency)
    for returned in returns:
        found.append(plan(sale, returned, returned_before=tuple(before), refunded=refunded, **rules))
        refunded = refunded + found[-1].amount
        came = [each for each in returned if each.condition is not Condition.MISSING]
        before += [EarlierLine(line_id=each.line_id, quantity=each.quantity) for each in came]
    return found


@given(partings(), RULES)
def test_whatever_comes_back_in_whatever_parts_no_more_than_was_paid_is_given_back(
    parting: tuple[Order, list[list[ReturnedLine]]], rules: dict[str, Any]
) -> None:
    sale, returns = parting
    given_back = 0
    for found in in_parts(sale, returns, rules):
        amounts = [found.amount, found.lines, found.tax, found.shipping, found.fee, found.held_back]
        assert all(each.amount >= 0 and each == each.rounded() and each.currency == sale.currency for each in amounts)
        assert found.amount == found.lines + found.tax + found.shipping - found.fee - found.held_back
        given_back += found.amount.minor
        if found.amount:
            assert credited(found).total == found.amount
            assert all(each.amount.minor >= 0 and each.tax.minor >= 0 for each in found.credit.lines[:-1])
    assert given_back <= sale.total.minor


@given(partings(), RULES)
def test_a_return_in_parts_gives_back_what_it_gives_back_in_one_but_for_rounding(
    parting: tuple[Order, list[list[ReturnedLine]]], rules: dict[str, Any]
) -> None:
    sale, returns = parting
    if not returns:
        return
    apart = in_parts(sale, returns, rules)
    whole = plan(sale, [each for returned in returns for each in returned], **rules)
    # Each share, and each fee, is rounded by itself: by half a minor unit at most, apart and in one.
    pieces, fees = sum(map(len, returns)), len(returns) + 1
    difference = sum(each.amount.minor for each in apart) - whole.amount.minor
    assert abs(difference) <= 2 * pieces + fees / 2


@given(orders(max_lines=6), st.data())
def test_all_of_an_order_without_deductions_is_all_that_was_paid_for_it_to_the_cent(
    sale: Order, data: st.DataObject
) -> None:
    returns: list[list[ReturnedLine]] = [[] for _ in range(data.draw(st.integers(1, 4)))]
    for each in sale.lines:
        left = each.quantity
        while left:
            units = data.draw(st.integers(1, left))
            data.draw(st.sampled_from(returns)).append(back("", units, line_id=each.id))
            left -= units
    parts_of_it: list[Line | ShippingLine] = [*sale.lines, *sale.shipping_lines]
    owed = sum(part.total.minor for part in parts_of_it)
    if not sale.taxes_included:
        owed += sum(tax.amount.minor for part in parts_of_it for tax in part.taxes)
    rules = {"refund_shipping": "if_all", "damaged": "full"}
    found = in_parts(sale, [each for each in returns if each], rules)
    assert sum(each.amount.minor for each in found) == min(owed, sale.total.minor)
    assert sum(bool(each.shipping) for each in found) <= 1
    assert found == [] or found[-1].complete


@given(partings(), RULES)
def test_even_if_it_isnt_known_what_came_back_before_no_more_than_was_paid_is_given_back(
    parting: tuple[Order, list[list[ReturnedLine]]], rules: dict[str, Any]
) -> None:
    sale, returns = parting
    refunded = Money.zero(sale.currency)
    for returned in returns * 3:
        refunded = refunded + plan(sale, returned, refunded=refunded, **rules).amount
    assert refunded <= sale.total
