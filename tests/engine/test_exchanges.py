"""What a vendor is asked and answers is kept with the attempt, in its transaction."""

from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Call
from bellwire.connectors.kit.exchanges import unpacked
from bellwire.ledger import Housekeeping, Keep, exchanges
from tests.connectors.kit.acme import Acme, reply
from tests.engine.conftest import House
from tests.engine.vendor import Vendor


class Asking(Vendor):
    """Asks a server for each of its operations."""

    def __init__(self, server: Acme) -> None:
        super().__init__()
        self.server = server

    async def _do(self, operation: str, call: Call, given: Any) -> None:
        await call.api.post(f"{self.server.url}/{operation}", {"key": call.key})
        await super()._do(operation, call, given)


async def kept(house: House) -> dict[tuple[str, int], list[int | None]]:
    """By action and number of the attempt: the statuses that were answered."""
    run = (await house.run()).id
    found = await house.ledger.read(lambda rows: exchanges.of_run(rows, run))
    return {(action, number): [each.status for each in unpacked(it)[0]] for (action, _, number), it in found.items()}


async def test_each_attempt_has_its_requests_and_answers(ledger_url: str) -> None:
    async with Acme([reply(503), reply(200), reply(422)]) as server, House(ledger_url, Asking(server)).open() as house:
        await house.deliver()
        await house.settled()

        found = await kept(house)

    assert {status for statuses in found.values() for status in statuses} >= {503, 200, 422}
    assert len(found) == len(server.seen)


async def test_they_are_purged_with_the_payloads_and_not_before_the_run_is_finished(ledger_url: str) -> None:
    async with Acme() as server, House(ledger_url, Asking(server)).open() as house:
        await house.deliver()
        await house.settled()
        assert await kept(house)
        now = house.clock()

        async def purge(later: timedelta) -> None:
            await Housekeeping(house.ledger, lambda: Keep.days(30, 90), clock=lambda: now + later).purge()

        await purge(timedelta(days=29))
        assert await kept(house)
        await house.ledger.write(lambda rows: rows.run("UPDATE runs SET state = 'dead'"))
        await purge(timedelta(days=31))
        assert await kept(house)
        await house.ledger.write(lambda rows: rows.run("UPDATE runs SET state = 'done'"))
        await purge(timedelta(days=31))
        assert not await kept(house)


async def test_nothing_is_kept_where_the_owner_says_so(ledger_url: str) -> None:
    async with Acme() as server, House(ledger_url, Asking(server), exchanges=False).open() as house:
        await house.deliver()
        await house.settled()

        assert server.seen and not await kept(house)
