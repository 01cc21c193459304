"""What the program says about itself while it runs: to standard error, readable at a terminal, JSON elsewhere."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from bellwire.errors import ConfigurationError

_LEVELS = ("debug", "info", "warning", "error")


class _Forgiving:
    """A stream whose words may be lost: a log on a full disk must not stop the work that it tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def set_up(level: str) -> None:
    """Log what is at least as grave as `level`. Raises ConfigurationError when it isn't one of _LEVELS."""
    if level.lower() not in _LEVELS:
        wanted = ", ".join(_LEVELS[:-1])
        raise ConfigurationError(
            f"BELLWIRE_LOG_LEVEL must be {wanted} or {_LEVELS[-1]}.", remedy="Correct the variable, or unset it."
        )
    number = logging.getLevelNamesMapping()[level.upper()]
    at_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if at_terminal else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if at_terminal
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(cast("TextIO", _Forgiving(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
