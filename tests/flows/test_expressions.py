"""Expressions give the value itself, or text for people, or a FlowError in plain words; never anything dangerous."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.capabilities.sms import SendSms
from bellwire.errors import ConfigurationError, FlowError
from bellwire.events import FreeForm
from bellwire.flows import SKIPPED, ByHand
from tests.flows.writing import FIRST_LINE, flow, message, scope, value_of
from tests.samples import order, usd


def test_an_expression_alone_gives_the_value_itself() -> None:
    names = scope()
    action = message("{{ event }}").actions["bench"]
    assert action.inputs(names)["text"] is names["event"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ event.lines[0].quantity }}", 2),
        (" {{ event.lines[0].quantity + 1 }} ", 3),
        ("{{ event.total }}", usd("24.40")),
        ("{{ event.email }}", "robin@example.com"),
        ("{{ event.lines | map(attribute='sku') }}", ["TEA-100"]),
        ("{{ event.lines | map(attribute='total') | sum }}", usd("17.00")),
        ("{{ event.total.amount > 0 }}", True),
        ("{{ event.total * 2 }}", usd("48.80")),
        ("{{ event.number.upper() }}", "1001"),
        ("{{ event.customer.name if event.customer else 'guest' }}", "Robin Hill"),
        ("{{ label.cost }}", None),
        ("{{ meta.subject }}", "order/1001"),
        ("{{ event.note | default('none', true) }}", "none"),
        ("{{ {'a': [1, event.number]} }}", {"a": [1, "1001"]}),
        ("Order {{ event.number }}", "Order 1001"),
        ("0{{ 123 }}", "0123"),
        ("{{ '0123' }}", "0123"),
        ("{{ event.number }}{{ event.number }}", "10011001"),
        ("Total {{ event.total }}", "Total 24.40 USD"),
        ("Total {{ event.total | money }}", "Total $24.40"),
        ("On {{ event.created_at }}", "On 2026-11-24 09:30 UTC"),
        ("On {{ event.created_at | date }}", "On 2026-11-24"),
        ("At {{ event.created_at | date('d MMM, HH:mm', 'America/Chicago') }}", "At 24 Nov, 03:30"),
        ("Cost {{ label.cost }}.", "Cost ."),
        (
            "{% for line in event.lines %}{{ loop.index }}: {{ line.quantity }} × {{ line.name }}{% endfor %}",
            "1: 2 × Green tea, 100 g",
        ),
        ("{% if event.ships %}sent{% else %}kept{% endif %}", "sent"),
        ("Paid: {{ event.test }}", "Paid: no"),
        ("{{ event.lines | map(attribute='sku') | join(', ') }}.", "TEA-100."),
        ("{{ 2.345 | round(2) }}", Decimal("2.35")),
        ("plain", "plain"),
        ("50 % off {curly}", "50 % off {curly}"),
    ],
)
def test_what_expressions_give(text: str, value: Any) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+15125550123", "+15125550123"),
        (" +1 (512) 555-0123 ", "+15125550123"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+41.44.668.18.00", "+41446681800"),
        ("+49 30/901820", "+4930901820"),
        ("(512) 555-0123", ""),
        ("0044 20 7946 0958", ""),
        ("+0 512 555 0123", ""),
        ("+1 512 555 0123 ext. 4", ""),
        ("+1 512 555 0123 +1", ""),
        ("+12345", ""),
        ("+1234567890123456", ""),
        ("+", ""),
        ("", ""),
        (None, ""),
        (SKIPPED, ""),
    ],
)
def test_a_phone_number_is_made_fit_for_messages_or_nothing(written: Any, number: str) -> None:
    assert value_of("{{ n | phone }}", n=written) == number
    if number:
        assert SendSms(to=number, text="Hello").to == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Tracking {{ label.tracking_number }}.", "Tracking ."),
        ("{% if label %}a{% else %}b{% endif %}", "b"),
        ("{% for x in label.parcels %}a{% endfor %}none", "none"),
        ("{{ label.cost | money }} {{ label.a.b.c }}", " "),
        ("{{ label.cost.amount > 0 }}", False),
        ("{{ label.tracking_number == '' }}", True),
        ("{{ label.tracking_number or 'none' }}", "none"),
    ],
)
def test_a_skipped_result_prints_nothing_and_is_false(text: str, value: Any) -> None:
    assert value_of(text, label=SKIPPED) == value


def test_an_input_from_a_skipped_action_is_left_out() -> None:
    assert value_of("{{ label.tracking_number }}", label=SKIPPED) is None


def test_a_result_by_hand_has_what_was_told_and_nothing_else() -> None:
    names = {"label": ByHand({"tracking_number": "BY-HAND-7"})}
    assert value_of("{{ label.tracking_number }}", **names) == "BY-HAND-7"
    assert value_of("{% if label %}{{ label.tracking_number }}, {{ label.cost | money }}{% endif %}", **names) == (
        "BY-HAND-7, "
    )
    assert value_of("{{ label.tracking_url }}", **names) is None


def test_a_loop_and_an_item_are_seen_inside_for_each_only() -> None:
    action = flow(
        "a: {do: x.y, for_each: event.lines, with: {sku: '{{ item.sku }}', all: {n: '{{ event.number }}'}}}"
    ).actions["a"]
    names = scope()
    assert action.for_each
    assert [action.inputs(names, item) for item in action.items(names)] == [{"sku": "TEA-100", "all": {"n": "1001"}}]
    assert "item" not in names


def test_for_each_over_anything_but_a_list_fails_in_plain_words() -> None:
    action = flow("a: {do: x.y, for_each: event.number}").actions["a"]
    with pytest.raises(FlowError, match=r"`for_each: event\.number` isn't a list"):
        action.items(scope())
    assert flow("a: {do: x.y, for_each: b.rows}\nb: {do: x.y}").actions["a"].items(scope() | {"b": SKIPPED}) == []


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [("event.ships", True), ("'{{ event.ships }}'", True), ("not event.ships", False), ("false", False), ("true", True),
     ("event.total.amount > 100", False), ("event.number == '1001' and label", True)],
)  # fmt: skip
def test_an_if_can_be_written_with_or_without_braces(condition: str, wanted: bool) -> None:
    assert flow(f"label: {{do: x.y}}\na:\n  do: x.y\n  if: {condition}\n").actions["a"].wanted(scope()) is wanted


def test_an_action_without_if_is_wanted() -> None:
    assert flow("a: {do: x.y}").actions["a"].wanted(scope())


def test_fields_of_free_data_are_read_whatever_they_are_called() -> None:
    data = FreeForm.model_validate({"copy": "c", "json": {"items": [1, 2]}, "rows": [{"sku": "a"}]})
    assert value_of("{{ event.copy }} {{ event.json.items[1] }} {{ event['rows'][0].sku }}", event=data) == "c 2 a"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ evnt }}", "there is no 'evnt' here"),
        ("{{ event.totl }}", "there is no field 'totl' in Order"),
        ("It is {{ event.totl }}", "there is no field 'totl' in Order"),
        ("{{ event.lines[7].sku }}", "there is no item 7"),
        ("{{ event.paid_at.year }}", "'year' is asked of something that this event doesn't have"),
        ("{{ event.total > 0 }}", "its parts don't go together"),
        ("{{ event.number + 1 }}", "its parts don't go together"),
        ("{{ 1 // 0 }}", "it divides by zero"),
        ("Order {{ event }}", "'Order' is a whole record, not text"),
        ("Lines {{ event.lines }}", "a list can't stand in a text"),
        ("{{ event.number | money }}", "`money` needs an amount of money"),
        ("{{ event.created_at | date('yyyy', 'Mars') }}", "there is no time zone 'Mars'"),
        ("{{ event.model_dump }}", "there is no field 'model_dump'"),
        ("{{ event.total.zero }}", "there is no field 'zero'"),
        ("{{ event.number.format }}", "there is no field 'format'"),
    ],
)
def test_what_fails_is_said_in_plain_words(text: str, why: str) -> None:
    with pytest.raises(FlowError) as caught:
        value_of(text, event=order(paid_at=None))
    assert caught.value.cause == "expression"
    assert caught.value.sentence.startswith(
        f"Flow 'Order to cash', action 'bench': `text: {text}` can't be worked out: {why}"
    )
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "{{ event.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ event._private }}",
        "{{ __builtins__ }}",
        "{{ event.model_dump() }}",
        "{{ '{0.__class__}'.format(event) }}",
        "{{ event() }}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
        "{{ 10 ** 10 }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% import 'a' as b %}",
        "{% include 'a' %}",
        "{% extends 'a' %}",
        "{% block a %}{% endblock %}",
        "{% filter upper %}a{% endfilter %}",
        "{% call x() %}{% endcall %}",
        "{% with %}{% endwith %}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 'a' | attr('__class__') }}",
        "{{ event | pprint }}",
        "{{ event | _few }}",
        "{{ event.number.join(['a']) }}",
        "{{ 'a'.upper(*event.lines) }}",
        "{% for a in event.lines %}" * 3 + "{% endfor %}" * 3,
        "{% for a in event.lines recursive %}{% endfor %}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ 1" + " + 1" * 20_000 + " }}",
    ],
)
def test_what_could_do_harm_is_refused_when_the_flow_is_read(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        message(text)
    assert caught.value.line


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ event.lines * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ big | replace('a', big) }}",
        "{{ big | list | join(big) }}",
        "{{ [big, big, big] | join }}",
        "{{ big ~ big ~ big }}",
        "{{ big }}{{ big }}{{ big }}",
        "{% for x in many %}{% endfor %}",
        "{{ 5 | round(-1000000000) }}",
        "{{ event['__class__'] }}",
        "{{ [event] | map(attribute='__class__') }}",
        "{{ [event] | map(attribute='model_dump') }}",
        "{{ ['a'] | map('attr', 'upper') }}",
        "{{ many[0] * 1000000000000000000000000 * 100000000000 * 2 }}",
    ],
)
def test_what_would_grow_or_escape_when_it_runs_fails(text: str) -> None:
    with pytest.raises(FlowError):
        value_of(text, big="a" * 50_000, many=list(range(1, 100_000)))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_text_from_outside_is_never_read_as_an_expression(note: str) -> None:
    assert value_of("Note: {{ event.note }}", event=order(note=note)) == f"Note: {note}"
    assert value_of("{{ event.note }}", event=order(note="{{ 1 + 1 }}")) == "{{ 1 + 1 }}"


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["USD", "EUR", "JPY", "KWD"]))
def test_money_is_written_with_its_currency_and_every_cent(amount: Decimal, currency: str) -> None:
    total = usd("0")._with(amount).model_copy(update={"currency": currency})
    assert value_of("{{ t }}!", t=total) == f"{total}!"
    digits = "".join(filter(str.isdigit, value_of("{{ t | money }}", t=total)))
    assert int(digits) == abs(total.rounded().minor) or amount != total.rounded().amount


def test_dates_are_told_in_the_zone_that_is_asked_for() -> None:
    night = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert value_of("{{ t | date(zone='America/New_York') }}", t=night) == "2026-11-23"


def test_what_stands_at_two_places_fails_in_the_name_of_each() -> None:
    made = flow(
        "first:\n  do: chat.post_message\n  with: {channel: packing, text: '{{ 1 / 0 }}'}\n"
        "second:\n  do: chat.post_message\n  with: {channel: packing, text: '{{ 1 / 0 }}'}\n"
    )
    for name, line in (("first", 0), ("second", 3)):
        with pytest.raises(FlowError, match=f"action '{name}'") as caught:
            made.actions[name].inputs(scope())
        assert caught.value.remedy.endswith(f"line {FIRST_LINE + line + 2}.")
