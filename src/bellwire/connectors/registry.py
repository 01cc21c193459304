"""Finds connectors: the folders beside this file, and packages with a `bellwire.connectors` entry point."""

import difflib
import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

import bellwire.connectors
from bellwire.connectors.kit import Connector
from bellwire.errors import NotFound


def connector_names() -> list[str]:
    """The names of all connectors there are, without loading them."""
    built_in = [m.name for m in pkgutil.iter_modules(bellwire.connectors.__path__) if m.ispkg and m.name != "kit"]
    return sorted({*built_in, *(point.name for point in entry_points(group="bellwire.connectors"))})


@cache
def find_connector(name: str) -> Connector:
    """The connector called `name`. Raises NotFound with a suggestion."""
    if name not in connector_names():
        close = difflib.get_close_matches(name, connector_names(), 1)
        hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(connector_names())}."
        raise NotFound(f"There is no connector '{name}'.", remedy=hint)
    points = entry_points(group="bellwire.connectors", name=name)
    for point in points:
        loaded = point.load()
        assert isinstance(loaded, Connector), f"entry point {name} is no Connector"
        return loaded
    module = importlib.import_module(f"bellwire.connectors.{name}")
    connector: Connector = module.CONNECTOR
    return connector


def all_connectors() -> list[Connector]:
    """Every connector, by name."""
    return [find_connector(name) for name in connector_names()]
