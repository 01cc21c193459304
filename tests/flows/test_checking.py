"""The check finds what would fail before anything runs, at its line, with a way out."""

from pathlib import Path
from textwrap import dedent

import pytest

from bellwire.connectors.kit import Connector
from bellwire.connectors.opening import own_connector
from bellwire.errors import ConfigurationError
from bellwire.flows import Flow, Severity, bundled, bundled_names, check_flow, operation_for, parse_flow
from tests.flows.standins import CONNECTORS
from tests.flows.templates import combinations, flows_of, usual
from tests.flows.writing import FIRST_LINE, HEAD, PATH, flow, message


def said(found: Flow) -> list[str]:
    """The findings, each as its line within the actions (from 0) and its words."""
    return [
        f"{finding.line - FIRST_LINE}: {str(finding).partition(': ')[2]}" for finding in check_flow(found, CONNECTORS)
    ]


def in_text(text: str) -> list[str]:
    """The findings about a text, without their place."""
    return [str(finding).partition(": ")[2] for finding in check_flow(message(text), CONNECTORS)]


def test_a_finding_reads_as_the_handbook_says() -> None:
    text = bundled("order_to_cash").replace("event.total | money", "event.totl | money")
    (finding,) = check_flow(parse_flow(text, PATH), CONNECTORS)
    line = text[: text.index("totl")].count("\n") + 1
    assert str(finding) == f"flows/order_to_cash.yaml:{line}: order.paid has no field 'totl'; did you mean 'total'?"
    assert finding.severity is Severity.ERROR
    assert str(finding.error()) == (
        f"flows/order_to_cash.yaml:{line}: order.paid has no field 'totl'. Did you mean 'total'?"
    )


def test_references_are_checked_through_models_properties_lists_and_loops() -> None:
    assert in_text("{{ event.ships }} {{ event.lines_total.amount }} {{ event.lines[0].unit_price.currency }}") == []
    assert in_text("{{ meta.subject }} {{ label.cost | money }} {{ event.paid_at | date }} {{ invoice.total }}") == []
    assert in_text("{% for l in event.lines %}{{ loop.index }} {{ l.sku }} {{ l.total }}{% endfor %}") == []
    assert in_text("{{ event.lines | map(attribute='total') | sum | money }} {{ (event.lines | first).sku }}") == []
    assert in_text("{{ event.number.upper() }} {{ event['number'] }} {{ 'a' ~ event.number }}") == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("{{ event.totl }}", "order.paid has no field 'totl'; did you mean 'total'?"),
        ("{{ event['totl'] }}", "order.paid has no field 'totl'; did you mean 'total'?"),
        ("A {{ event.totl }}", "order.paid has no field 'totl'; did you mean 'total'?"),
        ("{{ evnt }}", "there is no 'evnt' here; did you mean 'event'?"),
        ("{{ item }}",
         "there is no 'item' here; there are: event, events, meta, business, links, invoice, label, bench"),
        ("{{ label.trackng_number }}",
         "the result of 'label' has no field 'trackng_number'; did you mean 'tracking_number'?"),
        ("{{ event.total.amout }}", "'event.total' has no field 'amout'; did you mean 'amount'?"),
        ("{{ event.lines.sku }}", "'event.lines' has no field 'sku'; it is a list, each item a line"),
        ("{{ event.lines[0].skuu }}", "a line has no field 'skuu'; did you mean 'sku'?"),
        ("{% for l in event.lines %}{{ l.skuu }}{% endfor %}", "'l' has no field 'skuu'; did you mean 'sku'?"),
        ("{{ event.lines | map(attribute='skuu') | join }}", "a line has no field 'skuu'; did you mean 'sku'?"),
        ("{{ meta.ids }}", "the event's envelope has no field 'ids'; there are: type, connection, environment, "
                           "business_key, subject, time, version, data"),
        ("{% if event.shps %}a{% endif %}", "order.paid has no field 'shps'; did you mean 'ships'?"),
        ("{{ 1 if event.shps else 2 }} pieces", "order.paid has no field 'shps'; did you mean 'ships'?"),
        ("Order {{ event }}", "an order can't stand in a text; name one of its fields"),
        ("Lines {{ event.tags }}", "a list can't stand in a text; join it: {{ … | join(', ') }}"),
        ("{% if event.total > 5 %}a{% endif %}", "money can't be compared with a number; "
                                                 "compare its 'amount', as in event.total.amount > 0"),
        ("{{ event.number | money }}", "'money' needs an amount, and this is text"),
        ("{{ event.total | date }}", "'date' needs a date, and this is an amount of money"),
        ("{{ event.total.upper() }}", "'upper()' works on text only"),
        ("{% for x in event.total %}{% endfor %}", "this is an amount of money, not a list"),
        ("{{ event.total }}", "'text' has to be text, and this is an amount of money; "
                              "write it as text: {{ … | money }}"),
        ("{{ event.weight_grams }}", "'text' has to be text, and this is a number; "
                                     "write it as text: {{ … | string }}"),
        ("{{ event }}", "'text' has to be text, and this is an order; name one of its fields"),
    ],
)  # fmt: skip
def test_a_wrong_reference_is_an_error_with_a_way_out(text: str, finding: str) -> None:
    assert finding in in_text(text)


