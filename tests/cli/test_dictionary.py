"""`bellwire dictionary`: all that a flow can say about an event."""

import re

import pytest

from bellwire.events import DICTIONARY, Order
from bellwire.flows import fields_of
from tests.cli.conftest import ROOT, Run


@pytest.fixture
def page(bellwire: Run) -> str:
    result = bellwire("dictionary")
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def test_every_event_is_there_with_its_meaning(page: str) -> None:
    for entry in DICTIONARY.values():
        assert re.search(rf"^\| `{entry.name}` \| .+ \| {re.escape(entry.meaning)} \|$", page, re.MULTILINE)


def test_every_field_that_a_flow_can_use_is_there(page: str) -> None:
    section = page.partition("\n## Order\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(fields_of(Order))
    assert "| `email` | text | Where to write to the customer; empty when the shop doesn't know. |" in section


def test_every_kind_of_data_that_is_named_has_its_section(page: str) -> None:
    named = {name for name, _ in re.findall(r"\[(\w+)\]\(#(\w+)\)", page)}
    assert named == set(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    assert {"Order", "Line", "Money"} <= named


def test_the_documents_have_it_as_it_is_now(page: str) -> None:
    """`bellwire dictionary > docs/dictionary.md` writes it anew."""
    assert (ROOT / "docs" / "dictionary.md").read_text("utf-8") == page
