"""Whoever takes turns waits for the other, but neither blocks the loop nor waits for ever."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bellwire.files import taking_turns

HOLDER = """
import asyncio, sys
from pathlib import Path
from bellwire.files import taking_turns
async def hold():
    async with taking_turns(Path(sys.argv[1]), 60):
        print("held", flush=True)
        await asyncio.Event().wait()
asyncio.run(hold())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.json.books.lock"


async def test_the_second_has_its_turn_after_the_first(path: Path) -> None:
    async def take() -> None:
        async with taking_turns(path, 60):
            entered.set()

    entered = asyncio.Event()
    async with taking_turns(path, 60):
        second = asyncio.create_task(take())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(entered.wait(), 0.1)
    await asyncio.wait_for(second, 30)


async def test_another_connection_isnt_waited_for(path: Path) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        for place in (path, path.with_name("vault.json.shop.lock")):
            await stack.enter_async_context(taking_turns(place, 60))


async def test_one_that_holds_it_for_too_long_is_passed_by(path: Path) -> None:
    async with asyncio.timeout(30), taking_turns(path, 60), taking_turns(path, 0.05):
        pass


async def test_who_gives_up_waiting_leaves_no_lock(path: Path) -> None:
    async def take() -> None:
        async with taking_turns(path, 60):
            raise AssertionError

    async with taking_turns(path, 60):
        waiting = asyncio.create_task(take())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(30), taking_turns(path, 60):
        pass


async def test_a_process_that_dies_lets_it_go(path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, str(path), stdout=subprocess.PIPE)
    assert holder.stdout is not None and await holder.stdout.readline() == b"held\n"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), taking_turns(path, 60):
            pass
    holder.kill()
    await holder.wait()
    async with asyncio.timeout(30), taking_turns(path, 60):
        pass
