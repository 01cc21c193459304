"""One line of what was found: by `bellwire check`, by `bellwire connect`, by a button of the desk."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bellwire.errors import BellwireError, ConfigurationError, VendorError


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One line of the list. `about` is a connection, a flow, or a part of the project."""

    level: Level
    about: str
    sentence: str
    remedy: str = ""
    path: Path | None = None
    line: int | None = None


def failed(about: str, error: BellwireError) -> Finding:
    """What an error says, as a finding."""
    path, line = (error.path, error.line) if isinstance(error, ConfigurationError) else (None, None)
    detail = f" [{error.detail}]" if isinstance(error, VendorError) and error.detail else ""
    return Finding(Level.ERROR, about, error.sentence + detail, error.remedy, path, line)