def test_what_may_be_missing_is_a_warning_unless_it_is_asked_for_first() -> None:
    (found,) = check_flow(message("{{ event.customer.name }}"), CONNECTORS)
    assert found.severity is Severity.WARNING
    assert str(found).endswith("'event.customer' may be missing; write event.customer.name if event.customer else ''")
    assert in_text("{{ event.customer.name if event.customer else 'guest' }}") == []
    assert in_text("{% if event.customer %}{{ event.customer.name }}{% endif %}") == []
    assert (
        said(flow("a:\n  do: mail.send_mail\n  if: event.customer\n"
                  "  with: {to: '{{ event.customer.email }}', subject: a, text: b}"))
        == []
    )  # fmt: skip


def test_lines_within_a_block_of_text_are_told_apart() -> None:
    found = flow(
        dedent(
            """\
            a:
              do: chat.post_message
              with:
                channel: packing
                text: |
                  Hello
                  {{ event.totl }}
                  {% for line in event.lines %}
                  {{ line.skuu }}
                  {% endfor %}
            """
        )
    )
    assert [finding.partition(":")[0] for finding in said(found)] == ["6", "8"]


@pytest.mark.parametrize(
    ("actions", "findings"),
    [
        ("a: {do: boks.create_invoice}", ["0: there is no connection 'boks'; did you mean 'books'?"]),
        (
            "a:\n  do: books.create_invoce",
            ["1: Accounting (connection 'books') has no 'create_invoce'; did you mean 'create_invoice'?"],
        ),
        ("a:\n  do: books.create_invoice", ["1: books.create_invoice needs 'order'; add order: \"{{ event }}\""]),
        (
            "a:\n  do: chat.post_message\n  with:\n    chanel: packing\n    text: Hi",
            [
                "2: chat.post_message needs 'channel'; add 'channel'",
                "3: chat.post_message takes no 'chanel'; did you mean 'channel'?",
            ],
        ),
        (
            "a:\n  do: stock.adjust\n  with:\n    lines: '{{ event.lines }}'\n    reason: sold",
            ["4: 'reason' can't be this: input should be 'sale', 'return', 'receipt' or 'correction'"],
        ),
        (
            "a:\n  do: stock.adjust\n  with:\n    lines: '{{ event.shipping_lines }}'\n    reason: sale",
            [
                "3: 'lines' has to be a list, each item a stock line, and this is a list, each item a shipping line",
            ],
        ),
        ("a:\n  do: stock.adjust\n  with:\n    reason: sale\n    lines: [{sku: A, quantity: 2}]", []),
        (
            "a:\n  do: stock.adjust\n  with:\n    reason: sale\n    lines:\n"
            "      - {sku: '{{ event.number }}', quantity: 2}\n"
            "      - {skuu: '{{ event.number }}', quantity: '{{ event.note }}'}",
            [
                "6: 'lines' needs 'sku'; add 'sku'",
                "6: 'lines' takes no 'skuu'; did you mean 'sku'?",
                "6: 'quantity' has to be a number, and this is text",
            ],
        ),
        (
            "a:\n  do: books.create_invoice\n  with:\n    order: '{{ event }}'\n    due: '{{ event.created_at }}'",
            ["4: 'due' has to be a date, and this is a time; take its day: {{ … | date }}"],
        ),
        ("a: {do: books.create_invoice, with: {order: '{{ event }}', due: '{{ event.created_at | date }}'}}", []),
        (
            "a:\n  do: mail.send_mail\n  for_each: event.lines\n"
            "  with: {to: a@b.c, subject: '{{ item.nme }}', text: a}",
            ["3: 'item' has no field 'nme'; did you mean 'name'?"],
        ),
        ("a:\n  do: x.y\n  for_each: event.total",
         ["1: there is no connection 'x'; there are: bellwire, books, calendar, chat, forms, mail, shipping, shop, "
          "stock",
          "2: 'for_each' needs a list, and this is an amount of money"]),
        (
            "a: {do: chat.post_message, for_each: event.lines, with: {channel: a, text: '{{ item.sku }}'}}\n"
            "b:\n  do: chat.post_message\n  with: {channel: a, text: '{{ a.id }}'}",
            ["3: the result of 'a' has no field 'id'; it is a list, each item a message"],
        ),
        ("a:\n  do: chat.post_message\n  if: event.shps\n  with: {channel: a, text: b}",
         ["2: order.paid has no field 'shps'; did you mean 'ships'?"]),
        ("a:\n  do: chat.post_message\n  if: false\n  with: {channel: a, text: b}",
         ["2: 'a' never runs: its 'if' is never true"]),
    ],
)  # fmt: skip
def test_an_action_is_held_to_what_its_connection_can_do(actions: str, findings: list[str]) -> None:
    assert said(flow(actions)) == findings


