"""Every vendor whose description is at hand has its requests and answers held against it, in every test."""

import pytest

from bellwire.connectors.registry import connector_names
from bellwire.errors import BellwireError
from bellwire.practice import Practice, Received
from tests import describing
from tests.connecting import connection
from tests.shared import FOLDER, needs_shared

ELSEWHERE = {"shopify"}
"""Its API is a schema, against which each document is held that can be sent (shopify/test_documents.py)."""


@needs_shared
def test_each_vendor_with_a_description_has_a_check() -> None:
    files = [path.name for path in FOLDER.glob("specs/*.gz")]
    described = {name for name in connector_names() if any(file.startswith(name) for file in files)}
    assert len(described) >= 12
    assert {name for name in described if describing.check_of(name) is None} == ELSEWHERE


@needs_shared
@pytest.mark.parametrize("vendor", ["asana", "square", "stripe", "xero"])
async def test_what_isnt_described_is_noticed(vendor: str, asked: list[tuple[str, Received]]) -> None:
    async with Practice([vendor]) as practice:
        made = connection(vendor, practice)
        with pytest.raises(BellwireError):
            await made.api.get("nothing")
        await made.api.close()
    assert describing.problems(asked)
    asked.clear()
