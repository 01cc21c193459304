"""Choosing among what needs a person."""

from datetime import timedelta

import orjson
import pytest

from bellwire.ledger import Database, ExceptionState, Rows, comments, exceptions, figures, people
from bellwire.ledger.exceptions import Choice
from tests.ledger.stuck import begin, stuck
from tests.samples import NOW

LATER = NOW + timedelta(hours=1)


def four(rows: Rows) -> None:
    """1 and 2 are of order 1001, 3 is of 1002 and opened later, 4 is about a delivery; 5 is closed. 2 is Dana's."""
    first, second = begin(rows, "1001"), begin(rows, "1002", flow="other")
    stuck(rows, first, cause="sku")
    stuck(rows, first, cause="sku", connection="stock")
    stuck(rows, second, cause="sku", flow="other", at=LATER)
    stuck(rows, None, cause="unread", connection="shop", flow="")
    exceptions.close(rows, stuck(rows, first), ExceptionState.DISMISSED, NOW)
    dana = people.add(rows, "Dana", "dana@example.com", "owner", "", NOW)
    exceptions.assign(rows, 2, dana)


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(), [1, 2, 3, 4]),
        (Choice(cause="sku"), [1, 2, 3]),
        (Choice(flow="other"), [3]),
        (Choice(connection="stock"), [2]),
        (Choice(cause="sku", connection="books"), [1, 3]),
        (Choice(about="1001"), [1, 2]),
        (Choice(about="order/id-1002"), [3]),
        (Choice(about="shop/order/1002/paid"), [3]),
        (Choice(about="100"), []),
        (Choice(run=2), [3]),
        (Choice(before=LATER), [1, 2, 4]),
        (Choice(after=LATER), [3]),
        (Choice(after=LATER, before=LATER), []),
        (Choice(search="1002"), [3]),
        (Choice(search="order/id-1001"), [1, 2]),
        (Choice(search="ROBIN"), [1, 2, 3]),
        (Choice(search="robin@example"), [1, 2, 3]),
        (Choice(search="r_bin"), []),
        (Choice(search="%"), []),
        (Choice(search="100"), []),
        (Choice(assignee=1), [2]),
        (Choice(assignee=0), [1, 3, 4]),
        (Choice(until=2), [1, 2]),
    ],
)
async def test_open_ones_can_be_chosen_by_all_that_is_known_of_them(
    ledger: Database, choice: Choice, numbers: list[int]
) -> None:
    await ledger.write(four)
    assert await ledger.read(lambda rows: exceptions.chosen_ids(rows, choice)) == numbers
    assert [each.id for each in await ledger.read(lambda rows: exceptions.chosen(rows, choice))] == numbers
    groups = await ledger.read(lambda rows: figures.open_groups(rows, choice=choice))
    assert sum(group.count for group in groups) == len(numbers)


@pytest.mark.parametrize("part", ['"ace"', "o\\neil", "50%", "_x", "zoë", "\t", "/the"])
async def test_a_name_is_found_by_whatever_is_in_it(ledger: Database, part: str) -> None:
    await ledger.write(four)

    def rename(rows: Rows) -> None:
        [text] = rows.one("SELECT data FROM events WHERE id = 2") or ("",)
        data = orjson.loads(text)
        data["customer"]["name"] = 'Ann "Ace" O\\Neil 50% _x Zoë \t/the'
        rows.run("UPDATE events SET data = :data WHERE id = 2", {"data": orjson.dumps(data).decode()})

    await ledger.write(rename)
    assert await ledger.read(lambda rows: exceptions.chosen_ids(rows, Choice(search=part))) == [3]


async def test_an_order_whose_data_was_purged_is_still_found_by_its_subject(ledger: Database) -> None:
    await ledger.write(four)
    await ledger.write(lambda rows: rows.run("UPDATE events SET data = ''"))
    found = await ledger.read(lambda rows: exceptions.chosen_ids(rows, Choice(about="order/id-1001")))
    assert found == [1, 2]


async def test_groups_are_by_connection_and_cause_the_largest_first_in_the_words_of_the_oldest(
    ledger: Database,
) -> None:
    await ledger.write(four)
    groups = await ledger.read(figures.open_groups)
    assert [(group.connection, group.cause, group.count, group.oldest, group.newest) for group in groups] == [
        ("books", "sku", 2, 1, 3),
        ("stock", "sku", 1, 2, 2),
        ("shop", "unread", 1, 4, 4),
    ]
    assert (groups[0].since, groups[0].sentence) == (NOW, "sku!")


async def test_closed_ones_come_newest_first_and_a_long_history_in_parts(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(rows: Rows) -> None:
        run = begin(rows, "1001")
        for number in range(10):
            new = stuck(rows, run, cause="sku" if number == 0 else "x")
            if number != 5:
                exceptions.close(rows, new, ExceptionState.DISMISSED, NOW)

    await ledger.write(fill)

    def read(rows: Rows) -> None:
        def page(choice: Choice, below: int) -> tuple[list[int], int | None]:
            found, further = exceptions.closed(rows, choice, limit=4, below=below)
            return [row.id for row in found], further

        assert page(Choice(), 0) == ([10, 9, 8, 7], 7)
        assert page(Choice(), 7) == ([5, 4, 3, 2], 2)
        assert page(Choice(), 2) == ([1], None)
        monkeypatch.setattr(exceptions, "_LOOKED_AT", 4)
        assert page(Choice(cause="sku"), 0) == ([], 7)
        assert page(Choice(cause="sku"), 7) == ([], 3)
        assert page(Choice(cause="sku"), 3) == ([1], None)

    await ledger.read(read)


async def test_what_people_said_is_kept_in_its_order(ledger: Database) -> None:
    await ledger.write(four)

    def say(rows: Rows) -> None:
        for text in ("first", "second", "third"):
            comments.add(rows, 1, "Dana", text, NOW)
        comments.add(rows, 2, "Kim", "elsewhere", NOW)

    await ledger.write(say)
    found = await ledger.read(lambda rows: comments.of_exception(rows, 1, limit=2))
    assert [(each.who, each.text, each.at) for each in found] == [("Dana", "second", NOW), ("Dana", "third", NOW)]