def test_an_input_that_may_be_missing_is_a_warning() -> None:
    (found,) = check_flow(
        flow(
            "label: {do: shipping.create_label, with: {order: '{{ event }}'}}\n"
            "a: {do: books.record_payment, with: {invoice_id: a, customer_id: b, amount: '{{ label.cost }}'}}"
        ),
        CONNECTORS,
    )
    assert found.severity is Severity.WARNING
    assert found.sentence == "'amount' has to be given, and this may be missing"


def test_an_input_that_is_asked_for_first_may_be_missing() -> None:
    """As the warning advises."""
    found = flow(
        "label: {do: shipping.create_label, with: {order: '{{ event }}'}}\n"
        "a:\n  do: books.record_payment\n  if: label.cost\n"
        "  with: {invoice_id: a, customer_id: b, amount: '{{ label.cost }}'}"
    )
    assert said(found) == []


def test_yes_or_no_is_not_a_number_nor_text() -> None:
    def about(value: str) -> list[str]:
        return said(
            flow(f"a: {{do: shop.mark_fulfilled, with: {{order_id: a, notify_customer: '{{{{ {value} }}}}'}}}}\n")
        )

    assert about("event.ships") == []
    assert about("event.weight_grams") == ["0: 'notify_customer' has to be yes or no, and this is a number"]
    assert said(
        flow(
            "a:\n  do: stock.adjust\n  with:\n    reason: sale\n"
            "    lines: [{sku: '{{ event.id }}', quantity: '{{ event.ships }}'}]"
        )
    ) == ["4: 'quantity' has to be a number, and this is yes or no"]


def test_results_that_cannot_be_told_raise_no_further_findings() -> None:
    found = flow("a: {do: nowhere.create_invoice}\nb: {do: chat.post_message, with: {channel: a, text: '{{ a.b.c }}'}}")
    assert len(check_flow(found, CONNECTORS)) == 1


@pytest.mark.parametrize(
    ("trigger", "findings"),
    [
        ("shop.order.paid", []),
        ("shp.order.paid", ["there is no connection 'shp'; did you mean 'shop'?"]),
        ("shop.order.payed", ["Storefront brings no 'order.payed'; did you mean 'order.paid'?"]),
        ("books.order.paid", ["Accounting sends no events; start the flow with another connection"]),
        ("forms.lead.sent", []),
    ],
)
def test_a_trigger_is_something_that_its_connection_can_bring(trigger: str, findings: list[str]) -> None:
    text = HEAD.replace("shop.order.paid", trigger) + "  a: {do: chat.post_message, with: {channel: a, text: b}}\n"
    assert [str(f).removeprefix(f"{PATH}:2: ") for f in check_flow(parse_flow(text, PATH), CONNECTORS)] == findings


def test_what_a_misspelt_event_carries_isnt_held_against_the_actions() -> None:
    text = HEAD.replace("shop.order.paid", "shop.order.payed") + (
        '  a: {do: books.create_invoice, with: {order: "{{ event }}"}}\n'
    )
    (finding,) = check_flow(parse_flow(text, PATH), CONNECTORS)
    assert "did you mean 'order.paid'?" in str(finding)


def test_fields_of_an_event_outside_the_dictionary_are_not_checked() -> None:
    text = HEAD.replace("shop.order.paid", "forms.lead.sent")
    text += "  a: {do: chat.post_message, with: {channel: a, text: '{{ event.any.thing[0].at_all }}'}}\n"
    assert check_flow(parse_flow(text, PATH), CONNECTORS) == []


