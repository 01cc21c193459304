"""Short ways to write flows in tests."""

from datetime import datetime
from pathlib import Path
from textwrap import indent
from typing import Any

from bellwire.capabilities.accounting import Invoice
from bellwire.capabilities.shipping import Label
from bellwire.events import Environment, Event
from bellwire.flows import Flow, Scope, parse_flow, scope_for
from tests.samples import NOW, order, usd

PATH = Path("flows/order_to_cash.yaml")
HEAD = "name: Order to cash\ntrigger: shop.order.paid\nowner: {name: Dana}\nsuccess: {within: 2m}\nactions:\n"
FIRST_LINE = HEAD.count("\n") + 1
"""The line of the first action below HEAD."""


def flow(actions: str) -> Flow:
    """A flow with these actions, written without indentation."""
    return parse_flow(HEAD + indent(actions, "  "), PATH)


def message(text: str) -> Flow:
    """A flow with one chat message of this text, quoted as YAML likes it; an invoice and a label come before."""
    quoted = "'" + text.replace("'", "''") + "'"
    return flow(
        'invoice: {do: books.create_invoice, with: {order: "{{ event }}"}}\n'
        'label: {do: shipping.create_label, with: {order: "{{ event }}"}}\n'
        f"bench:\n  do: chat.post_message\n  with:\n    channel: packing\n    text: {quoted}\n"
    )


def value_of(text: str, **names: Any) -> Any:
    """What `text` becomes, as the text of a message, with `names` added to the usual scope."""
    return message(text).actions["bench"].inputs(scope() | names).get("text")


def event(data: Any = None, *, time: datetime = NOW) -> Event:
    return Event(
        type="order.paid",
        connection="shop",
        environment=Environment.SANDBOX,
        business_key="shop/order/1001/paid",
        subject="order/1001",
        time=time,
        data=data or order(),
    )


def scope() -> Scope:
    """The usual order, with its invoice and its label."""
    invoice = Invoice(id="i1", number="77", total=usd("24.40"), customer_id="c9")
    label = Label(
        id="l1", shipping_order_id="s1", carrier="ups", tracking_number="1Z999", tracking_url="https://t.example"
    )
    return scope_for(event(), {"invoice": invoice, "label": label})
