"""What no webhook brought is found, once; and how far a list has been read survives whatever happens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from bellwire.clock import parse_time
from bellwire.connectors.kit import (
    POLLED,
    Call,
    Connection,
    Listed,
    Manifest,
    Normalised,
    Page,
    Poll,
    Triggers,
    connect,
    connector,
    polled,
)
from bellwire.engine.normalise import read, record
from bellwire.engine.starting import Listeners
from bellwire.errors import CannotNormalise, Transient
from bellwire.events import Delivery, Environment, Event, FreeForm
from bellwire.ledger import Database, PollRow, deliveries, events, open_ledger, polls
from bellwire.records import Found, Polling, Reconciler
from tests.connecting import Secrets
from tests.samples import NOW

HOUR = timedelta(hours=1)


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The same whether it was sent or listed."""
    sale = delivery.json
    if sale.get("broken"):
        raise CannotNormalise("It is broken.")
    if "id" not in sale:
        return Normalised(reason="Something changed.", wake=("sales",))
    return Normalised(
        (
            Event(
                type="till.sold",
                connection=connection.name,
                environment=connection.environment,
                business_key=f"{connection.name}/sale/{sale['id']}",
                subject=f"sale/{sale['id']}",
                time=parse_time(sale["at"]),
                data=FreeForm(listed=polled(delivery)),
            ),
        )
    )


@dataclass
class Vendor:
    """A vendor that lists its sales by time, three on a page; `fails` says on which question it doesn't."""

    sales: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[datetime, str]] = field(default_factory=list)
    fails: Callable[[int], Exception | None] = lambda _: None
    meanwhile: Callable[[], Awaitable[None]] | None = None
    resume: str = ""

    def sell(self, number: int, at: datetime = NOW, **more: Any) -> None:
        self.sales.append({"id": number, "at": at.isoformat(), **more})

    async def page(self, call: Call, since: datetime, cursor: str) -> Page:
        self.asked.append((since, cursor))
        if error := self.fails(len(self.asked)):
            raise error
        if self.meanwhile:
            await self.meanwhile()
        after = int(cursor or 0)
        found = [sale for sale in self.sales if sale["at"] >= since.isoformat() and sale["id"] > after]
        records = tuple(Listed(f"{sale['id']}/{sale['at']}", orjson.dumps(sale)) for sale in found[:3])
        return Page(records, str(found[2]["id"]) if len(found) > 3 else "", self.resume)


@dataclass
class House:
    """A ledger, a connection to the vendor, and a clock that stands still unless it is moved."""

    ledger: Database
    vendor: Vendor
    now: datetime = NOW
    arrived: list[int] = field(default_factory=list)
    since: datetime | None = None

    def clock(self) -> datetime:
        return self.now

    @property
    def poll(self) -> Poll:
        return Poll("sales", self.vendor.page, ("till.sold",), every=HOUR, overlap=timedelta(minutes=10))

    @property
    def connection(self) -> Connection:
        triggers = Triggers(("till.sold",), normalise, polls=(self.poll,))
        manifest = Manifest("acme", "Acme Till", (), {Environment.SANDBOX: "http://127.0.0.1:9"})
        made = connector(manifest, triggers=triggers)
        settings = manifest.settings()
        return connect("till", made, Environment.SANDBOX, settings, Secrets({}), since=self.since, clock=self.clock)

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(self.ledger, self.clock, lambda number, _: self.arrived.append(number))

    def polling(self) -> Polling:
        return Polling({"till": self.connection}, self.ledger, self.reconciler, self.clock)

    async def look(self, polling: Polling) -> None:
        await polling.look()
        await polling.settled()

    async def row(self) -> PollRow:
        (row,) = await self.ledger.read(polls.everything)
        return row

    async def send(self, sale: dict[str, Any], delivery_id: str) -> None:
        """A webhook about it comes, and is read."""
        delivery = Delivery("till", {}, orjson.dumps(sale), self.now)
        accepted = await self.ledger.write(
            lambda rows: deliveries.accept(rows, delivery, delivery_id, Environment.SANDBOX)
        )
        await self.read(accepted.id, delivery)

    async def read(self, number: int, delivery: Delivery) -> None:
        reading = read(number, delivery, self.connection)
        await self.ledger.write(
            lambda rows: record(rows, reading, Listeners(), self.connection, now=self.now, holding=False)
        )

    async def read_all(self) -> None:
        for number, delivery in await self.ledger.read(lambda rows: deliveries.waiting(rows, after=0, limit=100)):
            await self.read(number, delivery)

    async def facts(self) -> list[str]:
        found = await self.ledger.read(lambda rows: events.newest(rows, limit=100))
        return sorted(row.business_key for row in found)


