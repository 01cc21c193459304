"""The proof that nothing is missing."""

from datetime import timedelta

from bellwire.events import Delivery, Environment
from bellwire.ledger import Database, DeliveryState, Rows, RunState, deliveries, figures, runs
from tests.ledger.stuck import begin
from tests.samples import NOW

DAY = NOW, NOW + timedelta(days=1)


async def test_a_run_in_every_state_is_accounted_for(ledger: Database) -> None:
    def every_state(rows: Rows) -> None:
        for number, state in enumerate(RunState):
            run = begin(rows, str(number))
            rows.run("UPDATE runs SET state = :state WHERE id = :id", {"state": state.value, "id": run})

    await ledger.write(every_state)
    (balance,) = await ledger.read(lambda rows: figures.balances(rows, *DAY))
    assert balance.balanced
    assert (balance.done, balance.waiting, balance.dead, balance.skipped) == (1, 3, 1, 1)
    assert await ledger.read(figures.unfinished) == 3


async def test_an_event_that_lost_its_run_shows(ledger: Database) -> None:
    def lose(rows: Rows) -> None:
        begin(rows, "1")
        rows.run("DELETE FROM runs WHERE id = :id", {"id": begin(rows, "2")})

    await ledger.write(lose)
    balances = await ledger.read(lambda rows: figures.balances(rows, *DAY))
    assert [balance.balanced for balance in balances] == [True, False]
    lost = await ledger.read(lambda rows: figures.unaccounted(rows, *DAY, connection="shop", limit=9))
    assert lost == [2]
    assert await ledger.read(lambda rows: figures.unaccounted(rows, *DAY, connection="other", limit=9)) == []


async def test_deliveries_that_brought_no_event_are_accounted_for_by_connection(ledger: Database) -> None:
    def arrive(rows: Rows) -> None:
        for number, state in enumerate(DeliveryState):
            accepted = deliveries.accept(rows, Delivery("till", {}, b"", NOW), str(number), Environment.SANDBOX)
            deliveries.settle(rows, accepted.id, state)

    await ledger.write(arrive)
    (balance,) = await ledger.read(lambda rows: figures.unread(rows, *DAY))
    assert balance.balanced
    assert (balance.connection, balance.received) == ("till", 3)
    assert (balance.waiting, balance.dead, balance.skipped) == (1, 1, 1)


async def test_the_beginning_is_that_of_the_first_that_came_in(ledger: Database) -> None:
    assert await ledger.read(figures.beginning) is None
    await ledger.write(lambda rows: begin(rows, "1"))
    assert await ledger.read(figures.beginning) == NOW


async def test_a_held_run_can_be_given_up_and_a_running_one_cant(ledger: Database) -> None:
    def hold(rows: Rows) -> tuple[bool, bool]:
        held, running = begin(rows, "1"), begin(rows, "2", running=True)
        rows.run("UPDATE runs SET state = 'held' WHERE id = :id", {"id": held})
        return runs.give_up(rows, held, NOW, "why"), runs.give_up(rows, running, NOW, "why")

    assert await ledger.write(hold) == (True, False)
