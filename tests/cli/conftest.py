"""What the tests of the commands share."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from bellwire.app import running
from bellwire.cli import app
from bellwire.practice import Sale, SaleLine
from bellwire.practice.driving import until_quiet
from bellwire.practice.stories.order_to_cash import Chapter
from tests.forked import Forked
from tests.running import town

ACME = Path(__file__).parent / "acme"
ROOT = Path(__file__).parents[2]
ALL_OF_ACME = [
    *("--shop", "acme_shop", "--books", "acme_books", "--stock", "acme_stock"),
    *("--shipping", "acme_shipping", "--chat", "acme_chat", "--mail", "acme_mail"),
]

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _acme_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ACME)


@pytest.fixture
def bellwire() -> Run:
    """The command in this process."""

    def run(*words: object, stdin: str | None = None, **environ: str) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], input=stdin, env=environ)

    return run


@pytest.fixture
def project(tmp_path: Path, bellwire: Run) -> Path:
    """A new project on Acme's connectors; the name of the store is still to be filled in."""
    made = bellwire("init", tmp_path / "shop", *ALL_OF_ACME)
    assert made.exit_code == 0, made.output
    return tmp_path / "shop"


@pytest.fixture
def filled_in(project: Path) -> Path:
    """The same with the name of the store, and a base_url for the vendor that has no sandbox."""
    path = project / "connections.toml"
    text = (
        path.read_text()
        .replace("<fill in>", "tea")
        .replace('connector = "acme_shipping"', 'connector = "acme_shipping"\nbase_url = "http://127.0.0.1:9"')
    )
    path.write_text(text.replace("Replace each tea", "Replace each …"))
    return project


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A project with a day behind it, and its credentials: order 1001 is done and came three times, 1002 and 1003 have
    a SKU that the books don't know, and nothing listens to the later state of 1001. Not to be changed: see `shop`."""
    folder = tmp_path_factory.mktemp("lived-in")
    return folder, asyncio.run(_live(folder))


async def _live(folder: Path) -> dict[str, str]:
    async with town(folder) as place, running(place.settings, place.secrets) as bellwire:
        letters = [place.paid(Chapter(Sale("1001", [SaleLine("TEA-100", 2)]), ""))] * 2
        letters += [place.again("1001"), place.holdings.shop.webhook(place.placed["1001"], "order.updated")]
        letters += [place.paid(Chapter(Sale(n, [SaleLine("TEA-500-NEW")]), "")) for n in ("1002", "1003")]
        async with aiohttp.ClientSession() as session:
            for letter in letters:
                await session.post(bellwire.hook_url("shop"), data=letter.body, headers=dict(letter.headers))
                await until_quiet(bellwire.ledger, bellwire.engine, 30)
        return place.environ


@pytest.fixture
def shop(lived_in: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy of it to work with; nothing runs there."""
    return Path(shutil.copytree(lived_in[0], tmp_path / "lived-in"))


@pytest.fixture
def at(bellwire: Run, lived_in: tuple[Path, dict[str, str]], shop: Path) -> Run:
    """A command in that copy."""

    def run(*words: object, stdin: str | None = None) -> Result:
        return bellwire(*words, "--project", shop, stdin=stdin, **lived_in[1])

    return run


def spawn(
    *words: object,
    cwd: Path,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    environ: Mapping[str, str] = {},
) -> "subprocess.Popen[str]":
    """The real command in a process of its own."""
    words, environ = ("-m", "bellwire", *words), {**environment(), **environ}
    return Forked(*words, cwd=cwd, environ=environ, stdin=stdin, stdout=stdout, stderr=stderr)


async def outcome(*words: object, cwd: Path, environ: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the real command."""
    process = spawn(*words, cwd=cwd, environ=environ)
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    return process.returncode, out, err


def environment() -> dict[str, str]:
    """Of a process in which Acme is installed."""
    return os.environ | {"PYTHONPATH": f"{ACME}:{ROOT}"}


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "bellwire", *(str(word) for word in words)]
