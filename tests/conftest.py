"""What all tests share."""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog

# Nothing of the machine's own set-up may reach a test.
for name in [name for name in os.environ if name.startswith(("BELLWIRE_", "OTEL_"))]:
    del os.environ[name]


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
