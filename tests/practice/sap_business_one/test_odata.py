"""What of OData the practice company understands."""

import pytest

from bellwire.practice.sap_business_one.odata import BadQuery, Filter, answer

ROW = {"Code": "O'Neil", "Entry": 7, "Day": "2026-11-24", "Empty": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Code eq 'O''Neil'", True),
        ("Code ne 'O''Neil'", False),
        ("Entry gt 6 and Entry lt 8", True),
        ("Entry ge 8 or Entry le 6", False),
        ("Day ge '2026-11-24' and (Entry eq 1 or Entry eq 7)", True),
        ("Entry eq 7 or Entry eq 8 and Code eq 'x'", True),
        ("(Entry eq 7 or Entry eq 8) and Code eq 'x'", False),
        ("Empty eq 'x'", False),
    ],
)
def test_filters(text: str, found: bool) -> None:
    assert Filter(text).matches(ROW) is found


@pytest.mark.parametrize(
    "text", ["Code", "Code is 'x'", "(Code eq 'x'", "Code eq 'x' Entry", "Code eq x", "Code eq 'x", ""]
)
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(BadQuery):
        Filter(text)


def test_what_is_not_there_can_not_be_selected() -> None:
    with pytest.raises(BadQuery, match="Colour"):
        answer("Things", [ROW], {"$select": "Code,Colour"}, 20)
