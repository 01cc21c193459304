"""What the editor's fields say of a flow, and what they make of it: held to the bundled templates, and to a file
written by hand that has every key there is."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.connectors.kit import Connection, connect
from bellwire.connectors.opening import own_connector
from bellwire.desk.editor import Editor, fields_in
from bellwire.desk.forms import Form
from bellwire.events import Environment
from bellwire.flows import bundled, bundled_names, check_flow, edited, parse_flow, read_values, template_names, where_is
from bellwire.flows.parsing import ACTION_KEYS, FLOW_KEYS
from bellwire.ledger import Rows, drafts
from tests.connecting import Secrets
from tests.desk.filling import filled, offered
from tests.desk.story import NOW, open_desk, the_connections
from tests.flows.templates import usual

PATH = Path("every.yaml")
EVERY = """\
# Everything that a flow can say.
name: "Every  key"   # two blanks

trigger: shop.order.paid
gather: {for: 1h, by: event.currency, most: 100}   # gathered
ends_on:
  # The first.
  - shop.order.cancelled   # by its subject
  - event: shop.order.refunded
    # The number.
    same: number   # of the order
    as: order.number

owner:
  name: Dana   # her
  contact: dana@example.com
success:
  within: 2m
  # Not more.
  error_rate: 1%
manual_minutes: 11

actions:
  # The question.
  asked:
    wait: 30m
    if: event.total.amount > 100   # only big ones
    otherwise: |
      It is
      a small one.
    approve:
      ask: |   # of Dana
        Order {{ event.number }},
        really?
      # Only then.
      if: event.email
      by: Dana
      within: 2d

  invoice:
    do: books.create_invoice
    needs: [asked]
    wait_until: event.created_at
    retry: {attempts: 3, first: 30s, longest: 10m}
    with:
      order: "{{ event }}"   # all of it

  # A word for each line.
  each:
    do: chat.post_message
    for_each: event.lines
    needs:
      - asked   # the yes
      # The bill.
      - invoice
    with:
      channel: 'packing'
      text: >-
        {{ item.sku }}:
        {{ links.asked }}
  said:
    emit: coffee.empty   # of our own
    if: event.note == 'two  blanks'
    with:
      machine: 7
      empty: ""
      nothing: null
      odd: "a\\rb"
      list: [{a: 1, b: "{{ event.number }}"}, {a: 2}]
      made:
        of: {parts: "x", more: [1, 2]}   # parts
        # Words.
        words:
          - one   # first
          - two
# The end.
"""
BY_CLOCK = """\
name: Count
trigger:
  every: "0 7 * * mon-fri"   # in the morning
  # Here.
  zone: America/Chicago
ends_on: shop.order.paid
actions:
  counted: {do: stock.count, with: {skus: [TEA-100, MUG-RED]}, needs: told}
  told:
    do: chat.post_it   # there is no such thing
    with: {channel: buying, text: "{{ event.day | date }}"}
"""


class Sheet:
    """A flow's text, and its page as a browser has it."""

    def __init__(self, text: str, page: str) -> None:
        self.text = text
        self.fields = filled(page)
        self.offered = offered(page)

    def form(self, **fills: str) -> Form:
        found: dict[str, list[str]] = {}
        for name, value in [*self.fields, *fills.items()]:
            found.setdefault(name, []).append(value)
        return Form(found)


def systems() -> dict[str, Connection]:
    """A connection for whatever the templates need, beside those that are made up."""
    found = the_connections()
    for name, connector in {name: each for t in template_names() for name, each in usual(t).items()}.items():
        kind = connector.manifest.settings
        needed: dict[str, Any] = {key: "x" for key, each in kind.model_fields.items() if each.is_required()}
        found[name] = connect(name, connector, Environment.SANDBOX, kind.model_construct(**needed), Secrets({}))
    return found


SYSTEMS = systems()
CONNECTORS = {name: each.connector for name, each in SYSTEMS.items()} | own_connector()


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sheet]:
    texts = {name: bundled(name) for name in bundled_names()} | {"every": EVERY, "by_clock": BY_CLOCK}
    texts["windows"] = EVERY.replace("\n", "\r\n")

    async def look() -> dict[str, Sheet]:
        found: dict[str, Sheet] = {}
        folder = tmp_path_factory.mktemp("desk")
        async with (
            open_desk(folder, editing=True, connections=SYSTEMS) as place,
            aiohttp.ClientSession(place.url) as session,
        ):
            for name, text in texts.items():
                await place.ledger.write(partial(_draft, name=name, text=text))
                async with session.get(f"/flows/{name}/edit") as answer:
                    page = await answer.text()
                    assert answer.status == 200, page
                found[name] = Sheet(text, page)
        return found

    return asyncio.run(look())


