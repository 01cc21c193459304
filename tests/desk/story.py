"""A day in a shop, written into a real ledger: the desk's pages are held to it.

The vendors are made up: the desk takes every name from a manifest.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bellwire.capabilities import OPERATIONS
from bellwire.connectors.kit import (
    ByKey,
    Call,
    Connection,
    LookUp,
    Manifest,
    Normalised,
    Repeat,
    Triggers,
    Unkeyed,
    action,
    connect,
    connector,
)
from bellwire.connectors.opening import own_connector
from bellwire.desk import Desk, Reach, Site
from bellwire.events import Customer, Delivery, Environment, Event, Order
from bellwire.flows import Flow, FlowFolder, parse_flow
from bellwire.intake import Hooks, serve
from bellwire.ledger import (
    AttemptRow,
    Database,
    DeliveryState,
    Outcome,
    Rows,
    RunState,
    Wanted,
    deliveries,
    events,
    exceptions,
    finding,
    open_ledger,
    runs,
    versions,
)
from bellwire.settings import Settings, load_settings
from bellwire.settings.live import LiveSettings
from bellwire.vault import KEY_FILE, Vault, create_key_file
from tests.connecting import Secrets
from tests.ledgers import blank_sqlite
from tests.samples import order, usd

NOW = datetime.fromisoformat("2026-11-24T20:41:00+00:00")
"""2:41 in the afternoon in Chicago."""
CHICAGO = ZoneInfo("America/Chicago")

FLOW = """
name: Order to cash
trigger: shop.order.paid
owner: {name: Dana, contact: dana@example.com}
success: {within: 2m, error_rate: 1%}
manual_minutes: 11
actions:
  invoice:
    do: books.create_invoice
    with: {order: "{{ event }}"}
  stock:
    do: stock.adjust
    with: {lines: "{{ event.lines }}", reason: sale}
  label:
    do: parcels.create_label
    if: event.ships
    otherwise: Nothing in this order is sent.
    with: {order: "{{ event }}"}
  receipt:
    do: books.record_payment
    with:
      invoice_id: "{{ invoice.id }}"
      customer_id: "{{ invoice.customer_id }}"
      amount: "{{ event.total }}"
  bench:
    do: chat.post_message
    with: {channel: packing, text: "Order {{ event.number }}, tracking {{ label.tracking_number }}"}
  notice:
    do: mail.send_notice
    if: event.email
    otherwise: The customer gave no e-mail address.
    with: {to: "{{ event.email }}", order: "{{ event }}"}
