"""The picture shows what waits for what, and nothing twice."""

from bellwire.flows import parse_flow, picture, template
from tests.flows.writing import PATH, flow


def test_the_bundled_flow_is_three_columns_with_the_label_beside_the_invoice() -> None:
    shown = picture(parse_flow(template("order_to_cash"), PATH))
    places = {box.name: (box.column, box.row) for box in shown.boxes}
    assert places == {
        "event": (0, 0),
        "invoice": (1, 0),
        "stock": (1, 1),
        "label": (1, 2),
        "receipt": (2, 0),
        "notice": (2, 1),
        "bench": (2, 2),
        "fulfilled": (2, 3),
    }
    assert shown.boxes[0].meaning == "An order is paid in full: it can be invoiced and sent."
    assert {box.name for box in shown.boxes if box.conditional} == {"receipt", "label", "notice", "fulfilled"}


def test_only_the_nearest_needs_get_arrows() -> None:
    shown = picture(
        flow("a: {do: x.y}\nb: {do: x.y, needs: a}\nc: {do: x.yy_zz, needs: [a, b], for_each: event.lines}")
    )
    assert shown.arrows == (("event", "a"), ("a", "b"), ("b", "c"))
    assert (shown.boxes[3].meaning, shown.boxes[3].repeated) == ("Yy zz", True)
