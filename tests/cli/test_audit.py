"""`bellwire audit`: the proof, and the record of who did what."""

import asyncio
import json
import pwd
from datetime import UTC, datetime
from os import getuid
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bellwire.cli.audit import _days
from bellwire.ledger import open_ledger
from tests.cli.conftest import Run

ME = pwd.getpwuid(getuid()).pw_name


def change(shop: Path, sql: str) -> None:
    async def write() -> None:
        async with open_ledger(f"sqlite:///{shop}/data/ledger.db") as ledger:
            await ledger.write(lambda rows: rows.run(sql))

    asyncio.run(write())


def test_the_books_balance(at: Run) -> None:
    result = at("audit")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "The books balance: 1 day, every connection, every flow.",
        "4 received = 1 done + 0 waiting + 2 in need of a person + 1 skipped.",
    ]


def test_each_line_of_the_proof_as_json(at: Run) -> None:
    lines = json.loads(at("audit", "--json").stdout)
    assert [(line["connection"], line["flow"], line["received"], line["balanced"]) for line in lines] == [
        ("shop", "order_to_cash", 3, True),
        ("shop", "(none)", 1, True),
    ]


def test_an_event_that_lost_its_run_is_named(at: Run, shop: Path) -> None:
    change(shop, "UPDATE events SET reason = '' WHERE reason <> ''")
    result = at("audit")
    assert result.exit_code == 1
    assert "'shop': not accounted for, e.g. event 2." in result.stdout
    assert "The books don't balance on 1 day" in result.stdout
    assert not all(line["balanced"] for line in json.loads(at("audit", "--json").stdout))


def test_a_run_in_a_state_that_nobody_knows_is_noticed(at: Run, shop: Path) -> None:
    change(shop, "UPDATE runs SET state = 'lost' WHERE id = 1")
    result = at("audit")
    assert result.exit_code == 1 and "order_to_cash" in result.stdout


def test_from_a_day_on(at: Run) -> None:
    assert at("audit", "--since", "2100-01-01").stdout == "The books balance: nothing has come in yet.\n"


def test_a_new_project_balances(bellwire: Run, tmp_path: Path) -> None:
    bellwire("init", tmp_path / "new")
    assert bellwire("audit", "--project", tmp_path / "new").exit_code == 0
    assert bellwire("audit", "log", "--project", tmp_path / "new").stdout == "Nobody has done anything yet.\n"


def test_days_are_those_of_the_calendar_also_when_the_clocks_change() -> None:
    zone = ZoneInfo("America/Chicago")
    first, now = datetime(2026, 10, 31, 12, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC)
    days = list(_days(first, now, zone))
    assert [start.isoformat() for start, _ in days] == [
        "2026-10-31T00:00:00-05:00",
        "2026-11-01T00:00:00-05:00",
        "2026-11-02T00:00:00-06:00",
    ]
    assert [(end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 3600 for start, end in days] == [24, 25, 24]


ACTS: list[tuple[tuple[object, ...], str, str]] = [
    (("exception", "retry", 1), "retry", "exception 1"),
    (("exception", "resolve", 1, "--id", 1, "--with", "customer_id=2"), "resolve", "exception 1"),
    (("exception", "dismiss", 1, "--reason", "x"), "dismiss", "exception 1"),
    (("run", "retry", 2), "retry", "run 2"),
    (("run", "cancel", 2, "--reason", "x"), "cancel", "run 2"),
    (("event", "replay", 1), "replay", "event 1"),
    (("flow", "mode", "order_to_cash", "off"), "switch off", "flow order_to_cash"),
    (("records", "map", "books", "product", "A", "B"), "map", "product A"),
    (("secrets", "set", "shop", "webhook_secret"), "set", "shop webhook_secret"),
    (("secrets", "rotate", "shop"), "rotate", "shop webhook_secret"),
    (("secrets", "rekey"), "rekey", "the vault"),
]


@pytest.mark.parametrize(("words", "what", "target"), ACTS, ids=lambda value: value if isinstance(value, str) else None)
def test_what_a_person_does_is_on_record_once(at: Run, words: tuple[object, ...], what: str, target: str) -> None:
    assert at(*words, stdin="s3cret").exit_code == 0
    (act,) = json.loads(at("audit", "log", "--json").stdout)
    assert (act["who"], act["what"], act["target"]) == (ME, what, target)
    assert "s3cret" not in str(act)


def test_what_only_looks_or_fails_is_not_on_record(at: Run) -> None:
    for words in (("exception", "list"), ("flow", "mode", "order_to_cash"), ("run", "retry", 1), ("run", "cancel", 99)):
        at(*words)
    assert at("records", "unmap", "books", "product", "none").exit_code == 2
    assert at("audit", "log").stdout == "Nobody has done anything yet.\n"


def test_the_log_can_be_narrowed(at: Run) -> None:
    at("run", "retry", 2)
    at("run", "retry", 3)

    def targets(*words: object) -> list[str]:
        return [act["target"] for act in json.loads(at("audit", "log", *words, "--json").stdout)]

    assert targets() == ["run 3", "run 2"]
    assert targets("--target", "run 2") == ["run 2"]
    assert targets("--limit", 1) == ["run 3"]
    assert targets("--since", "1h") == ["run 3", "run 2"]
    assert targets("--since", "2100-01-01") == []


def test_who_asked_through_sudo_is_on_record(at: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "dana")
    at("run", "retry", 2)
    assert json.loads(at("audit", "log", "--json").stdout)[0]["who"] == f"dana as {ME}"
