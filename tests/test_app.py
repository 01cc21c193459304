"""A whole system: it starts, says how it is, stops gently, and is alone on its ledger."""

import asyncio
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from bellwire.app import opened, running
from bellwire.errors import ConfigurationError
from bellwire.ledger import RunState, figures, runs
from bellwire.practice import Fault, FaultKind, Sale, SaleLine
from bellwire.practice.driving import until_quiet
from bellwire.practice.story import Chapter
from bellwire.settings import load_settings
from tests.running import Town, ended, start, town, until, up


def ordinary(number: str) -> Chapter:
    return Chapter(Sale(number, [SaleLine("TEA-100", 2)]), "")


async def test_sigterm_ends_gently_and_nothing_is_lost(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        slow = Fault(kind=FaultKind.SLOW, seconds=0.2, times=100)
        place.practice.simulators[place.roles["shipping"]].faults.add(slow)
        async with up(place) as first:
            for number in ("1001", "1002", "1003"):
                assert await first.post(place.paid(ordinary(number))) is not None
            assert await first.stop() == 0
            assert "Stopping" in first.output
            assert "Traceback" not in first.errors
        async with up(place) as second:
            assert "interrupted" not in second.output, "it had time enough to bring its runs to an end"
            await second.settled()
            assert await second.stop() == 0
        assert [verdict for verdict in place.verdicts() if not verdict.held] == []


async def test_an_acknowledgement_holds_even_when_the_end_comes_at_once(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        letters = [place.paid(ordinary(str(1001 + number))) for number in range(8)]
        async with up(place) as first:
            posting = [asyncio.create_task(first.post(letter)) for letter in letters]
            await asyncio.wait(posting, return_when=asyncio.FIRST_COMPLETED)
            assert await first.stop() == 0
            answers = await asyncio.gather(*posting)
        acknowledged = {number for number, answer in zip(place.placed, answers, strict=True) if answer}
        assert acknowledged
        async with up(place) as second:
            for number, letter in zip(place.placed, letters, strict=True):
                answer = await second.post(letter)
                assert answer is not None
                assert answer["duplicate"] or number not in acknowledged
            await second.settled()
        assert [verdict for verdict in place.verdicts() if not verdict.held] == []


async def test_a_second_one_on_the_same_project_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as place, up(place) as first:
        second = start("up", "--project", tmp_path, cwd=_folder(tmp_path, "second"), environ=place.environ)
        assert await ended(second) == 2
        said = (tmp_path / "second" / "err.txt").read_text()
        assert said.startswith("Bellwire is running already") and "Stop it first" in said
        assert "Traceback" not in said
        assert first.process.poll() is None


async def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", place.port)
        async with server:
            process = start("up", "--project", tmp_path, cwd=_folder(tmp_path, "run"), environ=place.environ)
            assert await ended(process) == 2
        assert f"can't listen on 127.0.0.1:{place.port}" in (tmp_path / "run" / "err.txt").read_text()


async def test_it_says_where_it_is_and_where_webhooks_go(tmp_path: Path) -> None:
    async with town(tmp_path) as place, up(place) as first:
        assert f"Desk:     {place.url}/\n" in first.output
        assert f"Webhooks: {place.url}/hooks/shop\n" in first.output


async def test_it_is_alive_and_ready_and_says_when_it_isnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.intake.health._PATIENCE", 0.1)
    async with (
        town(tmp_path) as place,
        running(place.settings, place.secrets) as bellwire,
        aiohttp.ClientSession(bellwire.url) as session,
    ):

        async def status(path: str) -> int:
            async with session.get(path) as answer:
                return answer.status

        assert (await status("/healthz"), await status("/readyz")) == (200, 200)
        other = sqlite3.connect(tmp_path / "data" / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert (await status("/healthz"), await status("/readyz")) == (200, 503)
        other.execute("ROLLBACK")
        assert await status("/readyz") == 200


async def test_a_free_port_is_told_as_it_is(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        settings = load_settings(tmp_path, place.secrets)
        async with running(settings, place.secrets) as bellwire:
            assert settings.port == 0 != bellwire.port
            assert bellwire.hook_url("shop") == f"{bellwire.url}/hooks/shop"


async def test_work_that_the_command_line_opens_again_is_taken_up(tmp_path: Path) -> None:
    """A retry written by another process is found by the running one."""
    async with town(tmp_path) as place, up(place) as first:
        chapter = Chapter(Sale("1001", [SaleLine("TEA-500-NEW")]), "")
        assert await first.post(place.paid(chapter)) is not None
        await first.settled()
        assert [v.promise for v in place.verdicts() if not v.held][:1] == ["One invoice for each order"]
        item = place.holdings.books.item_for("TEA-500-NEW")
        for words in (("records", "map", "books", "product", "TEA-500-NEW", item), ("exception", "retry", "1")):
            command = start(*words, "--project", tmp_path, cwd=_folder(tmp_path, words[0]), environ=place.environ)
            assert await ended(command) == 0, (tmp_path / words[0] / "err.txt").read_text()

        async def booked() -> bool:
            return bool(place.holdings.books.booked())

        await until(booked)
        await first.settled()
        assert [verdict for verdict in place.verdicts() if not verdict.held] == []


async def test_in_one_process_too(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        webhook = place.paid(ordinary("1001"))
        async with aiohttp.ClientSession() as session:
            await session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        (run,) = await bellwire.ledger.read(lambda rows: runs.newest(rows, limit=10))
        assert run.state is RunState.DONE
        assert await bellwire.ledger.read(figures.open_exceptions) == 0


@pytest.mark.parametrize(("name", "flow"), [("order to cash", "order_to_cash"), ("ORDER-TO-CASH", "order_to_cash")])
async def test_a_flow_is_found_by_either_name(tmp_path: Path, name: str, flow: str) -> None:
    async with town(tmp_path) as place, opened(place.settings, place.secrets) as project:
        found = project.flow(name)
        assert found is not None and found.id == flow
        assert project.flow("something else") is None


async def test_a_flow_that_is_wrong_keeps_it_from_starting(tmp_path: Path) -> None:
    from bellwire.flows import template

    wrong = template("order_to_cash").replace("event.total", "event.totl")
    async with town(tmp_path, flow=wrong) as place:
        with pytest.raises(ConfigurationError, match="totl"):
            async with running(place.settings, place.secrets):
                pass


async def test_a_data_folder_that_cant_be_had_is_said(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        _replace_by_a_file(place)
        with pytest.raises(ConfigurationError, match="data"):
            async with running(place.settings, place.secrets):
                pass


def _replace_by_a_file(place: Town) -> None:
    data = place.folder / "data"
    data.rename(place.folder / "elsewhere")
    data.write_text("")


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name