@pytest.fixture
async def house(ledger_url: str) -> AsyncIterator[House]:
    async with open_ledger(ledger_url) as ledger:
        yield House(ledger, Vendor())


async def test_what_no_webhook_brought_is_taken_in_once_and_what_is_known_left_alone(house: House) -> None:
    for number in range(1, 9):
        house.vendor.sell(number)
    await house.send(house.vendor.sales[4], "sent-5")
    assert await house.reconciler.catch_up(house.connection, house.poll, NOW) == Found(8, 7)
    await house.read_all()
    assert await house.facts() == [f"till/sale/{number}" for number in range(1, 9)]
    assert len(house.arrived) == 7
    assert await house.reconciler.catch_up(house.connection, house.poll, NOW) == Found(8, 0)
    (newest, *_) = await house.ledger.read(lambda rows: deliveries.newest(rows, limit=20))
    assert newest.delivery_id.startswith(f"{POLLED}/sales/")


async def test_a_webhook_that_comes_after_all_is_the_same_fact(house: House) -> None:
    house.vendor.sell(1)
    await house.reconciler.catch_up(house.connection, house.poll, NOW)
    await house.read_all()
    await house.send(house.vendor.sales[0], "sent-late")
    assert await house.facts() == ["till/sale/1"]


async def test_what_is_listed_twice_before_it_is_read_is_kept_once(house: House) -> None:
    house.vendor.sell(1)
    assert await house.reconciler.catch_up(house.connection, house.poll, NOW) == Found(1, 1)
    assert await house.reconciler.catch_up(house.connection, house.poll, NOW) == Found(1, 0)


async def test_card_numbers_in_what_is_listed_are_taken_out(house: House) -> None:
    house.vendor.sell(1, card_number="4111111111111111")
    await house.reconciler.catch_up(house.connection, house.poll, NOW)
    kept = await house.ledger.read(lambda rows: deliveries.payload(rows, house.arrived[0]))
    assert kept is not None and b"4111" not in kept[1] and b"[removed]" in kept[1]


async def test_a_record_that_cant_be_read_becomes_an_exception_and_holds_nothing_up(house: House) -> None:
    house.vendor.sell(1, broken=True)
    house.vendor.sell(2)
    assert await house.reconciler.catch_up(house.connection, house.poll, NOW) == Found(2, 2)
    await house.read_all()
    assert await house.facts() == ["till/sale/2"]


async def test_a_list_that_never_ends_is_given_up(house: House) -> None:
    async def page(call: Call, since: datetime, cursor: str) -> Page:
        return Page((), "again")

    with pytest.raises(Transient, match="the same page again and again"):
        await house.reconciler.catch_up(house.connection, Poll("sales", page, ()), NOW)


async def test_a_new_connection_is_asked_from_now_on_and_each_time_from_where_it_was_with_some_overlap(
    house: House,
) -> None:
    polling = house.polling()
    await house.look(polling)
    assert house.vendor.asked == []
    assert ((await house.row()).since, (await house.row()).due_at) == (NOW, NOW + HOUR)
    house.now = NOW + HOUR
    house.vendor.sell(1, NOW + timedelta(minutes=30))
    await house.look(polling)
    assert house.vendor.asked == [(NOW, "")]
    assert (await house.row()).since == NOW + timedelta(minutes=50)
    house.now += timedelta(minutes=59)
    await house.look(polling)
    assert len(house.vendor.asked) == 1
    house.now += timedelta(minutes=1)
    await house.look(polling)
    assert house.vendor.asked[1:] == [(NOW + timedelta(minutes=50), "")]
    assert len(house.arrived) == 1


