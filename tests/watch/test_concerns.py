"""What people have to be told of is found in the ledger, and told without anything personal."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.ledger import AskKind, Database, HealthRow, PollRow, Rows, Trouble, asks, health, polls
from bellwire.watch.concerns import announced, concerns, disk_concern, is_old, old_secret
from tests.desk.story import NOW, Story

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def told(ledger: Database, write: Callable[[Rows], object]) -> list[tuple[str, str, str]]:
    """Topic, title and text of all there is."""
    await ledger.write(write)
    systems = {"stock": "Shelf Count", "books": "Tidy Books"}
    return await ledger.read(
        lambda rows: [(each.topic, each.title, each.describe(rows)) for each in concerns(rows, NOW, systems)]
    )


async def test_a_group_of_exceptions_is_told_with_its_count_and_the_numbers_of_its_orders(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        story = Story(rows)
        for _ in range(7):
            story.dies(NOW - MINUTE, sentence="Dana Miller, dana@example.com, has no address.")

    assert await told(ledger, write) == [
        (
            "exceptions/stock/unknown-sku",
            "Shelf Count needs you: unknown sku (7 times)",
            "order 1001, order 1002, order 1003, order 1004, order 1005 and 2 more."
            " `bellwire exception list` says what to do.",
        )
    ]


async def test_what_is_no_order_is_named_by_its_exception(ledger: Database) -> None:
    ((_, title, text),) = await told(ledger, lambda rows: Story(rows).unreadable(NOW))
    assert "needs you" in title
    assert text.startswith("exception 1. ")


def out_of_order(state: Trouble, since: timedelta) -> Callable[[Rows], object]:
    row = HealthRow("books", state, "Sent to dana@example.com in vain.", 3, NOW - since, None)
    return lambda rows: health.set_out(rows, row)


async def test_a_system_that_lets_us_in_no_longer_is_told_at_once(ledger: Database) -> None:
    ((topic, title, text),) = await told(ledger, out_of_order(Trouble.SIGNED_OUT, timedelta()))
    assert (topic, title) == ("connection/books/signed-out", "Tidy Books doesn't let us in")
    assert "dana" not in text


async def test_a_system_that_doesnt_answer_is_told_when_it_lasts(ledger: Database) -> None:
    assert await told(ledger, out_of_order(Trouble.DOWN, MINUTE)) == []
    ((_, title, _),) = await told(ledger, out_of_order(Trouble.DOWN, 2 * MINUTE))
    assert title == "Tidy Books doesn't answer"


async def test_runs_that_wait_for_more_than_an_hour_are_told_by_flow(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        story = Story(rows)
        story.waits(NOW - 2 * HOUR, NOW + HOUR)
        story.waits(NOW - 3 * HOUR, NOW - 2 * HOUR)
        story.waits(NOW - 3 * HOUR, NOW - MINUTE)  # about to go on
        story.waits(NOW - 50 * MINUTE, NOW + HOUR)
        story.done(NOW - 2 * HOUR)

    found = await told(ledger, write)
    assert [(topic, title) for topic, title, _ in found] == [
        ("late/order_to_cash", "order_to_cash: 2 runs waiting for more than an hour")
    ]


async def test_what_flows_ask_of_people_is_told_by_flow_without_the_question(ledger: Database) -> None:
    def write(rows: Rows) -> None:
        story = Story(rows)
        for action in ("invoice", "label"):
            asks.ask(
                rows,
                run=story.starts(NOW),
                flow=story.flow.id,
                action=action,
                item=0,
                kind=AskKind.TODO,
                text="Dana Miller wants her money back.",
                given="{}",
                asked="",
                now=NOW,
                expires_at=None,
            )

    assert await told(ledger, write) == [
        (
            "asks/order_to_cash",
            "order_to_cash: 2 to-dos for a person",
            "Runs wait for the answers. `bellwire todo list` shows them.",
        )
    ]


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr("bellwire.watch.concerns._NEARLY_FULL", free // 2)
    assert disk_concern(None) is None and disk_concern(tmp_path) is None
    monkeypatch.setattr("bellwire.watch.concerns._NEARLY_FULL", free * 2)
    assert disk_concern(tmp_path) is not None


@pytest.mark.parametrize(("since", "known"), [(HOUR - MINUTE, False), (HOUR, True)])
async def test_a_list_that_cant_be_read_for_long_is_told(ledger: Database, since: timedelta, known: bool) -> None:
    def write(rows: Rows) -> None:
        polls.begin(rows, "books", "invoices", NOW, NOW)
        polls.keep(rows, PollRow("books", "invoices", NOW, "", NOW, NOW, 3, "It fails.", NOW - since), NOW)

    titles = [title for _, title, _ in await told(ledger, write)]
    assert titles == (["Tidy Books can't be asked what happened (invoices)"] if known else [])


@pytest.mark.parametrize(("days", "old"), [(74, False), (75, True), (200, True)])
def test_a_secret_is_old_after_75_days_and_what_is_none_never(days: int, old: bool) -> None:
    now = NOW + timedelta(days=days)
    assert is_old("access_token", NOW, now) is old
    assert not is_old("client_id", NOW, now)


def test_what_is_announced_and_what_is_old_are_told_apart() -> None:
    change = announced("shop", "Acme Shop", "Sunset", "Thu, 31 Dec 2026 23:59:59 GMT")
    secret = old_secret("shop", "Acme Shop", "access_token", 80)
    assert change.title == "Acme Shop announces a change"
    assert secret.title == "The access_token of 'shop' is 80 days old, of at most 90"
    assert change.topic != secret.topic
