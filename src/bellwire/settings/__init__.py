"""Settings: what a project's `bellwire.toml` and `connections.toml` and the environment say.

Whatever is wrong is a ConfigurationError that names file, line, cause and what to write instead.
"""

from bellwire.settings.explain import explain, suggestion
from bellwire.settings.load import load_settings
from bellwire.settings.model import (
    CONNECTIONS_FILE,
    SETTINGS_FILE,
    TO_FILL_IN,
    AlertSettings,
    ConnectionSettings,
    EngineSettings,
    HoursSettings,
    IntakeSettings,
    KeepSettings,
    Settings,
)
from bellwire.settings.quiet import QuietHours
from bellwire.settings.source import Source, read_toml
from bellwire.settings.variables import read_variable

__all__ = [
    "CONNECTIONS_FILE",
    "SETTINGS_FILE",
    "TO_FILL_IN",
    "AlertSettings",
    "ConnectionSettings",
    "EngineSettings",
    "HoursSettings",
    "IntakeSettings",
    "KeepSettings",
    "QuietHours",
    "Settings",
    "Source",
    "explain",
    "load_settings",
    "read_toml",
    "read_variable",
    "suggestion",
]
