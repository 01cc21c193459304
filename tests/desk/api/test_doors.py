"""What every operation of the API has in common: bounds, texts that can be kept, and writes that may come twice."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bellwire.access import Right
from bellwire.desk.api.doors import MOST_BYTES
from tests.desk.api.notes import keeping_notes
from tests.desk.callers import api_callers, token
from tests.desk.story import NOW, Place, open_desk


async def notes_in(place: Place) -> list[str]:
    rows = await place.ledger.read(lambda rows: rows.all("SELECT detail FROM audit WHERE what = 'note' ORDER BY id"))
    return [text for (text,) in rows]


@pytest.fixture
async def place(tmp_path: Path, ledger_url: str) -> AsyncIterator[Place]:
    """An API that also keeps notes."""
    async with open_desk(tmp_path, ledger_url=ledger_url) as place, keeping_notes(place) as url:
        place.url = url
        yield place


@pytest.fixture
async def line(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with await a_line(place) as line:
        yield line


async def a_line(place: Place) -> httpx.AsyncClient:
    _, text = await place.ledger.write(lambda rows: token(rows, tuple(Right)))
    return httpx.AsyncClient(base_url=place.url, headers={"Authorization": f"Bearer {text}"}, timeout=30)


def is_a_problem(answer: httpx.Response, status: int) -> bool:
    told = answer.json()
    kind = answer.headers["Content-Type"]
    return (answer.status_code, told["status"], kind) == (status, status, "application/problem+json") and told["title"]


async def test_a_write_with_a_key_is_done_once_however_often_it_comes(place: Place, line: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "one"}
    sent = [line.post("/notes", json={"text": "a"}, headers=headers) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, '{"number":1}')}
    assert await notes_in(place) == ["a"]
    assert is_a_problem(await line.post("/notes", json={"text": "b"}, headers=headers), 409)
    async with await a_line(place) as other:  # A key is its caller's own.
        assert (await other.post("/notes", json={"text": "b"}, headers=headers)).json() == {"number": 2}
    assert (await line.post("/notes", json={"text": "b"})).json() == {"number": 3}
    assert (await line.post("/notes", json={"text": "b"})).json() == {"number": 4}


async def test_a_write_that_goes_beyond_the_ledger_is_done_once_too(place: Place, line: httpx.AsyncClient) -> None:
    async def letters() -> int:
        return len(await place.ledger.read(lambda rows: rows.all("SELECT id FROM audit WHERE what = 'letter'")))

    async def send() -> httpx.Response:
        return await line.post("/letters", json={"text": "wait"}, headers={"Idempotency-Key": "one"})

    first = asyncio.create_task(send())
    deadline = time.monotonic() + 30
    while not await letters():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert is_a_problem(await send(), 409), "it is under way"
    await line.post("/notes", json={"text": "go on"})
    for answer in (await first, await send()):
        assert (answer.status_code, answer.json()) == (201, {"number": 1})
    other = await line.post("/letters", json={"text": "x"}, headers={"Idempotency-Key": "one"})
    assert is_a_problem(other, 409)
    assert await letters() == 1


async def test_after_a_day_a_key_is_as_good_as_new(place: Place, line: httpx.AsyncClient) -> None:
    seen = []
    for passed in (timedelta(), timedelta(hours=23), timedelta(hours=25)):
        place.now = NOW + passed
        await line.post("/notes", json={"text": "z"}, headers={"Idempotency-Key": f"at {passed}"})
        answer = await line.post("/notes", json={"text": "a"}, headers={"Idempotency-Key": "one"})
        seen.append(answer.json()["number"])
    assert seen == [2, 2, 5]


async def test_a_token_reaches_as_far_as_its_rights_and_those_of_whom_it_belongs_to(place: Place) -> None:
    seen = {}
    async with httpx.AsyncClient(base_url=place.url, timeout=30) as line:
        for program in await api_callers(place):
            answer = await line.post("/notes", json={"text": program.name}, headers=program.headers)
            seen[program.name] = answer.status_code
            allowed = program.rights is not None and Right.WORK in program.rights
            assert answer.status_code == (201 if allowed else 401 if program.rights is None else 403), program.name
    assert await notes_in(place) == [name for name, status in seen.items() if status == 201]
    assert (seen["of the operator"], seen["of the viewer"], seen["may see"]) == (201, 403, 403)


async def test_what_failed_may_be_tried_again_with_the_same_key(place: Place, line: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "one"}
    assert is_a_problem(await line.post("/notes", json={"text": "BellwireError"}, headers=headers), 409)
    assert (await line.post("/notes", json={"text": "a"}, headers=headers)).status_code == 201


async def test_failures_are_told_as_problems(line: httpx.AsyncClient) -> None:
    for text, status in (("NotFound", 404), ("BellwireError", 409), ("LedgerBusy", 503), ("fault", 500)):
        answer = await line.post("/notes", json={"text": text})
        assert is_a_problem(answer, status), text
        assert "secret" not in answer.text
        assert ("Retry-After" in answer.headers) is (status == 503)
    for method, path, status in (("GET", "/nope", 404), ("PUT", "/notes", 405), ("HEAD", "/nope", 404)):
        answer = await line.request(method, path)
        assert answer.status_code == status and answer.headers["Content-Type"] == "application/problem+json"
        assert ("Allow" in answer.headers) is (status == 405)


UNKEPT = [
    *(b"", b"nope", b"[]", b"null", b'{"text": 1}', b'{"text": "\\ud800"}', b'{"text": "a\\u0000b"}', b"\xff\xfe"),
    *(b'{"text": "a", "more": {"x": ["\\u0000"]}}', b'{"text": "a", "more": {"\\udfff": 1}}', b'{"text": "a\x00"}'),
    *(b'{"text": NaN}', b"[" * 100_000, b'{"text": "a", "more": {"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}}"),
    b'{"text": ' + b"1" * 5_000 + b"}",
]


async def test_what_cant_be_kept_is_refused(place: Place, line: httpx.AsyncClient) -> None:
    for body in UNKEPT:
        answer = await line.post("/notes", content=body, headers={"Content-Type": "application/json"})
        assert is_a_problem(answer, answer.status_code), body[:50]
        assert answer.status_code in (400, 422), (body[:50], answer.text)
        assert await notes_in(place) == [], body[:50]


async def test_letters_of_all_languages_are_kept(place: Place, line: httpx.AsyncClient) -> None:
    text = "Grüße, お茶 \U0001f375 \\u0000"
    for ascii_only in (True, False):
        body = json.dumps({"text": text}, ensure_ascii=ascii_only).encode()
        answer = await line.post("/notes", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 201, answer.text
    assert await notes_in(place) == [text, text]


async def test_addresses_with_a_nul_lead_nowhere(line: httpx.AsyncClient) -> None:
    for path in ("/notes/%00", "/me?x=%00"):
        assert is_a_problem(await line.get(path), 404)


async def test_a_body_beyond_the_bound_is_refused_however_it_comes(place: Place, line: httpx.AsyncClient) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        yield b'{"text": "'
        for _ in range(MOST_BYTES // 65_536 + 1):
            yield b"x" * 65_536
        yield b'"}'

    kind = {"Content-Type": "application/json"}
    for body in (in_pieces(), json.dumps({"text": "x" * MOST_BYTES}).encode()):
        assert is_a_problem(await line.post("/notes", content=body, headers=kind), 413)
    most = json.dumps({"text": "x" * (MOST_BYTES - 100)}).encode()
    assert (await line.post("/notes", content=most, headers=kind)).status_code == 201
    assert len(await notes_in(place)) == 1


async def begun(place: Place, authorization: str) -> bytes:
    """The status line that answers a request whose body never ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(place.url).port)
    head = ("POST /api/v1/notes HTTP/1.1", "Host: localhost", f"Authorization: {authorization}", "Content-Length: 100")
    writer.write("\r\n".join([*head, "", '{"text": ']).encode())
    try:
        return await asyncio.wait_for(reader.readline(), 30)
    finally:
        writer.close()


async def test_a_body_that_comes_too_slowly_is_cut_off(
    place: Place, line: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.desk.api.doors._SECONDS", 0.05)
    assert b" 408 " in await begun(place, line.headers["Authorization"])


async def test_nothing_is_read_of_whoever_has_no_token(place: Place) -> None:
    assert b" 401 " in await begun(place, "Bearer bw_nope")
    async with httpx.AsyncClient(base_url=place.url, timeout=30) as nobody:
        assert is_a_problem(await nobody.post("/notes", content=b"nonsense"), 401)
        assert is_a_problem(await nobody.get("/nope"), 401)
        assert (await nobody.get("/openapi.json")).status_code == 200
        assert is_a_problem(await nobody.post("/openapi.json"), 405)


@pytest.mark.parametrize("key", ["x" * 201, "x" * 200])
async def test_a_key_has_a_longest_length(line: httpx.AsyncClient, key: str) -> None:
    answer = await line.post("/notes", json={"text": "a"}, headers={"Idempotency-Key": key})
    assert answer.status_code == (422 if len(key) > 200 else 201)
