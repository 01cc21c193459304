"""A settings file that was read, and where its parts stand."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bellwire.errors import ConfigurationError
from bellwire.settings.lines import Place, find_lines, nearest_line


@dataclass(frozen=True)
class Source:
    """A TOML file. Kept beside what was read from it, so that later findings still know their line."""

    path: Path
    data: dict[str, Any] = field(repr=False)
    lines: dict[Place, int] = field(repr=False)

    def error(self, sentence: str, place: Place = (), *, remedy: str = "") -> ConfigurationError:
        """Something is wrong at `place` (or, when it is missing, with what is around it)."""
        return ConfigurationError(sentence, path=self.path, line=nearest_line(self.lines, place), remedy=remedy)


def read_toml(path: Path) -> Source:
    """Read a file. Raises ConfigurationError with the line when it isn't UTF-8 or isn't TOML."""
    return parse_toml(path, read_file(path))


def read_file(path: Path) -> bytes:
    """Raises ConfigurationError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The file can't be read: {error.strerror}.", path=path) from None


def parse_toml(path: Path, raw: bytes) -> Source:
    """What a file says. Raises ConfigurationError as `read_toml` does."""
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            "The file isn't plain text in UTF-8.", path=path, line=line, remedy="Save it again with encoding UTF-8."
        ) from None
    try:
        return Source(path, tomllib.loads(text), find_lines(text))
    except RecursionError:
        raise ConfigurationError("The brackets are nested too deeply.", path=path, line=1) from None
    except ValueError as error:
        sentence, line = _reason(str(error), text)
        raise ConfigurationError(
            f"This can't be read: {sentence}.",
            path=path,
            line=line,
            remedy='A setting is written as: name = "value".',
        ) from None


def _reason(message: str, text: str) -> tuple[str, int]:
    """The standard reader's message without its position, and the line."""
    match = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(match[1]) if match else text.rstrip("\n").count("\n") + 1
    sentence = re.sub(r" \(at [^()]*\)$", "", message)
    if sentence == r"Illegal character '\n'":
        return "a quotation mark is opened but never closed", line
    return sentence[:1].lower() + sentence[1:], line
