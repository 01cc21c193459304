"""The picture shows what waits for what, and nothing twice."""

from bellwire.flows import bundled, parse_flow, picture
from tests.flows.writing import PATH, flow


def test_the_bundled_flow_is_three_columns_with_the_label_beside_the_invoice() -> None:
    shown = picture(parse_flow(bundled("order_to_cash"), PATH))
    places = {box.name: (box.column, box.row) for box in shown.boxes}
    assert places == {
        "event": (0, 0),
        "invoice": (1, 0),
        "asked": (1, 1),
        "stock": (1, 2),
        "label": (1, 3),
        "receipt": (2, 0),
        "gift_card": (2, 1),
        "notice": (2, 2),
        "bench": (2, 3),
        "fulfilled": (2, 4),
    }
    assert shown.boxes[0].meaning == "An order is paid in full: it can be invoiced and sent."
    conditional = {box.name for box in shown.boxes if box.conditional}
    assert conditional == {"asked", "receipt", "gift_card", "label", "notice", "fulfilled"}


def test_only_the_nearest_needs_get_arrows() -> None:
    shown = picture(
        flow("a: {do: x.y}\nb: {do: x.y, needs: a}\nc: {do: x.yy_zz, needs: [a, b], for_each: event.lines}")
    )
    assert shown.arrows == (("event", "a"), ("a", "b"), ("b", "c"))
    assert (shown.boxes[3].meaning, shown.boxes[3].repeated) == ("Yy zz", True)
