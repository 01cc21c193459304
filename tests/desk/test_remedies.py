"""What a page offers in place of a command."""

import pytest

from bellwire.desk.remedies import Unknown, remedy_of, unknown_of
from bellwire.ledger import ExceptionRow, ExceptionState
from tests.samples import NOW


def row(remedy: str) -> ExceptionRow:
    values = (1, 1, None, "cash", "invoice", 0, "books", "unknown-sku:TEA", "No.", remedy, "")
    return ExceptionRow(*values, NOW, ExceptionState.OPEN, None, "")


@pytest.mark.parametrize(
    ("remedy", "unknown"),
    [
        (
            'Add it there, or run `bellwire records map books product TEA-250 "Item name or id"`, then send it again.',
            Unknown("books", "product", "TEA-250", "Item name or id"),
        ),
        (
            'Say which it is: `bellwire records map odoo product TEA 250 g "ID"`. Then retry.',
            Unknown("odoo", "product", "TEA 250 g", "ID"),
        ),
        ("Give the product this SKU in the shop, or map it: `bellwire records map`.", None),
        ("Wait.", None),
    ],
)
def test_where_the_remedy_is_to_map_a_record_it_is_known_which(remedy: str, unknown: Unknown | None) -> None:
    assert unknown_of(row(remedy)) == unknown


def test_it_is_said_without_the_command_where_there_is_a_form() -> None:
    mapped = row('Add it, or run `bellwire records map books product TEA "Id"`.')
    assert (
        remedy_of(mapped, "QuickBooks")
        == "Say which product of QuickBooks TEA is, or add it there. Then send it again."
    )
    assert remedy_of(row("Wait."), "QuickBooks") == "Wait."
