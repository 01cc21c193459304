import pytest

from bellwire.connectors.kit.books import paid_by_gift_card, prefixed
from bellwire.errors import Refused
from bellwire.money import Money
from tests.samples import order


@pytest.mark.parametrize(
    ("number", "prefix", "made"),
    [
        ("1001", "", "1001"),
        ("1001", "A-", "A-1001"),
        ("12345678", "A-", "A-12345678"),
        ("123456789", "A-", "A-23456789"),
        ("12345678901", "", "2345678901"),
    ],
)
def test_a_documents_number_keeps_its_prefix_and_the_orders_last_characters(
    number: str, prefix: str, made: str
) -> None:
    assert prefixed(number, prefix, longest=10) == made


def test_what_gift_cards_paid_is_told_once_it_is_known() -> None:
    spent = Money.of("5.00", "USD")
    assert paid_by_gift_card(order(gift_cards=spent)) == spent


def test_an_order_whose_gift_cards_arent_known_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match="Order 1001 can't be booked as a sales receipt: the shop's message") as refused:
        paid_by_gift_card(order(gift_cards=None))
    assert refused.value.cause == "gift-cards-unknown"
    assert "`read_order`" in refused.value.remedy