def _draft(rows: Rows, name: str, text: str) -> None:
    drafts.put(rows, name, text, "", who="Dana", now=NOW)


def after(sheet: Sheet, **fills: str) -> str:
    """The text once a form was sent in which these fields are filled in so."""
    values = fields_in(sheet.text)
    assert values is not None
    changes = Editor(values, CONNECTORS, {}).changes(sheet.form(**fills))
    return edited(sheet.text, changes, PATH)


def test_every_page_sent_as_it_is_changes_nothing(sheets: Mapping[str, Sheet]) -> None:
    assert [name for name, sheet in sheets.items() if after(sheet) != sheet.text] == []


def test_every_key_of_the_format_has_its_field(sheets: Mapping[str, Sheet]) -> None:
    check_flow(parse_flow(EVERY, PATH), CONNECTORS)
    names = {name for name, _ in sheets["every"].fields}
    own = {f"each.{key}" for key in ACTION_KEYS if key not in ("emit", "with", "approve", "needs", "retry")}
    own |= {f"asked.approve.{key}" for key in ("ask", "if", "by", "within")} | {"each.with.text", "each.needs.shown"}
    own |= {f"each.retry.{key}" for key in ("attempts", "first", "longest")}
    head = {f"{key}.{inner}" for key, inners in _INNER.items() for inner in inners}
    head |= {key for key in FLOW_KEYS if key not in (*_INNER, "ends_on", "actions")}
    assert {each for each in own | head if each not in names} == set()
    assert {f"ends_on.1.{key}" for key in ("event", "same", "as")} <= names
    assert {"trigger.every", "trigger.zone"} <= {name for name, _ in sheets["by_clock"].fields}
    assert {"emit:order.paid", "wait"} <= set(sheets["every"].offered["each.do"])


_INNER = {"gather": ("for", "by", "most"), "owner": ("name", "contact"), "success": ("within", "error_rate")}


_UNTOUCHED = {"form_token", "seen", "event", "new.do", "new.do.own", "new.name"}
_WRITTEN = st.one_of(
    st.sampled_from(["", "2h", "{{ event.number }}", "007", "a: b #c", "[1, {a: 2}]", "{x: y}", "two\r\nlines"]),
    st.text("ab:#-?{}[]'\"\\ \n", max_size=20),
)
_ANY = st.integers(0, 2**32)


@settings(max_examples=60)
@given(flow=_ANY, field=_ANY, chosen=_ANY, written=_WRITTEN)
def test_a_field_that_is_filled_in_changes_its_own_lines_and_no_others(
    sheets: Mapping[str, Sheet], flow: int, field: int, chosen: int, written: str
) -> None:
    sheet = sheets[sorted(sheets)[flow % len(sheets)]]
    names = [name for name, _ in sheet.fields if name not in _UNTOUCHED and not name.endswith(".name")]
    name = ["owner.name", *names][field % (len(names) + 1)]
    choices = sheet.offered.get(name)
    value = choices[chosen % len(choices)] if choices else written
    text = after(sheet, **{name: value})

    read_values(text, PATH)
    touched = list(_where(name))
    old, new = sheet.text.split("\n"), text.split("\n")
    first = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    behind = next(
        (at for at, (a, b) in enumerate(zip(reversed(old[first:]), reversed(new[first:]), strict=False)) if a != b),
        min(len(old), len(new)) - first,
    )
    for at in range(first, len(old) - behind):
        line = old[at].strip()
        if not line or line.startswith("#"):
            # What is above something that goes, goes with it; all else stays.
            assert at + 1 < len(old) - behind or not line, line
            continue
        where = where_is(sheet.text, at + 1)
        assert any(_related(where, each) for each in touched), (name, value, line)


def _where(name: str) -> Iterator[tuple[str, ...]]:
    """Where what a field says stands."""
    parts = tuple(re.sub(r"\.(own|op|value|shown)$", "", name).split("."))
    head = parts[0] in FLOW_KEYS
    found = parts if head else ("actions", *parts)
    yield found
    if name.startswith("ends_on.new"):
        yield ("ends_on",)
    if name == "ends_on.0.event":
        yield ("ends_on",)
    if name == "gather.for" or name.endswith(".approve.ask"):
        yield found[:-1]
    if name.endswith((".do", ".do.own")):
        yield from ((*found[:2], key) for key in ("emit", "do", "wait"))


def _related(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]
