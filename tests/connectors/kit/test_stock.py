import pytest

from bellwire.capabilities.stock import AdjustStock, StockChange, StockChanges, StockLine, StockReason
from bellwire.connectors.kit import Call
from bellwire.connectors.kit.stock import changed, the_only_one, wanted_changes
from bellwire.errors import Refused
from tests.connectors.kit.acme import Acme
from tests.samples import NOW


def adjustment(reason: StockReason, *lines: StockLine) -> AdjustStock:
    return AdjustStock(lines=lines, reason=reason)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        (StockReason.SALE, -2),
        (StockReason.RETURN, 2),
        (StockReason.RECEIPT, 2),
        (StockReason.CORRECTION, 2),
    ],
)
def test_only_a_sale_takes_off(reason: StockReason, change: int) -> None:
    assert wanted_changes(adjustment(reason, StockLine(sku="TEA", quantity=2))) == {"TEA": change}


def test_a_sku_on_several_lines_is_added_up_and_what_comes_to_nothing_is_left_out() -> None:
    given = adjustment(
        StockReason.CORRECTION,
        StockLine(sku="TEA", quantity=2),
        StockLine(sku="MUG", quantity=1),
        StockLine(sku="TEA", quantity=-5),
        StockLine(sku="MUG", quantity=-1),
    )
    assert wanted_changes(given) == {"TEA": -3}


def test_lines_without_goods_are_left_out() -> None:
    given = adjustment(
        StockReason.SALE, StockLine(sku="CARD", quantity=1, ships=False), StockLine(sku="", quantity=1, name="Tip")
    )
    assert wanted_changes(given) == {}


def test_the_result_says_what_changed_and_not_what_nobody_counted() -> None:
    told = changed({"TEA": -2, "MUG": 1})
    assert told == StockChanges(changes=(StockChange(sku="TEA", change=-2), StockChange(sku="MUG", change=1)))


@pytest.mark.parametrize(
    ("ids", "sentence", "cause", "detail"),
    [
        ([], "Acme knows no item with the SKU 'TEA'.", "unknown-sku:TEA", ""),
        (["7", "8"], "Acme has 2 items with the SKU 'TEA'.", "ambiguous-sku:TEA", "7, 8"),
    ],
)
async def test_none_or_several_products_are_refused_with_the_command_that_says_which_it_is(
    ids: list[str], sentence: str, cause: str, detail: str
) -> None:
    async with Acme() as acme:
        call = Call.asking(acme.connection(), lambda: NOW)
    with pytest.raises(Refused) as refused:
        the_only_one(call, "TEA", ids, vendor="Acme", thing="item")
    assert (refused.value.sentence, refused.value.cause, refused.value.detail) == (sentence, cause, detail)
    assert refused.value.remedy == (
        "Give the item that SKU in Acme, or say which item it is: "
        '`bellwire records map books product TEA "ID"`. Then retry.'
    )
    assert the_only_one(call, "TEA", ["7"], vendor="Acme", thing="item") == "7"
