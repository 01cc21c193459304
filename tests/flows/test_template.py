"""Order to cash: what it does for ordinary and odd orders."""

from typing import Any

import pytest
from hypothesis import given

from bellwire.capabilities import OPERATIONS
from bellwire.capabilities.storefront import FoundOrder
from bellwire.errors import FlowError
from bellwire.events import Order
from bellwire.flows import SKIPPED, Scope, bundled, parse_flow
from bellwire.money import Money, total
from tests.flows.writing import PATH, scope
from tests.samples import line, order, usd
from tests.strategies import orders

FLOW = parse_flow(bundled("order_to_cash"), PATH)


def told(data: Order, **results: Any) -> Scope:
    """What expressions see of an order of which the shop's message tells everything."""
    return scope() | {"event": data, "asked": SKIPPED} | results


def wanted(data: Order, **results: Any) -> list[str]:
    names = told(data, **results)
    return [action.name for action in FLOW.actions.values() if action.wanted(names)]


def paid(names: Scope) -> dict[str, Money]:
    """The amounts that settle the invoice, by action."""
    settling = [FLOW.actions[name] for name in ("receipt", "gift_card")]
    return {action.name: action.inputs(names)["amount"] for action in settling if action.wanted(names)}


def test_every_input_is_valid_for_its_operation() -> None:
    names = told(order())
    for action in FLOW.actions.values():
        (operation,) = OPERATIONS[action.operation_name]
        operation.given.model_validate(action.inputs(names))


def test_inputs_stay_valid_when_the_label_was_skipped() -> None:
    names = told(order(), label=SKIPPED)
    for name in ("notice", "bench"):
        (operation,) = OPERATIONS[FLOW.actions[name].operation_name]
        operation.given.model_validate(FLOW.actions[name].inputs(names))
    assert FLOW.actions["bench"].inputs(names)["text"] == "Order 1001 is paid ($24.40). Nothing to send."


def test_an_ordinary_order_has_everything_done() -> None:
    assert wanted(order()) == [name for name in FLOW.actions if name not in ("asked", "gift_card")]


def test_what_an_order_does_not_need_is_skipped_with_a_reason() -> None:
    assert "label" not in wanted(order(lines=(line(ships=False),)))
    assert "fulfilled" not in wanted(order(), label=SKIPPED)
    assert "notice" not in wanted(order(customer=None))
    assert "receipt" not in wanted(order(total=usd("0")))
    assert FLOW.actions["gift_card"].otherwise == "No gift card was used."
    assert FLOW.actions["label"].otherwise == "Nothing in this order is sent."
    assert FLOW.actions["notice"].otherwise == "The customer gave no e-mail address."


def test_what_gift_cards_paid_and_what_came_in_as_money_are_apart() -> None:
    assert paid(told(order())) == {"receipt": usd("24.40")}
    assert paid(told(order(gift_cards=usd("20.00")))) == {"receipt": usd("4.40"), "gift_card": usd("20.00")}
    assert paid(told(order(gift_cards=usd("24.40")))) == {"gift_card": usd("24.40")}


def test_the_shop_is_asked_only_where_its_message_does_not_say_what_gift_cards_paid() -> None:
    assert "asked" not in wanted(order(gift_cards=usd("20.00")))
    unknown, known = order(gift_cards=None), FoundOrder(order=order(gift_cards=usd("20.00")))
    assert "asked" in wanted(unknown, asked=known)
    assert paid(told(unknown, asked=known)) == {"receipt": usd("4.40"), "gift_card": usd("20.00")}


def test_nothing_is_booked_as_paid_while_it_is_not_known_by_what() -> None:
    for action in ("receipt", "gift_card"):
        with pytest.raises(FlowError, match="doesn't say how much of the order gift cards paid"):
            FLOW.actions[action].wanted(told(order(gift_cards=None)))


@given(orders())
def test_what_was_paid_adds_up_to_the_total(data: Order) -> None:
    assert data.paid_in_money + data.paid_by_gift_card == data.total
    assert total(paid(told(data)).values(), data.currency) == data.total


def test_nothing_waits_for_chat_or_mail_and_the_label_waits_for_nothing() -> None:
    assert {name: set(action.needs) for name, action in FLOW.actions.items()} == {
        "invoice": set(),
        "asked": set(),
        "receipt": {"invoice", "asked"},
        "gift_card": {"invoice", "asked"},
        "stock": set(),
        "label": set(),
        "notice": {"label"},
        "bench": {"label"},
        "fulfilled": {"label"},
    }


def test_the_bench_is_told_number_amount_and_tracking() -> None:
    assert FLOW.actions["bench"].inputs(scope())["text"] == "Order 1001 is paid ($24.40). Tracking 1Z999."