def test_a_flow_without_owner_or_success_is_warned() -> None:
    text = HEAD.replace("owner: {name: Dana}\nsuccess: {within: 2m}\n", "")
    text += "  a: {do: chat.post_message, with: {channel: a, text: b}}\n"
    findings = check_flow(parse_flow(text, PATH), CONNECTORS)
    assert [finding.severity for finding in findings] == [Severity.WARNING] * 2
    assert "owner" in str(findings[0])
    assert "success" in str(findings[1])


def test_an_operation_is_found_by_its_name_alone() -> None:
    action = flow("a: {do: books.create_invoice}").actions["a"]
    assert str(operation_for(action, CONNECTORS["books"])) == "accounting.create_invoice"
    with pytest.raises(ConfigurationError, match="has no 'create_invoice'"):
        operation_for(action, CONNECTORS["chat"])


@pytest.mark.parametrize(
    ("name", "connection", "connector"),
    [pytest.param(*each, id=f"{each[0]}-{each[1]}-{each[2].name}") for each in combinations()],
)
def test_every_template_checks_clean_with_every_connector(name: str, connection: str, connector: Connector) -> None:
    connectors = {**usual(name), **own_connector(), connection: connector}
    for read in flows_of(name):
        assert check_flow(read, connectors) == []


def test_every_bundled_flow_has_an_owner_and_a_measure_of_success() -> None:
    assert "order_to_cash" in bundled_names()
    for name in bundled_names():
        read = parse_flow(bundled(name), Path(f"flows/{name}.yaml"))
        assert read.owner and read.success and read.manual_minutes


@pytest.mark.parametrize(
    ("action", "finding"),
    [
        ("{do: chat.post_message, wait_until: event.created_at, with: {channel: a, text: b}}", ""),
        ("{do: chat.post_message, wait_until: event.number, with: {channel: a, text: b}}", "'wait_until' needs a time"),
        ("{do: chat.post_message, wait_until: event.starts, with: {channel: a, text: b}}", "has no field 'starts'"),
        (
            "{do: chat.post_message, approve: {ask: '{{ event.customer.name if event.customer else 1 }}?'}, "
            "with: {channel: a, text: b}}",
            "",
        ),
        ("{emit: lead.created, with: {id: '1', created_at: '{{ event.created_at }}'}}", ""),
        ("{emit: lead.created, with: {id: '1'}}", "the event lead.created needs 'created_at'"),
        ("{emit: lead.created, with: {id: '1', created_at: '{{ event.created_at }}', nam: x}}", "takes no 'nam'"),
        ("{emit: my.own, with: {whatever: '{{ event.lines }}'}}", ""),
        ("{do: chat.post_message, approve: {ask: '{{ event.totl }}?'}, with: {channel: a, text: b}}", "'total'?"),
    ],
)
def test_waiting_emitting_and_asking_are_checked(action: str, finding: str) -> None:
    found = said(flow(f"a: {action}\n"))
    assert (finding in found[0]) if finding else found == []


def test_what_earlier_actions_gave_by_themselves_has_types() -> None:
    found = said(flow("a: {wait: 1d}\nb: {emit: my.own, with: {at: '{{ a.untl }}'}}\nc: {wait_until: b.new}\n"))
    assert [("untl" in each, "'wait_until' needs a time" in each) for each in found] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("ends_on", "finding"),
    [
        ("shop.order.cancelled", ""),
        ("bellwire.order.flagged", ""),
        ("{event: shop.order.cancelled, same: customer.email}", ""),
        ("{event: shop.order.cancelled, same: customer.mail}", "order.paid has no field 'customer.mail'"),
        ("{event: shop.order.refunded, same: number}", "order.refunded has no field 'number'"),
        ("{event: shop.order.refunded, same: number, as: order_number}", ""),
        ("{event: shop.order.refunded, same: number, as: order_nmber}", "order.refunded has no field 'order_nmber'"),
        ("{event: shop.order.refunded, same: order_number, as: order_number}", "order.paid has no field"),
        ("shop.order.vanished", "brings no 'order.vanished'"),
        ("shopp.order.cancelled", "there is no connection 'shopp'"),
    ],
)
def test_what_ends_a_run_is_checked(ends_on: str, finding: str) -> None:
    text = HEAD.replace("actions:", f"ends_on: {ends_on}\nactions:")
    found = said(parse_flow(text + "  a: {do: chat.post_message, with: {channel: a, text: b}}\n", PATH))
    assert (finding in found[0]) if finding else found == []


def test_a_flow_can_begin_with_an_event_of_bellwires_own() -> None:
    text = HEAD.replace("shop.order.paid", "bellwire.order.flagged")
    assert said(parse_flow(text + "  a: {do: chat.post_message, with: {channel: a, text: b}}\n", PATH)) == []