async def test_what_is_hinted_at_before_the_first_look_is_looked_up(house: House) -> None:
    """From the beginning on: a look may come late, where much is going on."""
    polling = house.polling()
    assert await polling.begin() == {}
    house.vendor.sell(1, NOW + timedelta(seconds=1))
    house.now += timedelta(seconds=3)
    await house.send({}, "thin")
    house.now += timedelta(seconds=3)
    await house.look(polling)
    assert house.vendor.asked == [(NOW, "")]
    assert len(house.arrived) == 1


async def test_a_connection_that_says_since_when_it_is_is_asked_from_then_at_once(house: House) -> None:
    house.since = NOW - 5 * HOUR
    house.vendor.sell(1, NOW - 4 * HOUR)
    polling = house.polling()
    await house.look(polling)
    await house.look(polling)
    assert house.vendor.asked == [(NOW - 5 * HOUR, "")]
    assert len(house.arrived) == 1


async def test_after_a_restart_a_listing_goes_on_at_the_page_where_it_was(house: House) -> None:
    for number in range(1, 9):
        house.vendor.sell(number)
    house.since = NOW - HOUR
    house.vendor.fails = lambda asked: (
        Transient("Acme Till can't be reached.", cause="unreachable") if asked == 2 else None
    )
    await house.look(polling := house.polling())
    await house.look(polling)
    row = await house.row()
    assert (row.cursor, row.begun_at, row.failures, row.reason) == ("3", NOW, 1, "Acme Till can't be reached.")
    assert (row.due_at, row.failing_since) == (NOW + timedelta(minutes=1), NOW)
    house.now = NOW + timedelta(minutes=1)
    await house.look(house.polling())
    assert [cursor for _, cursor in house.vendor.asked] == ["", "3", "3", "6"]
    assert len(house.arrived) == 8
    row = await house.row()
    assert (row.cursor, row.begun_at, row.failures, row.reason, row.failing_since) == ("", None, 0, "", None)
    assert row.since == NOW - timedelta(minutes=10), "from when the listing began, not from when it ended"


async def test_a_vendor_that_fails_is_asked_more_and_more_rarely(house: House) -> None:
    house.since = NOW
    house.vendor.fails = lambda _: Transient("No.", cause="unreachable")
    await house.look(polling := house.polling())
    waits = []
    for _ in range(8):
        await house.look(polling)
        due = (await house.row()).due_at
        waits.append((due - house.now) // timedelta(minutes=1))
        house.now = due
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (await house.row()).failing_since == NOW


async def test_a_fault_in_a_connector_holds_up_only_its_own_poll(house: House) -> None:
    house.since = NOW
    house.vendor.fails = lambda _: KeyError("total")
    await house.look(polling := house.polling())
    await house.look(polling)
    assert "a fault in the program" in (await house.row()).reason


async def test_a_vendors_own_token_says_where_to_go_on(house: House) -> None:
    house.since = NOW
    house.vendor.resume = "7"
    house.vendor.sell(1)
    await house.look(polling := house.polling())
    await house.look(polling)
    assert (await house.row()).cursor == "7"
    house.now += HOUR
    house.vendor.sell(8)
    await house.look(polling)
    assert house.vendor.asked[-1][1] == "7"
    assert len(house.arrived) == 2


async def test_a_delivery_that_only_says_that_something_changed_wakes_the_poll(house: House) -> None:
    await house.look(polling := house.polling())
    house.vendor.sell(1)
    await house.send({}, "thin")
    await house.look(polling)
    assert len(house.arrived) == 1
    assert await house.ledger.read(lambda rows: [row.reason for row in deliveries.newest(rows, limit=9)][-1:]) == [
        "Something changed."
    ]


async def test_what_wakes_it_while_it_is_being_read_isnt_lost(house: House) -> None:
    house.since = NOW - HOUR
    await house.look(polling := house.polling())

    async def something_happens() -> None:
        house.now += timedelta(seconds=1)
        await house.send({}, "thin")

    house.vendor.meanwhile = something_happens
    await house.look(polling)
    assert (await house.row()).due_at == house.now
