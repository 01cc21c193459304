"""What a page tells of the settings file that its settings stand in."""

from dataclasses import dataclass
from typing import Self

from bellwire.desk.site import Site
from bellwire.errors import ConfigurationError
from bellwire.settings import SETTINGS_FILE
from bellwire.settings.live import Part, Standing


@dataclass(frozen=True)
class Filed:
    """`wrong`: why the file isn't taken over as it is now, and can't be changed from here."""

    part: Part
    standing: Standing | None = None
    wrong: str = ""

    @classmethod
    def of(cls, site: Site, part: Part) -> Self:
        try:
            return cls(part, site.live.read() if site.live else None)
        except ConfigurationError as error:
            return cls(part, wrong=f"{error.sentence} {error.remedy}".rstrip() + f" ({_place(error)})")

    @property
    def version(self) -> str:
        """What a form carries, so that nobody's change is overwritten; empty: there is nothing to change here."""
        return self.standing.version if self.standing else ""

    def written(self, name: str) -> str:
        """`bellwire.toml, line 12`; empty when it isn't written there, and its default holds."""
        line = self.standing.line(self.part, name) if self.standing else None
        return f"{SETTINGS_FILE}, line {line}" if line else ""


def _place(error: ConfigurationError) -> str:
    return f"{SETTINGS_FILE}, line {error.line}" if error.line else SETTINGS_FILE
