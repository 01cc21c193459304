"""What a run's page says of what its actions brought."""

from typing import Any

import pytest

from bellwire.desk.history import facts
from tests.samples import order


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"id": "7", "number": "1045", "customer_id": "58"}, [("Number", "1045")]),
        ({"amount": {"amount": "12.50", "currency": "USD"}}, [("Amount", "$12.50")]),
        ({"changes": [{"sku": "TEA-100", "change": -2}]}, [("Changes", "TEA-100 −2")]),
        ({"order": order().model_dump(mode="json")}, [("Order", "1001, $24.40")]),
        ({"url": "https://example.com", "note": ""}, []),
    ],
)
def test_only_what_says_something_to_people_is_told(result: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert facts(result) == told
