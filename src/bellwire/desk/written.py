"""Where a setting stands in the project's file."""

from bellwire.settings import SETTINGS_FILE, Settings


def written(settings: Settings | None, table: str, key: str) -> str:
    """`bellwire.toml, line 12`; empty when it isn't written there, and its default holds."""
    line = settings.source.lines.get((table, key)) if settings else None
    return f"{SETTINGS_FILE}, line {line}" if line else ""
