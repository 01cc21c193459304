"""A project in the middle of its work moves from SQLite to PostgreSQL, and goes on there."""

from collections import Counter
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.events import Delivery, Environment
from bellwire.ledger import Rows, deliveries, exceptions, open_ledger, runs
from bellwire.practice import Fault, FaultKind, Sale, SaleLine, Webhook
from bellwire.practice.stories.order_to_cash import UNKNOWN_SKU, Chapter
from tests.ledgers import Ledgers
from tests.reliability.proof import broken, changed, finals
from tests.running import Town, ended, ordinary, start, town, until, up


@pytest.fixture
def url(ledgers: Ledgers) -> str:
    return ledgers.database()


async def test_what_was_going_on_in_the_file_comes_right_on_postgresql(tmp_path: Path, url: str) -> None:
    async with town(tmp_path) as place:
        shipping = place.practice.simulators[place.roles["shipping"]].faults
        shipping.add(Fault(kind=FaultKind.SLOW, match="100[12]", seconds=5, times=100))
        shipping.add(Fault(kind=FaultKind.FAILED, match="POST .*1003", times=100))
        letters = [place.paid(ordinary(number)) for number in ("1001", "1002", "1003", "1004")]
        letters.append(place.paid(Chapter(Sale("1005", [SaleLine(UNKNOWN_SKU)]), "")))
        acknowledged = []
        async with up(place) as first:
            for letter in letters:
                answer = await first.post(letter)
                assert answer is not None
                acknowledged.append(int(str(answer["delivery"])))

            async def of_every_kind() -> bool:
                return states(place) == {"running": 2, "waiting": 1, "done": 1, "dead": 1}

            await until(of_every_kind)
            await first.kill()
        shipping.clear()
        acknowledged.append(await left_unread(place, place.paid(ordinary("1006"))))
        before, final = states(place), finals(place)

        await done(place, "migrate", "--to", url)
        place.ledger_url = url
        assert (states(place), changed(final, finals(place))) == (before, [])
        async with up(place) as second:
            assert "Going on with 2 runs that were interrupted" in second.output
            answer = await second.post(letters[0])
            assert answer == {"delivery": acknowledged[0], "duplicate": True}
            item = place.holdings.books.item_for(UNKNOWN_SKU)
            await done(place, "records", "map", "books", "product", UNKNOWN_SKU, item)
            (stuck,) = place.look(exceptions.open_ones)
            await done(place, "exception", "retry", stuck.id)
            answer = await second.post(place.again("1002"))
            assert answer is not None and int(str(answer["delivery"])) > max(acknowledged)

            async def all_done() -> bool:
                return states(place) == {"done": 6}

            await until(all_done, 60)
            await second.settled()
            assert await second.stop() == 0
        assert broken(place, acknowledged) == []


def states(place: Town) -> Counter[str]:
    return Counter(run.state.value for run in place.look(lambda rows: runs.newest(rows, limit=100)))


async def left_unread(place: Town, webhook: Webhook) -> int:
    """As a process leaves it that dies between its acknowledgement and reading it."""
    delivery = Delivery("shop", {k.lower(): v for k, v in webhook.headers.items()}, webhook.body, system_clock())

    def accept(rows: Rows) -> int:
        return deliveries.accept(rows, delivery, "unread", Environment.SANDBOX).id

    async with open_ledger(place.settings.ledger_url) as ledger:
        return await ledger.write(accept)


async def done(place: Town, *words: object) -> None:
    """A command of the owner's."""
    folder = place.folder / "owner"
    folder.mkdir(exist_ok=True)
    command = start(*words, "--project", place.folder, cwd=folder, environ=place.environ)
    assert await ended(command) == 0, (folder / "err.txt").read_text()
