"""What all tests share."""

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import Any

import hypothesis
import jinja2
import pytest
import structlog
import typer.testing
import uvloop

from tests.ledgers import POSTGRES, SQLITE, Ledgers

pytest_plugins = ["tests.side_by_side"]

# Nothing of the machine's own set-up may reach a test.
for name in [name for name in os.environ if name.startswith(("BELLWIRE_", "OTEL_"))]:
    del os.environ[name]

# What is loaded and collected stays to the end: to look for garbage among it, again and again, takes seconds.
gc.disable()


# How long an example takes says nothing on a machine that has other work.
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")


def _make_templates_ready_once() -> None:
    """Each desk has templates of its own, which are the same for all: to make those of a page ready takes longer than
    most tests."""
    compile_, kept = jinja2.Environment.compile, dict[Any, Any]()

    @wraps(compile_)
    def once(environment: jinja2.Environment, source: Any, *about: Any, **options: Any) -> Any:
        if not isinstance(source, str):  # a part of one
            return compile_(environment, source, *about, **options)
        made_for = (environment.autoescape, environment.trim_blocks, environment.sandboxed, environment.undefined)
        key = (*made_for, source, about, *options.items())
        if key not in kept:
            kept[key] = compile_(environment, source, *about, **options)
        return kept[key]

    setattr(jinja2.Environment, "compile", once)  # noqa: B010 - mypy takes no other way


_make_templates_ready_once()


# What commands take is read from their functions, of all of them at each call: that takes longer than many of them.
setattr(typer.testing, "_get_command", cache(typer.main.get_command))  # noqa: B010 - mypy takes no other way


def _log_plainly() -> None:
    """As the program does: with all local variables in it, a traceback takes seconds to write."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """Commands set logging up for the whole process, on a standard error that ends with their test."""
    _log_plainly()
    yield
    for handler in logging.root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.root.removeHandler(handler)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is tested on a ledger is tested on both kinds, unless it is about the file that one of them is."""
    if "ledger_url" in metafunc.fixturenames:
        about_the_file = "path" in metafunc.fixturenames or metafunc.definition.get_closest_marker("sqlite")
        metafunc.parametrize("ledger_kind", [SQLITE] if about_the_file else [SQLITE, POSTGRES])


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the program runs in."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledgers]:
    made = Ledgers(tmp_path_factory.mktemp("blank"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _taken_back(ledgers: Ledgers) -> Iterator[None]:
    """The first to be made and the last to end."""
    yield
    ledgers.take_back()


@pytest.fixture
def blank(ledgers: Ledgers) -> Path:
    """An empty SQLite ledger with the newest schema, to be copied."""
    return ledgers.blank


@pytest.fixture
def ledger_url(ledgers: Ledgers, ledger_kind: str, tmp_path: Path) -> str:
    """The address of an empty ledger of either kind."""
    return f"sqlite:///{ledgers.sqlite(tmp_path)}" if ledger_kind == SQLITE else ledgers.postgres()
