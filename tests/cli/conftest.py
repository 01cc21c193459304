"""What the tests of the commands share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bellwire.cli import app

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


def spawn(
    *words: object, cwd: Path, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE, **environ: str
) -> "subprocess.Popen[str]":
    """The real command in a process of its own."""
    return subprocess.Popen(
        command(*words),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment() | environ,
    )


def environment() -> dict[str, str]:
    """Of a process in which Acme is installed."""
    return os.environ | {"PYTHONPATH": f"{ACME}:{ROOT}"}


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "bellwire", *(str(word) for word in words)]
