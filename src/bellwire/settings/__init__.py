"""Settings: what a project's `bellwire.toml` and `connections.toml` and the environment say.

Whatever is wrong is a ConfigurationError that names file, line, cause and what to write instead.
What may change while the program runs is in `bellwire.settings.live`, apart: it takes longer to load.
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
    StockSettings,
)
from bellwire.settings.quiet import QuietHours
from bellwire.settings.source import Source, read_toml
from bellwire.settings.stock import STOCK_COLUMNS, STOCK_FILE, ReorderPoint, StockFileErrors, read_stock_file
from bellwire.settings.variables import read_variable

__all__ = [
    "CONNECTIONS_FILE",
    "SETTINGS_FILE",
    "STOCK_COLUMNS",
    "STOCK_FILE",
    "TO_FILL_IN",
    "AlertSettings",
    "ConnectionSettings",
    "EngineSettings",
    "HoursSettings",
    "IntakeSettings",
    "KeepSettings",
    "QuietHours",
    "ReorderPoint",
    "Settings",
    "Source",
    "StockFileErrors",
    "StockSettings",
    "explain",
    "load_settings",
    "read_stock_file",
    "read_toml",
    "read_variable",
    "suggestion",
]
