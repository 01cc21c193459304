"""The API does what its own description says: schemathesis makes requests of all kinds from it, good and bad ones."""

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI

from bellwire.access import Right
from bellwire.ledger import Rows
from tests.desk.api.notes import keeping_notes
from tests.desk.callers import token
from tests.desk.story import a_day, open_desk, settings_in
from tests.running import until

OWN_TOKEN = 987_654_321
"""Its number: none that requests come upon, as they revoke tokens, too."""
EXAMPLES = 4
"""Of each operation and kind, beside those that its bounds give."""


def _token(rows: Rows) -> str:
    number, text = token(rows, tuple(Right))
    rows.run("UPDATE tokens SET id = :own WHERE id = :id", {"own": OWN_TOKEN, "id": number})
    return text


@pytest.mark.parametrize("notes", [False, True], ids=["of_the_desk", "with_notes"])
async def test_every_operation_answers_as_the_description_says(tmp_path: Path, notes: bool) -> None:
    async with open_desk(tmp_path, settings=settings_in(tmp_path)) as place, keeping_notes(place) as with_notes:
        url = f"{with_notes if notes else f'{place.url}/api/v1'}/openapi.json"
        await place.ledger.write(a_day)
        text = await place.ledger.write(_token)
        # It is made when it is first asked for, and schemathesis waits for ten seconds: not enough on a busy machine.
        async with aiohttp.ClientSession() as session, session.get(url) as described:
            assert described.status == 200
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", url),
            *("--header", f"Authorization: Bearer {text}", "--checks", "all", "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(EXAMPLES), "--generation-deterministic", "--seed", "1", "--no-color"),
            *("--request-timeout", "30", "--max-response-time", "30", "--workers", "1"),
            # The others are those of the desk.
            *(("--include-path-regex", "^/(notes|letters)$") if notes else ()),
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "140"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        assert " passed" in told.decode()


async def test_the_description_is_made_once_while_all_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, go_on = list[int](), threading.Event()

    def making(app: FastAPI) -> dict[str, Any]:
        made.append(1)
        assert go_on.wait(30)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(FastAPI, "openapi", making)
    async with open_desk(tmp_path) as place, aiohttp.ClientSession(f"{place.url}/") as session:
        asked = [asyncio.ensure_future(session.get("api/v1/openapi.json")) for _ in range(2)]
        await until(lambda: asyncio.sleep(0, bool(made)))
        assert (await session.get("api/v1/me")).status == 401
        go_on.set()
        assert [await (await each).json() for each in asked] == [{"openapi": "3.1.0"}] * 2
        assert len(made) == 1


async def test_every_operation_says_what_it_does_and_what_can_go_wrong(tmp_path: Path) -> None:
    async with (
        open_desk(tmp_path) as place,
        aiohttp.ClientSession() as session,
        session.get(f"{place.url}/api/v1/openapi.json") as got,
    ):
        described = await got.json()
    tags, wrong = {tag["name"] for tag in described["tags"] if tag["description"]}, []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            summary, problems = operation["summary"], [each for each in operation["responses"] if each >= "400"]
            well = summary.endswith(".") and len(summary) > 10 and set(operation["tags"]) <= tags
            for status in problems:
                answer = operation["responses"][status]
                example = answer["content"]["application/problem+json"]["example"]
                well &= bool(answer["description"]) and example["status"] == int(status) and bool(example["title"])
            if not well or len(problems) < 8:
                wrong.append(f"{method} {path}: {summary}")
    assert wrong == []
    assert len(described["paths"]) > 60
