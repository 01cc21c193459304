"""What of bellwire.toml may change while the program runs: read anew when the file is another one, and changed here.

What has mistakes isn't taken over: what the file said before goes on to hold, and people are told why.
"""

import codecs
import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from bellwire.clock import duration
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.files import replace
from bellwire.settings.editing import edited
from bellwire.settings.explain import wrong_fields
from bellwire.settings.load import check_table
from bellwire.settings.model import SETTINGS_FILE, AlertSettings, KeepSettings, SettingsTable
from bellwire.settings.source import Source, parse_toml, read_file

log = structlog.get_logger()


class Part(StrEnum):
    """A table of bellwire.toml that may change while the program runs."""

    KEEP = "keep"
    ALERTS = "alerts"


@dataclass(frozen=True)
class Standing:
    """What the file says just now. `version` tells it from any other text; `lines`: where each setting stands."""

    version: str
    table: SettingsTable = field(repr=False)
    source: Source
    raw: bytes = field(repr=False)

    def line(self, part: Part, name: str) -> int | None:
        """Where a setting stands; None: it isn't written there, and its default holds."""
        return self.source.lines.get((part.value, name))


@dataclass(frozen=True)
class Change:
    """A text of the file in which other values stand. `told` says what changes, for people; empty: nothing does."""

    part: Part
    base: str
    """The version of the text that it was made from."""
    raw: bytes = field(repr=False)
    told: str


class LiveSettings:
    """Of one project. Raises ConfigurationError: to begin with, the file has to be good."""

    def __init__(self, project: Path, environ: Mapping[str, str]) -> None:
        self._path = project / SETTINGS_FILE
        self._environ = environ
        self._stamp = self._look()
        self._table = self.read().table
        self._mistake: ConfigurationError | None = None

    @property
    def keep(self) -> KeepSettings:
        """As it holds now."""
        return self._now().keep

    @property
    def alerts(self) -> AlertSettings:
        """As it holds now."""
        return self._now().alerts

    @property
    def mistake(self) -> ConfigurationError | None:
        """Why what is in the file now isn't what holds; None: it holds."""
        self._now()
        return self._mistake

    def read(self) -> Standing:
        """What is in the file. Raises ConfigurationError for the first thing that is wrong."""
        raw = read_file(self._path)
        source = parse_toml(self._path, raw)
        return Standing(_version(raw), check_table(source, self._environ), source, raw)

    def wrong(self, part: Part, values: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with these values (as the file has them), by name, in words to follow it: `must be 1 or more`.
        Raises ConfigurationError when something is wrong with the file itself."""
        model = KeepSettings if part is Part.KEEP else AlertSettings
        try:
            model.model_validate(_merged(self.read(), part, values)[part.value])
        except ValidationError as error:
            return wrong_fields(error)
        return {}

    def plan(self, part: Part, values: Mapping[str, Any], version: str | None = None) -> Change:
        """What the file has to be for these values to hold, as it has them; None takes one out, so that its default
        holds. With a `version`, only if the file is still that one. Nothing is written.

        Raises BellwireError when a value is wrong or the file is another one, ConfigurationError when the file is wrong
        itself or can't be changed.
        """
        standing = self.read()
        if version is not None and version != standing.version:
            raise _changed_meanwhile()
        try:
            wanted = check_table(
                dataclasses.replace(standing.source, data=_merged(standing, part, values)), self._environ
            )
        except ConfigurationError as error:  # Its line is that of what the file says now, which is right.
            raise BellwireError(error.sentence, remedy=error.remedy) from None
        before, after = getattr(standing.table, part.value), getattr(wanted, part.value)
        differing = [name for name in values if getattr(before, name) != getattr(after, name)]
        text = edited(standing.raw.decode("utf-8-sig"), part.value, {name: values[name] for name in differing})
        mark = codecs.BOM_UTF8 if standing.raw.startswith(codecs.BOM_UTF8) else b""
        told = (f"{name}: {_shown(getattr(before, name))} → {_shown(getattr(after, name))}" for name in differing)
        return Change(part, standing.version, mark + text.encode(), "; ".join(told))

    def write(self, change: Change) -> None:
        """Put it into the file, all of it or nothing; it holds at once. Writing what is there already changes nothing.
        Raises BellwireError when the file was changed since, ConfigurationError when it can't be written."""
        raw = read_file(self._path)
        if raw == change.raw:
            return
        if _version(raw) != change.base:
            raise _changed_meanwhile()
        try:
            replace(self._path.resolve(), change.raw)
        except OSError as error:
            raise ConfigurationError(
                f"The file can't be written: {error.strerror}.",
                path=self._path,
                remedy="Let the user that runs Bellwire write it, and in its folder.",
            ) from error

    def _now(self) -> SettingsTable:
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp, self._mistake = stamp, None
            try:
                self._table = self.read().table
            except ConfigurationError as error:
                self._mistake = error
                log.error("changed settings aren't taken over", reason=str(error))
        return self._table

    def _look(self) -> object:
        """What tells that the file is another one than before."""
        try:
            about = self._path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino


def _version(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


def _merged(standing: Standing, part: Part, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the file would say."""
    data = standing.source.data
    table = {name: value for name, value in (data.get(part.value, {}) | values).items() if value is not None}
    return data | {part.value: table}


def _changed_meanwhile() -> BellwireError:
    return BellwireError(
        f"{SETTINGS_FILE} was changed by somebody else since you began, so nothing was saved.",
        remedy="Look at it as it is now, and change it again.",
    )


def _shown(value: Any) -> str:
    """A setting, for people."""
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple() if value:
            return ", ".join(duration(each) if isinstance(each, timedelta) else str(each) for each in value)
        case None | ():
            return "none"
        case _:
            return str(value)