"""

_VENDORS = {
    "shop": ("Corner Store", ()),
    "books": ("Tidy Books", ("create_invoice", "record_payment")),
    "stock": ("Shelf Count", ("adjust",)),
    "parcels": ("Parcel Hub", ("create_label",)),
    "chat": ("Team Chat", ("post_message",)),
    "mail": ("House Mail", ("send_notice",)),
}


@cache
def the_flow() -> Flow:
    return parse_flow(FLOW, Path("order_to_cash.yaml"))


def the_connections(environment: Environment = Environment.SANDBOX) -> dict[str, Connection]:
    """One for each made-up vendor; nothing is ever called."""
    return {name: _connection(name, title, able, environment) for name, (title, able) in _VENDORS.items()}


def _connection(name: str, title: str, able: Sequence[str], environment: Environment) -> Connection:
    operations = [OPERATIONS[operation][0] for operation in able]
    ways: dict[str, Repeat] = {"books": ByKey("the header Request-Id"), "chat": Unkeyed("a message twice does no harm")}
    manifest = Manifest(
        name=name,
        title=title,
        capabilities=tuple({operation.capability for operation in operations}),
        base_urls={environment: "http://127.0.0.1:9"},
    )
    actions = tuple(action(operation, repeat=ways.get(name, LookUp(_never)))(_never) for operation in operations)
    triggers = Triggers(("order.paid", "order.cancelled"), lambda _, __: Normalised()) if name == "shop" else None
    made = connector(manifest, actions=actions, triggers=triggers)
    return connect(name, made, environment, manifest.settings(), Secrets({}))


async def _never(_: Call, __: Any) -> Any:
    raise AssertionError("the desk calls nobody")


@dataclass
class Story:
    """Writes a day into the ledger, each thing as the intake and the engine would write it."""

    rows: Rows
    flow: Flow = field(default_factory=the_flow)
    number: int = 1000
    total: str = ""
    """Of the last order."""

    def arrives(self, at: datetime, *, copies: int = 1, **changes: Any) -> tuple[int, int]:
        """A paid order; the ids of its delivery and its event."""
        self.number += 1
        sold = order(**({"number": str(self.number), "id": str(self.number)} | changes))
        self.total = str(sold.total.amount)
        delivery = Delivery("shop", {"x-request-id": str(self.number), "x-signature": "s3cret"}, b"{}", at)
        for _ in range(copies):
            accepted = deliveries.accept(self.rows, delivery, f"d-{self.number}", Environment.SANDBOX)
        deliveries.settle(self.rows, accepted.id, DeliveryState.DONE)
        event = events.record(
            self.rows, paid(sold, at, self.number), sold.model_dump_json(), delivery=accepted.id, now=at
        )
        assert event is not None
        return accepted.id, event

    def starts(self, at: datetime, **changes: Any) -> int:
        """An order and its run, under way."""
        _, event = self.arrives(at, **changes)
        versions.put_in_force(self.rows, self.flow.id, self.flow.hash, self.flow.source, at)
        run = runs.start(
            self.rows,
            event,
            self.flow.id,
            self.flow.hash,
            subject="shop/order/1",
            received_at=at,
            now=at,
            state=RunState.RUNNING,
        )
        assert run is not None
        return run

    def tries(
        self, run: int, action: str, begin: datetime, took: float, outcome: Outcome = Outcome.DONE, **more: Any
    ) -> datetime:
        """An attempt, `took` in seconds; when it was over."""
        end = begin + timedelta(seconds=took)
        attempt = AttemptRow(run, action, 0, more.pop("number", 1), outcome, begin, end, **more)
        assert runs.checkpoint(self.rows, attempt, 1)
        return end

    def succeeds(self, run: int, begin: datetime, *, without: Sequence[str] = ()) -> datetime:
        """All the actions but those in `without`; when the last one was over."""
        begin += timedelta(seconds=0.06)
        ends: dict[str, datetime] = {}
        for name, after, took in _PACE:
            if name not in without:
                started = ends.get(after, begin)
                ends[name] = self.tries(run, name, started, took, result=self.result(name))
        return max(ends.values())

    def done(self, at: datetime, **changes: Any) -> int:
        run = self.starts(at, **changes)
        assert runs.leave(self.rows, run, 1, RunState.DONE, now=self.succeeds(run, at))
        return run

    def retried(self, at: datetime, **changes: Any) -> int:
        """The label needs three tries."""
        run = self.starts(at, **changes)
        self.succeeds(run, at, without=("label", "bench", "notice"))
        busy = {"cause": "busy", "sentence": "Parcel Hub is busy and asked us to wait.", "detail": "HTTP 429"}
        first = self.tries(run, "label", at + timedelta(seconds=0.06), 0.4, Outcome.FAILED, next_at=at, **busy)
        second = first + timedelta(seconds=2.1)
        first = self.tries(run, "label", second, 0.3, Outcome.FAILED, number=2, next_at=at, **busy)
        end = self.tries(run, "label", first + timedelta(seconds=4), 0.9, number=3, result=self.result("label"))
        self.tries(run, "bench", end, 0.2, result=self.result("bench"))
        end = self.tries(run, "notice", end, 0.6, result=self.result("notice"))
        assert runs.leave(self.rows, run, 1, RunState.DONE, now=end)
        return run

    def waits(self, at: datetime, due: datetime, **changes: Any) -> int:
        """The team chat is down."""
        run = self.starts(at, **changes)
        end = self.succeeds(run, at, without=("bench",))
        self.tries(
            run,
            "bench",
            end,
            0.5,
            Outcome.FAILED,
            next_at=due,
            cause="unavailable",
            sentence="Team Chat doesn’t answer.",
        )
        assert runs.leave(self.rows, run, 1, RunState.WAITING, now=end, due_at=due)
        return run

    def dies(
        self,
        at: datetime,
        *,
        sentence: str = "Shelf Count has no product TEA-100.",
        remedy: str = "Add the product there, or map it.",
        cause: str = "unknown-sku",
        **changes: Any,
    ) -> int:
        """The stock knows one of the products no more."""
        run = self.starts(at, **changes)
        end = self.succeeds(run, at, without=("stock",))
        told: dict[str, Any] = {
            "cause": cause,
            "sentence": sentence,
            "remedy": remedy,
            "detail": "404 item_not_found",
        }
        self.tries(run, "stock", at + timedelta(seconds=0.06), 0.3, Outcome.FAILED, **told)
        exceptions.open_one(self.rows, run=run, flow=self.flow.id, action="stock", connection="stock", now=end, **told)
        assert runs.leave(self.rows, run, 1, RunState.DEAD, now=end, reason="Stuck at: stock.")
        return run

    def result(self, action: str) -> str:
        return result_of(action, self.number, self.total)

    def unheard(self, at: datetime, **changes: Any) -> None:
        """An order that starts nothing."""
        _, event = self.arrives(at, **changes)
        events.skip(self.rows, event, "It is a test order of a real shop: nothing is sent or booked for it.")

    def unreadable(self, at: datetime) -> int:
        """A delivery that nobody understands."""
        accepted = deliveries.accept(self.rows, Delivery("shop", {}, b"?", at), f"odd-{at}", Environment.SANDBOX)
        deliveries.settle(self.rows, accepted.id, DeliveryState.DEAD, "It isn’t an order.")
        return exceptions.open_one(
            self.rows,
            connection="shop",
            cause="unreadable",
            sentence="Corner Store sent something that isn’t an order.",
            remedy="Ask your developer to look at it.",
            detail="",
            now=at,
            delivery=accepted.id,
        )


def result_of(action: str, number: int, amount: str) -> str:
    """What an action of the flow brings for an order, as JSON."""
    total = {"amount": amount, "currency": "USD"}
    table: dict[str, dict[str, Any]] = {
        "invoice": {
            "id": f"i{number}",
            "number": f"INV-{number}",
            "total": total,
            "customer_id": "c1",
            "url": "https://books.example.com/i",
        },
        "stock": {"changes": [{"sku": "TEA-100", "change": -2, "now": 40}]},
        "label": {
            "id": "l1",
            "shipping_order_id": "s1",
            "carrier": "Swift Post",
            "tracking_number": f"SP{number}4471US",
            "tracking_url": "",
            "cost": {"amount": "5.85", "currency": "USD"},
        },
        "receipt": {"id": "p1", "amount": total},
        "bench": {"id": "m1", "channel": "packing"},
        "notice": {"id": "n1", "to": "someone@example.com"},
    }
    return orjson.dumps(table[action]).decode()


def paid(sold: Order, at: datetime, number: int) -> Event:
    return Event(
        type="order.paid",
        connection="shop",
        environment=Environment.SANDBOX,
        business_key=f"shop/order/{number}/paid",
        subject=f"order/{number}",
        time=at,
        version=at,
        data=sold,
    )


_PACE = (
    ("invoice", "", 1.15),
    ("stock", "", 0.42),
    ("label", "", 0.93),
    ("receipt", "invoice", 0.64),
    ("bench", "label", 0.18),
    ("notice", "label", 0.71),
)


def a_day(rows: Rows) -> None:
    """A realistic day: 46 facts."""
    story = Story(rows)
    names = ("Robin Hill", "Ada Meyer", "Sam Okafor", "Lee Santos", "Noor Haddad", "Kim Larsen", "Jo Marsh")
    totals = ("24.40", "61.00", "118.75", "39.90", "205.20", "17.35", "84.60")

    def who(index: int) -> dict[str, Any]:
        customer = Customer(id=str(index), name=names[index % 7], email="someone@example.com")
        return {"customer": customer, "total": usd(totals[index * 3 % 7])}

    begin = NOW - timedelta(hours=7, minutes=12)
    for index in range(38):
        at = begin + timedelta(minutes=index * 10 + index * index % 9, seconds=index * 7 % 60)
        if index in (9, 24):
            story.retried(at, **who(index))
        elif index in (17, 30):
            story.unheard(at, **who(index))
        else:
            story.done(at, copies=2 if index % 11 == 5 else 1, **who(index))
    story.dies(NOW - timedelta(minutes=31), **who(38))
    story.retried(NOW - timedelta(minutes=26), **who(39))
    story.done(NOW - timedelta(minutes=19), **who(40))
    story.dies(NOW - timedelta(minutes=11), **who(41))
    story.waits(NOW - timedelta(minutes=6), NOW + timedelta(minutes=4), **who(42))
    story.done(NOW - timedelta(minutes=3), **who(43))
    story.starts(NOW - timedelta(seconds=2), **who(44))
    deliveries.count_refusals(rows, NOW.date(), {("shop", "bad-signature"): 3})


@dataclass
class Place:
    """A desk that is served; its clock says `now`."""

    url: str
    ledger: Database
    desk: Desk = field(init=False)
    app: Starlette = field(init=False)
    now: datetime = NOW

    async def write(self, tell: Any) -> Any:
        """`tell` a Story; gives what it gives."""
        return await self.ledger.write(lambda rows: tell(Story(rows)))


def settings_in(folder: Path, text: str = "") -> Settings:
    """Those of a project whose bellwire.toml says this."""
    (folder / "bellwire.toml").write_text(text)
    (folder / "connections.toml").write_text("")
    return load_settings(folder, {})


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    business: str = "",
    flows: Sequence[Flow] | None = None,
    port: int = 0,
    zone: tzinfo = CHICAGO,
    ledger_url: str = "",
    environment: Environment = Environment.SANDBOX,
    project: Path | None = None,
    connections: Mapping[str, Connection] | None = None,
    host: str = "127.0.0.1",
    public_url: str = "",
    settings: Settings | None = None,
    environ: Mapping[str, str] = {},
    editing: bool = False,
    kind: type[Desk] = Desk,
) -> AsyncIterator[Place]:
    """A desk over HTTP on loopback, with an empty ledger (or that at `ledger_url`), beside routes that aren't its
    own. It behaves as if it were bound to `host`. `editing`: its flow is a file, in `flows` of the folder. A desk that
    is opened anew in the same folder goes on there."""
    if not (folder / KEY_FILE).exists():
        create_key_file(folder)
    file = folder / "ledger.db"
    if not ledger_url and not file.exists():
        file.write_bytes(blank_sqlite())
    made = connections or the_connections(environment)
    files = None
    if editing:
        (folder / "flows").mkdir()
        (folder / "flows" / "order_to_cash.yaml").write_text(FLOW)
        connectors = {name: each.connector for name, each in made.items()} | own_connector()
        files = FlowFolder(folder / "flows", connectors)
        flows = files.flows
    async with open_ledger(ledger_url or f"sqlite:///{file}") as ledger:
        place = Place("", ledger)
        site = Site(
            ledger,
            [the_flow()] if flows is None else flows,
            made,
            clock=lambda: place.now,
            business=business,
            zone=zone,
            project=project,
            reach=(reach := Reach()),
            host=host,
            live=LiveSettings(settings.project, environ) if settings else None,
            vault=Vault.open(folder, environ),
            environ=environ,
            folder=files,
        )
        desk = place.desk = kind(site)
        hooks = Hooks(connections or {}, ledger, lambda _number, _delivery: None, clock=lambda: place.now)
        healthz = Route("/healthz", lambda _: PlainTextResponse("ok"))
        place.app = Starlette(routes=[healthz, *desk.routes()])
        async with serve(place.app, "127.0.0.1", port, hooks=hooks) as port:
            place.url = reach.local = f"http://127.0.0.1:{port}"
            reach.public = hooks.public_url = public_url or place.url
            working = asyncio.create_task(desk.work())
            try:
                yield place
            finally:
                working.cancel()
                await asyncio.wait([working])
                desk.close()


async def state_of(place: Place, state: str) -> int:
    """The newest run in this state."""
    found = await place.ledger.read(lambda rows: finding.newest_runs(rows, Wanted(state=RunState(state)), limit=1))
    return found[0].id
