"""What a sender may cost: sizes, times, and a ledger that can take no more."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.responses import PlainTextResponse

from bellwire.intake import Limits, line, serve
from tests.intake.conftest import Answer, Intake, Letter
from tests.ledgers import sqlite_of

Make = Callable[..., Intake]
END = b"\r\n\r\n"


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """One answer from the wire."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    status, headers = read_head(head)
    return Answer(status, headers, await reader.readexactly(int(headers["content-length"])))


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    status, *lines = head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers


def on_the_wire(letter: Letter, more: bytes = b"") -> bytes:
    """The request that carries a letter; `more` are headers of the connection."""
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in letter.headers.items())
    length = b"Content-Length: %d\r\n" % len(letter.body)
    return b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\n" + more + head + length + b"\r\n" + letter.body


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the server closes the connection, saying nothing (more)."""
    try:
        return await asyncio.wait_for(reader.read(), 30) == b""
    except ConnectionError:
        return True


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(30):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.005)


async def test_a_body_that_says_it_is_too_large_is_refused_unread(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        writer.write(b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n")
        answer = await read_answer(reader)
        assert (answer.status, answer.error) == (413, "too-large")
        assert "10,000 bytes" in answer.json["message"]


async def test_fifty_megabytes_that_dont_say_their_length_are_cut_off(narrow: Make) -> None:
    passed = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal passed
        for _ in range(800):
            passed += 65_536
            yield b" " * 65_536

    async with narrow().open() as intake:
        answer = await intake.ask("/hooks/standard", "POST", {}, endless())
        assert (answer.status, answer.error) == (413, "too-large")
        assert await intake.stored() == []
        assert await intake.refused() == {("standard", "too-large"): 1}
        assert (await intake.send("standard", intake.senders["standard"].order())).status == 200


async def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(narrow: Make) -> None:
    start = b'{"type": "order.paid", "data": {"id": 1}}'
    async with narrow().open() as intake:
        for length, status in ((10_000, 200), (10_001, 413)):
            letter = intake.senders["standard"].signed(start.ljust(length), f"of-{length}")
            assert (await intake.send("standard", letter)).status == status


@pytest.mark.parametrize("sent", [b"", b'{"type":'], ids=["none of it", "a part"])
async def test_a_body_that_doesnt_come_in_time_is_refused_and_the_line_closed(narrow: Make, sent: bytes) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        with intake.hurried():
            writer.write(b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + sent)
            answer = await read_answer(reader)
        assert (answer.status, answer.error) == (408, "too-slow")
        assert await ended(reader)
        assert await intake.refused() == {("standard", "too-slow"): 1}


async def test_a_body_that_trickles_is_refused(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):

        async def trickle() -> None:
            while True:
                writer.write(b"1\r\n \r\n")
                await asyncio.sleep(0.02)

        with intake.hurried():
            writer.write(b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            trickling = asyncio.create_task(trickle())
            # In one go: what trickles on after the line was closed has it reset, and then nothing more can be read.
            head, _, body = (await asyncio.wait_for(reader.read(65_536), 30)).partition(END)
        trickling.cancel()
        answer = Answer(*read_head(head), body)
        assert (answer.status, answer.error) == (408, "too-slow")


async def test_a_sender_that_goes_away_leaves_nothing_but_a_count(narrow: Make) -> None:
    async with narrow().open() as intake:
        async with intake.wire() as (_, writer):
            writer.write(b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            await writer.drain()
        await until(intake.refused)
        assert await intake.refused() == {("standard", "disconnected"): 1}
        assert await intake.stored() == []


async def test_large_headers_are_refused(narrow: Make) -> None:
    async with narrow().open() as intake:
        letter = intake.senders["standard"].order().but({"X-Long": "x" * 5_000})
        answer = await intake.send("standard", letter)
        assert (answer.status, answer.error) == (431, "headers-too-large")
        assert await intake.refused() == {("standard", "headers-too-large"): 1}


async def test_endless_headers_are_cut_off(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        writer.write(b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\n")
        gone = asyncio.create_task(ended(reader))
        sent = 0
        while not gone.done() and not writer.is_closing() and sent < 10_000_000:
            writer.write(b"X-More: " + b"x" * 1_000 + b"\r\n")
            sent += 1_010
            await asyncio.sleep(0)
        assert await gone
        assert (await intake.ask("/healthz")).status == 200


async def test_headers_that_trickle_are_cut_off(narrow: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_HEAD_SECONDS", 0.2)
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        writer.write(b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        gone = asyncio.create_task(ended(reader))
        while not gone.done() and not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)
        assert await gone


async def test_the_second_request_on_a_line_has_its_time_too(narrow: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_HEAD_SECONDS", 0.2)
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await read_answer(reader)).status == 200
        writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        assert await ended(reader)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"POST /hooks/standard HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
    ids=["TLS", "negative length", "endless length", "two lengths", "smuggling"],
)
async def test_what_isnt_http_is_answered_with_400_and_the_intake_goes_on(narrow: Make, request_: bytes) -> None:
    async with narrow().open() as intake:
        async with intake.wire() as (reader, writer):
            writer.write(request_)
            assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 400 ")
        assert await intake.stored() == []
        assert (await intake.send("standard", intake.senders["standard"].order())).status == 200


async def test_a_full_ledger_asks_to_come_back_and_takes_it_then(narrow: Make) -> None:
    async with narrow(max_waiting=0).open() as intake:
        letter = intake.senders["standard"].order()
        answer = await intake.send("standard", letter)
        assert (answer.status, answer.error) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
        intake.ledger._max_waiting = 10
        assert (await intake.send("standard", letter)).json == {"delivery": 1, "duplicate": False}


@pytest.mark.parametrize("broken", ["PRAGMA query_only = ON", "PRAGMA max_page_count = 1"], ids=["read-only", "full"])
async def test_nothing_is_acknowledged_that_cant_be_written(narrow: Make, broken: str) -> None:
    async with narrow().open() as intake:
        sqlite_of(intake.ledger)._connection.execute(broken)
        big = intake.senders["standard"].signed({"type": "order.paid", "data": {"id": 1, "note": "x" * 9_000}})
        answer = await intake.send("standard", big)
        assert (answer.status, answer.error) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
        assert not await intake.stored() and not intake.arrived
        sqlite_of(intake.ledger)._connection.executescript("PRAGMA query_only = OFF; PRAGMA max_page_count = 1000000")
        assert (await intake.send("standard", big)).status == 200


async def test_a_damaged_ledger_asks_to_come_back(narrow: Make) -> None:
    async with narrow().open() as intake:
        sqlite_of(intake.ledger)._connection.execute("PRAGMA writable_schema = ON")
        sqlite_of(intake.ledger)._connection.execute(
            "UPDATE sqlite_master SET sql = 'nonsense' WHERE name = 'payloads'"
        )
        sqlite_of(intake.ledger)._connection.execute("PRAGMA writable_schema = RESET")
        answer = await intake.send("standard", intake.senders["standard"].order())
        assert (answer.status, answer.error) == (503, "overloaded")


async def test_while_another_process_holds_the_ledger_nothing_is_acknowledged(narrow: Make) -> None:
    async with narrow().open() as intake:
        other = sqlite3.connect(intake.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        letter = intake.senders["standard"].order()
        with intake.hurried():
            answer = await intake.send("standard", letter)
            assert (answer.status, answer.error) == (503, "overloaded")
            assert (await intake.send("standard", letter)).status == 503
        other.execute("ROLLBACK")
        assert (await intake.send("standard", letter)).status == 200
        (row,) = await intake.stored()
        assert row.delivery_id == "1001"


async def test_the_answer_waits_for_the_commit(narrow: Make) -> None:
    """The answer isn't there while the commit isn't, and once it is there another program sees the delivery."""
    async with narrow().open() as intake:
        other = sqlite3.connect(intake.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        sending = asyncio.create_task(intake.send("standard", intake.senders["standard"].order()))
        await until(_true_if(lambda: intake.ledger.waiting == 0))
        assert not sending.done() and intake.arrived == []
        other.execute("ROLLBACK")
        assert (await sending).status == 200
        assert other.execute("SELECT COUNT(*) FROM deliveries").fetchone() == (1,)


async def test_on_a_slow_disk_the_sender_is_asked_to_come_back_and_what_it_sent_counts_once(narrow: Make) -> None:
    async with narrow().open() as intake:
        reached, go_on = threading.Event(), threading.Event()

        def slow(sql: str) -> None:
            if sql == "COMMIT":
                reached.set()
                go_on.wait(20)

        sqlite_of(intake.ledger)._connection.set_trace_callback(slow)
        letter = intake.senders["standard"].order()
        with intake.hurried():
            answer = await intake.send("standard", letter)
        assert (answer.status, answer.error) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
        assert reached.is_set() and intake.arrived == []
        go_on.set()
        await until(_true_if(lambda: len(intake.arrived) == 1))
        assert (await intake.send("standard", letter)).json == {"delivery": 1, "duplicate": True}
        (row,) = await intake.stored()
        assert row.copies == 2 and len(intake.arrived) == 1


async def test_a_transaction_that_a_failure_left_open_holds_nobody_up_for_good(narrow: Make) -> None:
    async with narrow().open() as intake:
        sqlite_of(intake.ledger)._connection.execute("BEGIN IMMEDIATE")
        letter = intake.senders["standard"].order()
        assert [(await intake.send("standard", letter)).status for _ in range(2)] == [503, 200]


async def test_ready_means_that_something_was_written(narrow: Make) -> None:
    """A row that stays as it is would be left alone, and a disk that takes nothing wouldn't be noticed."""
    async with narrow().open() as intake:
        for _ in range(3):
            before = sqlite_of(intake.ledger).path.with_name("ledger.db-wal").stat().st_mtime_ns
            assert (await intake.ask("/readyz")).status == 200
            assert sqlite_of(intake.ledger).path.with_name("ledger.db-wal").stat().st_mtime_ns > before


