"""What a flow file can say, and what it hears when it says something else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.errors import ConfigurationError
from bellwire.flows import Owner, Retry, Success, bundled, parse_flow
from tests.flows.writing import FIRST_LINE, HEAD, PATH, event, flow
from tests.samples import NOW, order


def test_a_flow_has_what_its_file_says() -> None:
    read = parse_flow(bundled("order_to_cash"), PATH)
    assert (read.name, read.id, read.connection, read.event_type) == (
        "Order to cash",
        "order_to_cash",
        "shop",
        "order.paid",
    )
    assert read.owner == Owner(name="Dana", contact="dana@example.com")
    assert read.success == Success(within=timedelta(minutes=2), error_rate=Decimal("0.01"))
    assert read.manual_minutes == 11
    assert read.path == PATH
    assert read.source == bundled("order_to_cash")


def test_owner_success_and_minutes_can_be_left_out() -> None:
    read = parse_flow("name: A\ntrigger: shop.order.paid\nactions: {a: {do: chat.post_message}}\n", PATH)
    assert (read.owner, read.success, read.manual_minutes) == (None, None, None)


def test_the_hash_changes_with_the_text_only() -> None:
    text = bundled("order_to_cash")
    one, other, changed = (
        parse_flow(t, Path(p)) for t, p in ((text, "a.yaml"), (text, "b.yaml"), (text + "#", "a.yaml"))
    )
    assert len(one.hash) == 12
    assert one.hash == other.hash != changed.hash


def test_actions_wait_for_what_they_name_and_for_what_they_refer_to() -> None:
    read = flow(
        "last: {do: chat.post_message, needs: [a, b]}\n"
        "a: {do: chat.post_message, with: {text: 'It is {{ b.id }}'}}\n"
        "b: {do: chat.post_message}\n"
        "c: {do: chat.post_message, if: 'a.id and b'}\n"
        "d: {do: chat.post_message, needs: a, for_each: event.lines}\n"
        "e: {do: books.record_payment, with: {deep: [{er: '{{ d[0].id }}'}]}}\n"
    )
    assert {name: set(action.needs) for name, action in read.actions.items()} == {
        "b": set(),
        "a": {"b"},
        "last": {"a", "b"},
        "c": {"a", "b"},
        "d": {"a"},
        "e": {"d"},
    }


def test_actions_come_after_what_they_need_and_otherwise_as_in_the_file() -> None:
    read = flow("c: {do: x.y, needs: b}\nd: {do: x.y}\na: {do: x.y}\nb: {do: x.y}\n")
    assert list(read.actions) == ["d", "a", "b", "c"]


def test_a_loop_variable_is_no_reference() -> None:
    read = flow(
        "label: {do: shipping.create_label}\n"
        "bench: {do: chat.post_message, with: {text: '{% for label in event.lines %}{{ label.sku }}{% endfor %}'}}\n"
    )
    assert read.actions["bench"].needs == set()


def test_a_retry_can_be_changed_in_part() -> None:
    read = flow("a: {do: x.y}\nb: {do: x.y, retry: {attempts: 3, first: 5m, longest: 1d}}\n")
    assert read.actions["a"].retry == Retry(attempts=18, first=timedelta(seconds=2), longest=timedelta(hours=12))
    assert read.actions["b"].retry == Retry(attempts=3, first=timedelta(minutes=5), longest=timedelta(days=1))


def test_why_an_action_is_skipped_is_its_own_words_or_a_plain_sentence() -> None:
    read = flow("a: {do: x.y, if: event.ships, otherwise: Nothing is sent.}\nb: {do: x.y, if: event.ships}\n")
    assert [action.otherwise for action in read.actions.values()] == ["Nothing is sent.", "Its condition wasn't met."]


def test_a_flow_cannot_be_changed() -> None:
    read = flow("a: {do: x.y}\n")
    with pytest.raises(AttributeError):
        read.name = "Other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        read.actions["b"] = read.actions["a"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "line", "says", "remedy"),
    [
        ("just text\n", 1, "Here should be keys and values: a flow.", "It can have name"),
        ("trigger: shop.order.paid\nactions: {a: {do: x.y}}\n", 1, "A flow needs 'name'.", "`name: Order to cash`"),
        ("name: A\ntriger: shop.order.paid\n", 2, "'triger' is no key of a flow.", "Did you mean 'trigger'?"),
        ("name: A\ntrigger: order_paid\n", 2, "'trigger' can't be understood.", "`trigger: shop.order.paid`"),
        ("name: A\ntrigger: s.o.p\nends_on: never\n", 3, "'ends_on' can't be understood.", "`shop.order.cancelled`"),
        ("name: A\ntrigger: s.o.p\nends_on: {same: id}\n", 3, "What ends the run needs 'event'.", "`event: "),
        ("name: A\ntrigger: s.o.p\nends_on: {event: s.o.c, same: A B}\n", 3, "'A B' is no field.", "invoice_id"),
        ("name: A\ntrigger: {zone: UTC}\n", 2, "A schedule needs 'every'.", '"0 7 * * mon-fri"'),
        ("name: A\ntrigger: {every: 0 7 * * *}\n", 2, "A schedule needs 'zone'.", "Europe/Berlin"),
        ("name: A\ntrigger: {every: daily, zone: UTC}\n", 2, "'daily' isn't a schedule, or never comes.", "weekday"),
        (
            "name: A\ntrigger: {every: 0 0 30 2 *, zone: UTC}\n",
            2,
            "'0 0 30 2 *' isn't a schedule, or never comes.",
            "weekday",
        ),
        ("name: A\ntrigger: {every: 0 7 * * *, zone: Mars}\n", 2, "There is no time zone 'Mars'.", "Europe/Berlin"),
        ("name: A\ntrigger: s.o.p\ngather: {by: event.id}\n", 3, "Gather needs 'for'.", "`for: 1h`"),
        ("name: A\ntrigger: s.o.p\ngather: {for: 1h, most: 2.5}\n", 3, "'most' has to be a whole number.", ""),
        (
            "name: A\ntrigger: s.o.p\ngather: {for: 1h, by: a.id}\n",
            3,
            "'by' sees the event alone.",
            "event.supplier_id",
        ),
        ("name: A\ntrigger: s.o.p\nends_on: {event: s.o.c, same: id, as: A}\n", 3, "'A' is no field.", "invoice_id"),
        ("name: A\ntrigger: s.o.p\nends_on: {event: s.o.c, as: id}\n", 3, "'as' needs 'same'.", "Name the field"),
        ("name: 12\n", 1, "'name' has to be text.", "quotes"),
        ("name: ''\n", 1, "'name' is empty.", "leave the key out"),
        ("name: A\ntrigger: s.o.p\n", 1, "A flow needs 'actions'.", "actions:"),
        ("name: A\ntrigger: s.o.p\nactions: [a]\n", 3, "'actions' has to have actions in it.", "indented"),
        ("name: A\ntrigger: s.o.p\nactions: {}\n", 3, "'actions' has to have actions in it.", "indented"),
        ("name: A\ntrigger: s.o.p\nowner: Dana\n", 3, "Here should be keys and values: an owner.", "name, contact"),
        ("name: A\ntrigger: s.o.p\nowner: {nam: D}\n", 3, "'nam' is no key of an owner.", "'name'?"),
        ("name: A\ntrigger: s.o.p\nsuccess: {within: 2 weeks}\n", 3, "'within' has to be a time.", "5m"),
        ("name: A\ntrigger: s.o.p\nsuccess: {within: 999999d}\n", 3, "'within' has to be a time.", "a year at most"),
        ("name: A\ntrigger: s.o.p\nsuccess: {error_rate: 101%}\n", 3, "'error_rate' has to be a percentage.", "0.5%"),
        (
            "name: A\ntrigger: s.o.p\nmanual_minutes: long\n",
            3,
            "'manual_minutes' has to be a number from 0 to 10000.",
            "",
        ),
    ],
)
def test_what_is_wrong_with_a_flow_is_said_with_its_line(text: str, line: int, says: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_flow(text, PATH)
    assert (caught.value.path, caught.value.line, caught.value.sentence) == (PATH, line, says)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("actions", "line", "says", "remedy"),
    [
        ("a: {do: create_invoice}", 0, "'do' can't be understood.", "`do: books.create_invoice`"),
        ("a: {with: {}}", 0, "Action 'a' needs 'do'.", "`do: books.create_invoice`"),
        ("a:\n  do: x.y\n  wiht: {}", 2, "'wiht' is no key of action 'a'.", "Did you mean 'with'?"),
        ("a:\n  do: x.y\n  with: text", 2, "'with' has to have keys and values.", "{{ event }}"),
        ("a: {do: x.y, emit: b.c}", 0, "An action has either 'do' or 'emit'.", "two actions"),
        ("a: {emit: low}", 0, "'low' can't be a type of event.", "`inventory.low`"),
        ("a:\n  wait: 3d\n  wait_until: event.start", 2, "An action has either 'wait' or 'wait_until'.", "Keep one"),
        ("a: {do: x.y, wait: later}", 0, "'wait' has to be a time.", "5m"),
        ("a: {do: x.y, approve: {}}", 0, "Approve needs 'ask'.", "`ask: "),
        ("a: {do: x.y, approve: {ask: Well?, who: D}}", 0, "'who' is no key of approve.", ""),
        (
            "a:\n  do: x.y\n  for_each: event.lines\n  approve: {ask: Well?}",
            3,
            "A person can't be asked once for each item of 'for_each'.",
            "an action of its own",
        ),
        ("a-b: {do: x.y}", 0, "'a-b' can't be an action's name.", "_"),
        ("event: {do: x.y}", 0, "'event' can't be an action's name.", "_"),
        (
            "bank: {do: x.y}\nb:\n  do: x.y\n  needs: [bnk]",
            3,
            "'b' needs 'bnk', which isn't here.",
            "Did you mean 'bank'?",
        ),
        ("a: {do: x.y, needs: [a]}", 0, "'a' needs itself.", "Take it out"),
        ("a:\n  do: x.y\n  with:\n    t: '{{ a.id }}'", 3, "'a' refers to its own result.", "before it"),
        (
            "a: {do: x.y, needs: c}\nb: {do: x.y, needs: a}\nc: {do: x.y, if: b.id}\nd: {do: x.y, needs: c}",
            0,
            "These actions wait for each other: a → c → b → a.",
            "Take one out",
        ),
        ("a: {do: x.y, retry: {attempts: 0}}", 0, "'attempts' has to be a number from 1 to 100.", ""),
        ("a: {do: x.y, retry: {attempts: 1.5}}", 0, "'attempts' has to be a whole number.", ""),
        ("a: {do: x.y, retry: {first: 2d}}", 0, "'first' is longer than 'longest'.", "shorter"),
        (
            "a: {do: x.y, if: 'It is {{ event.ships }}'}",
            0,
            "`if` has to be one expression, without text around it.",
            "",
        ),
        (
            "a:\n  do: x.y\n  with:\n    t: '{{ event. }}'",
            3,
            "`t` can't be understood: expected name or number.",
            "docs",
        ),
        (
            "a:\n  do: x.y\n  with:\n    t: |\n      Hi\n      {{ event | mony }}",
            5,
            "`t` can't be understood: there is no filter 'mony'.",
            "'money'?",
        ),
    ],
)
def test_what_is_wrong_with_an_action_is_said_with_its_line(actions: str, line: int, says: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        flow(actions)
    assert (caught.value.line, caught.value.sentence) == (FIRST_LINE + line, says)
    assert remedy in caught.value.remedy


def test_a_file_needs_a_name_that_can_be_an_id() -> None:
    with pytest.raises(ConfigurationError, match="Rename the file"):
        parse_flow(bundled("order_to_cash"), Path("flows/Order to cash.yaml"))


def parses_or_says_why(text: str) -> None:
    try:
        parse_flow(text, PATH)
    except ConfigurationError as error:
        assert error.path == PATH
        assert error.line is not None
        assert (
            1
            <= error.line
            <= text.count("\n")
            + text.count("\r")
            + text.count("\u2028")
            + text.count("\x85")
            + text.count("\u2029")
            + 2
        )


@given(st.text())
def test_any_text_is_a_flow_or_a_configuration_error(text: str) -> None:
    parses_or_says_why(text)


@given(st.text(alphabet="ab:{}[]%#|>-&*!'\"?,.@` \n\t~+/()_=<0", max_size=60))
def test_any_expression_is_taken_or_refused_with_its_line(text: str) -> None:
    parses_or_says_why(HEAD + "  a:\n    do: x.y\n    with:\n      t: |\n        {{ " + text + " }}\n")
    parses_or_says_why(HEAD + "  a:\n    do: x.y\n    with: {t: '{{" + text + "}}'}\n")
    parses_or_says_why(HEAD + "  a: " + text)


@given(st.data())
def test_a_damaged_flow_is_a_flow_or_a_configuration_error(data: st.DataObject) -> None:
    text = bundled("order_to_cash")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        junk = data.draw(
            st.text(max_size=5)
            | st.sampled_from(["{{", "}}", "{%", "%}", "'", '"', ": ", "\n", "  ", "|", "- ", "&", "*"])
        )
        text = text[:start] + junk + text[end:]
    parses_or_says_why(text)


def test_an_action_can_wait_emit_or_ask() -> None:
    read = flow(
        "pause: {wait: 2d}\n"
        "later: {do: x.y, wait_until: event.created_at, needs: pause}\n"
        "said: {emit: order.flagged, with: {number: '{{ later.id }}'}}\n"
        "paid: {do: x.y, approve: {ask: 'Pay {{ said.business_key }}?', if: pause.until, by: Dana, within: 1d}}\n"
    ).actions
    assert (read["pause"].connection, read["pause"].wait, read["pause"].waits) == ("", timedelta(days=2), True)
    assert read["later"].due({"event": order()}, NOW) == order().created_at
    assert (read["said"].emits, read["said"].connection, read["said"].needs) == (
        "order.flagged",
        "",
        frozenset({"later"}),
    )
    approval = read["paid"].approval
    assert approval is not None and (approval.by, approval.within) == ("Dana", timedelta(days=1))
    assert read["paid"].needs == {"said", "pause"}


def test_what_ends_a_run_is_one_event_or_several() -> None:
    text = "name: A\ntrigger: s.order.paid\nends_on: {}\nactions: {{a: {{do: x.y}}}}\n"
    assert [(e.connection, e.event_type, e.same) for e in parse_flow(text.format("s.o.c"), PATH).ends_on] == [
        ("s", "o.c", "")
    ]
    several = parse_flow(text.format("[s.o.c, {event: t.p.q, same: customer.email}]"), PATH).ends_on
    assert [(e.connection, e.event_type, e.same) for e in several] == [("s", "o.c", ""), ("t", "p.q", "customer.email")]
    assert several[1].key(event()) == "customer.email=robin@example.com"
    assert several[0].key(event()) == "shop/order/1001"
    assert several[1].key(event(order(customer=None))) == ""


def test_a_flow_can_begin_by_the_clock() -> None:
    text = "name: A\ntrigger: {every: 0 7 * * mon-fri, zone: Europe/Berlin}\nactions: {a: {do: x.y}}\n"
    read = parse_flow(text, PATH)
    assert (read.connection, read.event_type) == ("bellwire", "schedule.order_to_cash")
    assert read.schedule is not None
    assert read.schedule.next(datetime(2026, 11, 27, 12, tzinfo=UTC)) == datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert read.trigger == "At 07:00 on Monday through Friday (Europe/Berlin)"


def test_a_flow_can_gather_events() -> None:
    text = "name: A\ntrigger: s.order.paid\ngather: {for: 1h, by: event.number}\nactions: {a: {do: x.y}}\n"
    read = parse_flow(text, PATH)
    assert read.gather is not None
    assert (read.gather.length, read.gather.most) == (timedelta(hours=1), 1000)
    assert read.gather.key(event()) == "1001"
