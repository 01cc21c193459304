"""`bellwire up` as a process of its own: it is alone on its project, and ends gently."""

import asyncio
from pathlib import Path

import pytest

from bellwire.ledger import figures
from bellwire.practice import Fault, FaultKind, Sale, SaleLine
from bellwire.practice.stories.order_to_cash import Chapter
from tests.ledgers import Ledgers, change
from tests.running import ended, ordinary, start, town, until, up


@pytest.fixture(autouse=True)
def _acme_is_installed() -> None:
    """It isn't, here: practice servers are there for the real connectors only."""


@pytest.fixture
def url(ledgers: Ledgers) -> str:
    """Of an empty ledger on PostgreSQL."""
    return ledgers.postgres()


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
        said = (tmp_path / "run" / "err.txt").read_text()
        assert f"can't listen on 127.0.0.1:{place.port}" in said and "Is another Bellwire running?" in said


async def test_an_address_of_another_machine_is_said(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        elsewhere = place.environ | {"BELLWIRE_HOST": "192.0.2.1"}  # reserved for examples, so nobody has it
        process = start("up", "--project", tmp_path, cwd=_folder(tmp_path, "run"), environ=elsewhere)
        assert await ended(process) == 2
        said = (tmp_path / "run" / "err.txt").read_text()
        assert "can't listen on 192.0.2.1" in said and "Set `host`" in said and "another" not in said


async def test_it_says_which_credential_is_missing_and_how_to_set_it(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.secrets = {name: value for name, value in place.secrets.items() if name != "BELLWIRE_CHAT_ACCESS_TOKEN"}
        async with up(place) as first:
            assert "'chat' has no access_token. `bellwire secrets set chat access_token` takes it; " in first.output
            assert "BELLWIRE_CHAT_ACCESS_TOKEN" in first.output


async def test_it_says_where_it_is_and_where_webhooks_go(tmp_path: Path) -> None:
    async with town(tmp_path) as place, up(place) as first:
        assert f"Desk:     {place.url}/\n" in first.output
        assert f"Webhooks: {place.url}/hooks/shop\n" in first.output


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


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


@pytest.mark.parametrize("words", [("worker",), ("up", "--no-engine")], ids=" ".join)
async def test_a_ledger_that_is_a_file_takes_no_second_process(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with town(tmp_path) as place:
        (tmp_path / "data" / "ledger.db").unlink()
        process = start(*words, "--project", tmp_path, cwd=_folder(tmp_path, "run"), environ=place.environ)
        assert await ended(process) == 2
        said = (tmp_path / "run" / "err.txt").read_text()
        assert said.startswith("The ledger is a file, which one process has to itself")
        assert "bellwire migrate --to postgresql://" in said and "Traceback" not in said
        assert not (tmp_path / "data" / "ledger.db").exists()


async def test_intake_and_workers_share_the_work_on_postgresql(tmp_path: Path, url: str) -> None:
    async with town(tmp_path) as place:
        place.ledger_url = url
        async with up(place, "--no-engine") as intake:
            assert "Flows are run by other processes: `bellwire worker`." in intake.output
            assert await intake.post(place.paid(ordinary("1001"))) is not None
            assert place.look(figures.unfinished) == 1
            folder = _folder(tmp_path, "worker")
            worker = start("worker", "--project", tmp_path, cwd=folder, environ=place.environ)
            try:
                await intake.settled()
            finally:
                worker.terminate()
                assert await ended(worker) == 0
            said = (folder / "out.txt").read_text()
            assert "Ready." in said and "Desk:" not in said and "Webhooks:" not in said
        assert [verdict for verdict in place.verdicts() if not verdict.held] == []


async def test_a_process_that_is_too_old_for_the_ledger_ends_and_says_so(tmp_path: Path, url: str) -> None:
    async with town(tmp_path) as place:
        place.ledger_url = url
        async with up(place) as running:
            change(place.ledger_url, "UPDATE alembic_version SET version_num = '9999'")
            assert await ended(running.process) == 1
            assert "A newer Bellwire has changed the ledger" in running.errors and "Update this one" in running.errors