def _true_if(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return condition()

    return holds


async def test_alive_is_alive_and_ready_is_ready(narrow: Make) -> None:
    async with narrow().open() as intake:
        assert (await intake.ask("/healthz")).json == {"status": "ok"}
        answer = await intake.ask("/readyz")
        assert (answer.status, answer.json) == (200, {"status": "ready"})
        assert await intake.refused() == {}


async def test_it_isnt_ready_while_the_ledger_cant_be_written(narrow: Make) -> None:
    async with narrow().open() as intake:
        sqlite_of(intake.ledger)._connection.execute("PRAGMA query_only = ON")
        answer = await intake.ask("/readyz")
        assert (answer.status, answer.json["status"]) == (503, "not ready")
        assert "can't be written" in answer.json["reason"]
        assert (await intake.ask("/healthz")).status == 200


async def test_it_isnt_ready_while_another_process_holds_the_ledger(
    narrow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.intake.health._PATIENCE", 0.1)
    async with narrow().open() as intake:
        other = sqlite3.connect(intake.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = await intake.ask("/readyz")
        assert (answer.status, answer.json["reason"]) == (503, "The ledger doesn't answer.")
        other.close()
        assert (await intake.ask("/readyz")).status == 200


async def test_it_isnt_ready_on_a_full_disk(narrow: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.intake.health._FLOOR", 1 << 62)
    async with narrow().open() as intake:
        answer = await intake.ask("/readyz")
        assert answer.status == 503 and "The disk has only" in answer.json["reason"]


async def test_a_line_is_used_again_and_again(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        for number in range(3):
            writer.write(on_the_wire(intake.senders["standard"].order(f"order-{number}")))
            answer = await read_answer(reader)
            assert (answer.status, answer.json["duplicate"]) == (200, False)
            assert answer.headers["date"].endswith("GMT")


async def test_a_body_may_come_in_pieces_of_any_size(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        for byte in on_the_wire(intake.senders["standard"].order()):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await read_answer(reader)).status == 200
        assert (await intake.payload())[1] == intake.senders["standard"].order().body


async def test_a_sender_that_asks_first_is_told_to_go_on(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        head, _, body = on_the_wire(intake.senders["standard"].order(), b"Expect: 100-continue\r\n").partition(END)
        writer.write(head + END)
        assert await asyncio.wait_for(reader.readuntil(END), 30) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await read_answer(reader)).status == 200


@pytest.mark.parametrize("asks", [b"Connection: close\r\n", b""], ids=["HTTP/1.1", "HTTP/1.0"])
async def test_a_sender_that_wants_the_line_closed_gets_it_closed(narrow: Make, asks: bytes) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        request = on_the_wire(intake.senders["standard"].order(), asks)
        writer.write(request if asks else request.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        answer = await read_answer(reader)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await ended(reader)


async def test_the_address_may_be_written_in_full(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        request = on_the_wire(intake.senders["standard"].order())
        writer.write(request.replace(b"POST /hooks", b"POST http://127.0.0.1/hooks", 1))
        assert (await read_answer(reader)).status == 200


@pytest.mark.parametrize("first", ["a webhook", "a page"])
async def test_who_doesnt_wait_for_the_answer_is_answered_once_and_cut_off(narrow: Make, first: str) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        page = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        webhook = on_the_wire(intake.senders["standard"].order())
        writer.write((webhook if first == "a webhook" else page) + webhook)
        assert (await read_answer(reader)).status == 200
        assert await ended(reader)
        assert len(await intake.stored()) == (first == "a webhook")


async def test_an_idle_line_is_closed(narrow: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_IDLE_SECONDS", 0.2)
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        writer.write(on_the_wire(intake.senders["standard"].order()))
        assert (await read_answer(reader)).status == 200
        assert await ended(reader)


async def test_after_a_refusal_the_rest_of_the_body_is_waited_for_and_the_line_goes_on(narrow: Make) -> None:
    async with narrow().open() as intake, intake.wire() as (reader, writer):
        letter = intake.senders["standard"].order()
        writer.write(on_the_wire(letter).replace(b"/hooks/standard", b"/hooks/nobody", 1))
        assert (await read_answer(reader)).status == 404
        writer.write(on_the_wire(letter))
        assert (await read_answer(reader)).status == 200
        assert len(await intake.stored()) == 1


async def test_stopping_waits_for_the_webhook_that_is_coming_in(narrow: Make) -> None:
    async with narrow(limits=Limits(seconds=5)).open() as intake:
        serving = serve(PlainTextResponse(), "127.0.0.1", 0, hooks=intake.hooks)
        intake.port = await serving.__aenter__()
        other = sqlite3.connect(intake.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        async with intake.wire() as (reader, writer):
            head, _, body = on_the_wire(intake.senders["standard"].order(), b"Expect: 100-continue\r\n").partition(END)
            writer.write(head + END)
            await asyncio.wait_for(reader.readuntil(END), 30)
            stopping = asyncio.create_task(serving.__aexit__(None, None, None))
            await until(intake.turns_away)
            writer.write(body)
            other.execute("ROLLBACK")
            answer = await read_answer(reader)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await ended(reader)
        await stopping
