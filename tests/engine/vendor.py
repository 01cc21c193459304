"""A vendor made for the engine's tests: what each operation does next can be told in advance."""

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

from bellwire.capabilities import chat, email, helpdesk, shipping, stock
from bellwire.clock import parse_time
from bellwire.connectors.kit import (
    Account,
    Action,
    ByKey,
    Call,
    Connection,
    Connector,
    Credential,
    LookUp,
    Manifest,
    Normalised,
    NoSettings,
    Repeat,
    Triggers,
    Unkeyed,
    connect,
)
from bellwire.connectors.kit.http import before_writing
from bellwire.events import Delivery, Environment, Event, Order, data_model
from tests.connecting import Secrets

Behaviour = Callable[[], Any]


class Vendor:
    """Does what it is told; `done` are the effects it has, by operation and key."""

    def __init__(self, name: str = "till", environment: Environment = Environment.SANDBOX) -> None:
        self.name = name
        self.environment = environment
        self.next: dict[str, deque[Exception | Behaviour]] = defaultdict(deque)
        self.afterwards: dict[str, deque[Exception]] = defaultdict(deque)
        """What fails once it is done: a later request of the same attempt."""
        self.done: list[tuple[str, str]] = []
        self.calls: list[tuple[str, str, bool]] = []
        self.sent: list[tuple[str, str]] = []
        """What was asked of it once the engine had said that it may be."""
        self.given: list[Any] = []
        self.stock_repeat: Repeat = ByKey("key")

    def effects(self, operation: str) -> int:
        return len({key for name, key in self.done if name == operation})

    async def _do(self, operation: str, call: Call, given: Any) -> None:
        self.calls.append((operation, call.key, call.again))
        self.given.append(given)
        planned = self.next[operation].popleft() if self.next[operation] else None
        if isinstance(planned, Exception):
            raise planned
        async with call.api.turn():
            announce = before_writing.get()
            if announce is not None:
                await announce()
            self.sent.append((operation, call.key))
            if planned is not None:
                outcome = planned()
                if outcome is not None:
                    await outcome
            if (operation, call.key) not in self.done:
                self.done.append((operation, call.key))
        if self.afterwards[operation]:
            raise self.afterwards[operation].popleft()

    async def post(self, call: Call, given: chat.PostMessage) -> chat.Message:
        await self._do("post_message", call, given)
        return chat.Message(id=f"m{len(self.done)}", channel=given.channel)

    async def send_mail(self, call: Call, given: email.SendMail) -> email.Mail:
        await self._do("send_mail", call, given)
        return email.Mail(id=f"m{len(self.done)}", to=given.to)

    async def ticket(self, call: Call, given: helpdesk.CreateTicket) -> helpdesk.HelpTicket:
        await self._do("create_ticket", call, given)
        return helpdesk.HelpTicket(id=f"t{len(self.done)}")

    async def adjust(self, call: Call, given: stock.AdjustStock) -> stock.StockChanges:
        await self._do("adjust", call, given)
        changes = (stock.StockChange(sku=line.sku, change=-line.quantity) for line in given.lines)
        return stock.StockChanges(changes=tuple(changes))

    async def label(self, call: Call, given: shipping.CreateLabel) -> shipping.Label:
        await self._do("create_label", call, given)
        return shipping.Label(id="l1", shipping_order_id="s1", carrier="post", tracking_number="TRACK-1")

    async def find_label(self, call: Call, given: shipping.CreateLabel) -> shipping.Label | None:
        self.calls.append(("find_label", call.key, call.again))
        if ("create_label", call.key) not in self.done:
            return None
        return shipping.Label(id="l1", shipping_order_id="s1", carrier="post", tracking_number="TRACK-1")

    def actions(self) -> list[Action]:
        return [
            Action(chat.POST_MESSAGE, Unkeyed("a toy"), self.post),
            Action(email.SEND_MAIL, Unkeyed("a toy"), self.send_mail),
            Action(helpdesk.CREATE_TICKET, ByKey("key"), self.ticket),
            Action(stock.ADJUST, self.stock_repeat, self.adjust),
            Action(shipping.CREATE_LABEL, LookUp(self.find_label), self.label),
        ]

    def triggers(self) -> Triggers:
        return Triggers(("order.paid", "order.updated"), normalise)

    def connection(self, sign_in: Callable[[Call], Awaitable[Account]] | None = None) -> Connection:
        actions = {str(action.operation): action for action in self.actions()}
        manifest = Manifest(
            name="toy",
            title="Toy Till",
            capabilities=tuple(dict.fromkeys(action.operation.capability for action in actions.values())),
            credentials=(Credential("access_token", "Toy Till › API"),),
            base_urls=dict.fromkeys(Environment, "http://127.0.0.1:9"),
        )
        connector = Connector(manifest, self.triggers(), actions, sign_in=sign_in)
        return connect(self.name, connector, self.environment, NoSettings(), Secrets({}))


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """A body is {"type": …, "order": a canonical order}, or of any other type {"type": …, "subject": …, "time": …,
    "data": …}; `null` means nothing, anything else is a fault."""
    if delivery.json is None:
        return Normalised(reason="It says nothing.")
    if "data" in delivery.json:
        return Normalised((_told(delivery.json, connection),))
    order = Order.model_validate(delivery.json["order"])
    kind = delivery.json["type"]
    suffix = order.updated_at.isoformat() if kind == "order.updated" else kind.rpartition(".")[2]
    event = Event(
        type=kind,
        connection=connection.name,
        environment=connection.environment,
        business_key=f"{connection.name}/order/{order.id}/{suffix}",
        subject=f"order/{order.id}",
        time=order.paid_at or order.updated_at,
        version=order.updated_at,
        data=order,
    )
    return Normalised((event,))


def _told(body: Any, connection: Connection) -> Event:
    return Event(
        type=body["type"],
        connection=connection.name,
        environment=connection.environment,
        business_key=f"{connection.name}/{body['subject']}/{body['type']}/{body['time']}",
        subject=body["subject"],
        time=parse_time(body["time"]),
        data=data_model(body["type"]).model_validate(body["data"]),
    )
