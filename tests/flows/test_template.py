"""Order to cash: what it does for ordinary and odd orders."""

from typing import Any

from bellwire.capabilities import OPERATIONS
from bellwire.events import Order
from bellwire.flows import SKIPPED, parse_flow, template
from tests.flows.writing import PATH, scope
from tests.samples import line, order, usd

FLOW = parse_flow(template("order_to_cash"), PATH)


def wanted(data: Order, **results: Any) -> list[str]:
    names = scope() | {"event": data} | results
    return [action.name for action in FLOW.actions.values() if action.wanted(names)]


def test_every_input_is_valid_for_its_operation() -> None:
    names = scope()
    for action in FLOW.actions.values():
        (operation,) = OPERATIONS[action.operation_name]
        operation.given.model_validate(action.inputs(names))


def test_inputs_stay_valid_when_the_label_was_skipped() -> None:
    names = scope() | {"label": SKIPPED}
    for name in ("notice", "bench"):
        (operation,) = OPERATIONS[FLOW.actions[name].operation_name]
        operation.given.model_validate(FLOW.actions[name].inputs(names))
    assert FLOW.actions["bench"].inputs(names)["text"] == "Order 1001 is paid ($24.40). Nothing to send."


def test_an_ordinary_order_has_everything_done() -> None:
    assert wanted(order()) == list(FLOW.actions)


def test_what_an_order_does_not_need_is_skipped_with_a_reason() -> None:
    assert "label" not in wanted(order(lines=(line(ships=False),)))
    assert "fulfilled" not in wanted(order(), label=SKIPPED)
    assert "notice" not in wanted(order(customer=None))
    assert "receipt" not in wanted(order(total=usd("0")))
    assert FLOW.actions["label"].otherwise == "Nothing in this order is sent."
    assert FLOW.actions["notice"].otherwise == "The customer gave no e-mail address."


def test_nothing_waits_for_chat_or_mail_and_the_label_waits_for_nothing() -> None:
    assert {name: set(action.needs) for name, action in FLOW.actions.items()} == {
        "invoice": set(),
        "receipt": {"invoice"},
        "stock": set(),
        "label": set(),
        "notice": {"label"},
        "bench": {"label"},
        "fulfilled": {"label"},
    }


def test_the_bench_is_told_number_amount_and_tracking() -> None:
    assert FLOW.actions["bench"].inputs(scope())["text"] == "Order 1001 is paid ($24.40). Tracking 1Z999."
