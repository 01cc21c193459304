"""People are told once of each trouble, reminded, told that it is over, and never woken for nothing."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bellwire.ledger import Database, ExceptionState, Rows, alerts, exceptions
from bellwire.settings import AlertSettings
from bellwire.vault import Vault
from bellwire.watch.alerts import GATHERING, SETTLED, Alerts
from bellwire.watch.channels import read_channels
from bellwire.watch.post import APART
from tests.ledgers import sqlite_of
from tests.running import until
from tests.watch.conftest import Receiver, environ

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@dataclass
class Watch:
    """Alerts on a clock that is set by hand."""

    ledger: Database
    folder: Path
    urls: list[str]
    quiet_hours: str = ""
    now: datetime = NOON
    alerts: Alerts = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process on the same ledger."""
        vault = Vault.open(self.folder, {})
        self.alerts = Alerts(
            self.ledger,
            lambda: read_channels(vault, environ(*self.urls)),
            lambda: AlertSettings.model_validate({"quiet_hours": self.quiet_hours} if self.quiet_hours else {}),
            systems={"books": "Tidy Books"},
            clock=lambda: self.now,
            zone=ZoneInfo("America/Chicago"),
        )

    async def after(self, *passes: timedelta) -> None:
        """Look after each of these times."""
        for each in passes:
            self.now += each
            await self.alerts.look()

    async def told(self) -> None:
        """Look now, and when what is new has been gathered."""
        await self.after(timedelta(), GATHERING)

    async def over(self) -> None:
        """Look now, and when it is certain that it is over."""
        await self.after(timedelta(), SETTLED, APART)


@pytest.fixture
def watch(ledger: Database, tmp_path: Path, receiver: Receiver) -> Watch:
    return Watch(ledger, tmp_path, [receiver.url])


def stuck(cause: str = "unknown-sku:TEA-500", *, sentence: str = "Dana Miller has no address.") -> "Write":
    def write(rows: Rows) -> None:
        exceptions.open_one(
            rows, connection="books", cause=cause, sentence=sentence, remedy="", detail="", now=NOON, flow="cash"
        )

    return write


def mended(rows: Rows) -> None:
    for each in exceptions.open_ones(rows):
        exceptions.close(rows, each.id, ExceptionState.RETRIED, NOON)


Write = Callable[[Rows], None]


async def kinds(ledger: Database) -> list[tuple[str, bool]]:
    """Of all messages: kind, and whether it arrived."""
    found = await ledger.read(lambda rows: rows.all("SELECT kind, error = '' FROM messages ORDER BY id"))
    return [(kind, bool(arrived)) for kind, arrived in found]


async def test_a_new_group_is_told_once_and_another_of_it_sends_nothing(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck())
    await watch.told()
    assert receiver.titles == ["Bellwire: Tidy Books needs you: unknown sku (1 time)"]
    await watch.ledger.write(stuck())
    await watch.after(MINUTE, MINUTE, 30 * MINUTE)
    assert len(receiver.letters) == 1


