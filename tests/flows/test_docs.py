"""docs/flows.md and the pages of the templates say nothing that isn't so."""

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from bellwire.errors import ConfigurationError
from bellwire.flows import Flow, check_flow, parse_flow, template
from bellwire.flows.fields import TEXT_METHODS
from bellwire.flows.filters import FILTERS
from bellwire.flows.parsing import ACTION_KEYS, FLOW_KEYS
from bellwire.flows.sandbox import TESTS
from tests.flows.standins import CONNECTORS
from tests.flows.writing import HEAD, PATH, flow, message

PAGE = (Path(__file__).parents[2] / "docs" / "flows.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
_SAID = PAGE.partition("## What the check says")[2]


def rows(part: str) -> list[tuple[str, str]]:
    """What a table says about what: its cells, without Markdown's way of writing `|`."""
    return re.findall(r"^\| `(.+?)` \| (.+) \|$", part.replace("\\|", "|"), re.MULTILINE)


def said_about(text: Callable[[], Flow]) -> list[str]:
    try:
        return [str(finding) for finding in check_flow(text(), CONNECTORS)]
    except ConfigurationError as error:
        return [str(error)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.partition(":")[0])
def test_every_example_is_a_flow_that_checks_clean(block: str) -> None:
    text = block if block.startswith("name:") else HEAD + indent(block, "  ")
    assert check_flow(parse_flow(text, PATH), CONNECTORS) == []


@pytest.mark.parametrize(("wrote", "says"), rows(_SAID.partition("About an action")[0]))
def test_messages_about_expressions_are_as_shown(wrote: str, says: str) -> None:
    assert any(says in line for line in said_about(lambda: message(wrote)))


@pytest.mark.parametrize(("wrote", "says"), rows(_SAID.partition("About an action")[2]))
def test_messages_about_actions_are_as_shown(wrote: str, says: str) -> None:
    actions = f"label: {{do: shipping.create_label}}\na:\n  do: chat.post_message\n  {wrote}\n"
    assert any(says in line for line in said_about(lambda: flow(actions)))


@pytest.mark.parametrize("name", sorted({*FLOW_KEYS, *ACTION_KEYS, *FILTERS, *TESTS, *TEXT_METHODS}))
def test_every_key_filter_test_and_method_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", ["dunning", "onboarding"])
def test_a_templates_page_tells_of_every_input_where_it_comes_from(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "flows" / f"{name}.md").read_text("utf-8")
    table = page.partition("| flow | step | input |")[2].partition("\n\n")[0]
    cells = [[re.findall("`([^`]+)`", cell) for cell in line.split(" | ")[:3]] for line in table.splitlines()[2:]]
    told = [(*flows, step, given) for flows, steps, inputs in cells for step in steps for given in inputs]
    flows = {flow: parse_flow(text, PATH.with_stem(flow)) for flow, text in template(name).items()}
    assert sorted(told) == sorted(
        (flow.id, action.name, str(given))
        for flow in flows.values()
        for action in flow.actions.values()
        for given in action.given
    )
    assert all(f"| `{flow}` | " in page.partition("## ")[0] for flow in flows)