async def test_another_cause_is_another_alert(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.ledger.write(stuck("currency:EUR"))
    await watch.told()
    await watch.after(MINUTE)
    assert receiver.titles[1:] == ["Bellwire: Tidy Books needs you: currency (1 time)"]


async def test_reminders_come_after_growing_gaps_with_the_count_as_it_is(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.ledger.write(stuck())
    told = [watch.now]
    while len(told) < 5:
        before = len(receiver.letters)
        await watch.after(10 * MINUTE)
        if len(receiver.letters) > before:
            told.append(watch.now)
    gaps = [after - before for before, after in itertools.pairwise(told)]
    assert gaps == [HOUR, 4 * HOUR, DAY, DAY]
    assert receiver.titles[1] == "Bellwire: still: Tidy Books needs you: unknown sku (2 times)"
    assert "for 1 h" in receiver.letters[1]["message"]


async def test_a_group_that_empties_is_told_once_and_begins_anew(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.ledger.write(mended)
    await watch.over()
    await watch.after(HOUR, DAY)
    assert receiver.titles[1:] == ["Bellwire: over: Tidy Books needs you: unknown sku (1 time)"]
    await watch.ledger.write(stuck())
    await watch.told()
    assert receiver.titles[2:] == ["Bellwire: Tidy Books needs you: unknown sku (1 time)"]


async def test_what_is_retried_and_fails_again_at_once_is_no_news(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.ledger.write(mended)
    await watch.after(SETTLED / 2)
    await watch.ledger.write(stuck())
    await watch.after(SETTLED, MINUTE, MINUTE)
    assert len(receiver.letters) == 1


async def test_what_is_over_before_anybody_was_told_is_never_told(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck())
    await watch.after(timedelta())
    await watch.ledger.write(mended)
    await watch.after(GATHERING, SETTLED, MINUTE, HOUR)
    assert receiver.letters == []
    assert await watch.ledger.read(alerts.open_ones) == []


async def test_a_flood_is_one_message(watch: Watch, receiver: Receiver) -> None:
    for number in range(30):
        await watch.ledger.write(stuck(f"cause-{number}"))
        await watch.after(GATHERING / 40)
    await watch.told()
    (letter,) = receiver.letters
    assert letter["title"] == "Bellwire: 30 new"
    assert letter["message"].count("Tidy Books") == 10
    assert "and 20 more" in letter["message"]
    assert await kinds(watch.ledger) == [("opened", True)] * 30


async def test_nothing_personal_is_told_but_the_numbers_of_orders(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck("refused:dana@example.com", sentence="Dana Miller, dana@example.com"))
    await watch.told()
    said = str(receiver.letters)
    assert "refused" in said
    assert "Miller" not in said and "example.com" not in said


async def test_in_quiet_hours_nothing_is_sent_and_afterwards_all_of_it_as_one(watch: Watch, receiver: Receiver) -> None:
    watch.quiet_hours = "22:00-07:00"
    watch.restart()
    watch.now = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # nine in the evening in Chicago
    await watch.ledger.write(stuck("before"))
    await watch.told()
    assert len(receiver.letters) == 1
    watch.now = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
    await watch.ledger.write(mended)
    await watch.over()
    await watch.ledger.write(stuck("one"))
    await watch.ledger.write(stuck("two"))
    await watch.after(timedelta(), GATHERING, HOUR)
    watch.restart()
    watch.now = datetime(2026, 11, 25, 12, 59, 59, tzinfo=UTC)
    await watch.after(timedelta())
    assert len(receiver.letters) == 1
    await watch.after(timedelta(seconds=1))
    assert receiver.titles[1:] == ["Bellwire: 2 new, 1 over"]


async def test_quiet_hours_that_are_set_meanwhile_hold_at_once(watch: Watch, receiver: Receiver) -> None:
    await watch.ledger.write(stuck("one"))
    await watch.after(timedelta())
    watch.quiet_hours = "00:00-23:59"
    await watch.told()
    assert receiver.letters == []
    watch.quiet_hours = ""
    await watch.told()
    assert len(receiver.letters) == 1


async def test_what_comes_and_goes_in_quiet_hours_disturbs_nobody(watch: Watch, receiver: Receiver) -> None:
    watch.quiet_hours = "00:00-23:59"
    watch.restart()
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.ledger.write(mended)
    await watch.over()
    watch.quiet_hours = ""
    watch.restart()
    await watch.told()
    assert receiver.letters == []


async def test_a_channel_that_fails_is_tried_again_with_patience_while_the_others_are_told_once(
    watch: Watch, receivers: list[Receiver]
) -> None:
    good, bad = receivers
    watch.urls = [good.url, bad.url]
    bad.status = 500
    await watch.ledger.write(stuck())
    await watch.told()
    assert await kinds(watch.ledger) == [("opened", True), ("opened", False)]
    ((_, owed),) = await watch.ledger.read(lambda rows: alerts.owed(rows, watch.now))
    assert (owed.channel, owed.error) == ("json 2", "It answered with status 500.")
    await watch.after(*[MINUTE] * 15)
    assert len(good.letters) == 1
    assert len(bad.letters) == 5  # after 1, 2, 4 and 8 minutes more
    bad.status = 200
    await watch.after(16 * MINUTE)
    assert await kinds(watch.ledger) == [("opened", True), ("opened", True)]
    await watch.ledger.write(mended)
    await watch.over()
    assert [each.titles[-1] for each in receivers] == ["Bellwire: over: Tidy Books needs you: unknown sku (1 time)"] * 2


async def test_a_channel_that_never_told_of_it_doesnt_tell_that_it_is_over(
    watch: Watch, receivers: list[Receiver]
) -> None:
    good, bad = receivers
    watch.urls = [good.url, bad.url]
    bad.status = 500
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.ledger.write(mended)
    await watch.over()
    bad.status = 200
    await watch.after(HOUR, DAY)
    assert (len(good.letters), len(bad.letters)) == (2, 1)
    assert await kinds(watch.ledger) == [("opened", True), ("opened", False), ("resolved", True)]


async def test_after_a_restart_nothing_is_told_again_and_nothing_forgotten(watch: Watch, receiver: Receiver) -> None:
    receiver.status = 500
    await watch.ledger.write(stuck())
    await watch.told()
    receiver.status = 200
    watch.restart()
    await watch.after(timedelta())
    assert len(receiver.letters) == 2
    watch.restart()
    await watch.after(MINUTE, 30 * MINUTE)
    assert len(receiver.letters) == 2


async def test_what_was_being_sent_when_the_process_died_is_sent_again(watch: Watch, receiver: Receiver) -> None:
    receiver.open.clear()
    await watch.ledger.write(stuck())
    await watch.after(timedelta())
    watch.now += GATHERING
    dying = asyncio.create_task(watch.alerts.look())
    await until(_holds(lambda: receiver.letters))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    receiver.open.set()
    watch.restart()
    await watch.after(timedelta(), MINUTE)
    assert len(receiver.letters) == 2
    assert await kinds(watch.ledger) == [("opened", True)]


async def test_without_a_channel_it_stays_due_until_there_is_one(watch: Watch, receiver: Receiver) -> None:
    urls, watch.urls = watch.urls, []
    await watch.ledger.write(stuck())
    await watch.told()
    await watch.after(DAY)
    watch.urls = urls
    await watch.after(timedelta())
    assert receiver.titles == ["Bellwire: Tidy Books needs you: unknown sku (1 time)"]


async def test_a_vault_that_cant_be_read_is_logged_and_everything_is_told_once_it_can(
    watch: Watch, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    urls, watch.urls = watch.urls, [" "]
    await watch.ledger.write(stuck())
    await watch.told()
    assert capsys.readouterr().out.count("BELLWIRE_ALERTS_URLS is set, but empty") == 1
    watch.urls = urls
    await watch.after(timedelta())
    assert len(receiver.letters) == 1


@pytest.mark.sqlite
async def test_a_ledger_that_cant_be_written_is_told_and_kept_once_it_can(watch: Watch, receiver: Receiver) -> None:
    await watch.after(timedelta())
    sqlite_of(watch.ledger)._connection.execute("PRAGMA query_only = ON")  # as a full or read-only disk
    await watch.after(MINUTE, SETTLED / 2)
    assert receiver.letters == []
    await watch.after(SETTLED, MINUTE, HOUR)
    assert receiver.titles == ["Bellwire: The ledger can't be written", "Bellwire: still: The ledger can't be written"]
    sqlite_of(watch.ledger)._connection.execute("PRAGMA query_only = OFF")
    await watch.after(MINUTE, MINUTE, DAY)
    assert receiver.titles[2:] == ["Bellwire: over: The ledger can't be written"]
    assert await kinds(watch.ledger) == [("opened", True), ("resolved", True)]


@pytest.mark.sqlite
async def test_what_arrived_while_the_ledger_couldnt_be_written_isnt_sent_again(
    watch: Watch, receiver: Receiver
) -> None:
    receiver.open.clear()
    await watch.ledger.write(stuck())
    await watch.after(timedelta())
    watch.now += GATHERING
    look = asyncio.create_task(watch.alerts.look())
    await until(_holds(lambda: receiver.letters))
    sqlite_of(watch.ledger)._connection.execute("PRAGMA query_only = ON")
    receiver.open.set()
    await look
    assert await kinds(watch.ledger) == [("opened", False)]
    sqlite_of(watch.ledger)._connection.execute("PRAGMA query_only = OFF")
    await watch.after(MINUTE, MINUTE)
    assert await kinds(watch.ledger) == [("opened", True)]
    assert len(receiver.letters) == 1


async def test_it_looks_by_itself_and_lets_a_message_that_is_under_way_arrive_before_it_stops(
    watch: Watch, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.watch.alerts._EVERY", 0.01)
    receiver.open.clear()
    watch.alerts.start()
    await watch.ledger.write(stuck())
    await until(_any(watch.ledger))
    watch.now += GATHERING
    await until(_holds(lambda: receiver.letters))
    stopping = asyncio.create_task(watch.alerts.stop())
    receiver.open.set()
    await stopping
    assert await kinds(watch.ledger) == [("opened", True)]


def _holds(what: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def holds() -> object:
        return what()

    return holds


def _any(ledger: Database) -> Callable[[], Awaitable[object]]:
    async def holds() -> object:
        return await ledger.read(alerts.open_ones)

    return holds
