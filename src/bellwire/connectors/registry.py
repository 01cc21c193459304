"""Finds connectors: the folders beside this file, those of the project's own `connectors/`, and packages with a
`bellwire.connectors` entry point."""

import difflib
import importlib
import pkgutil
import sys
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

import bellwire.connectors
from bellwire.connectors.kit import Connector
from bellwire.errors import ConfigurationError, NotFound

_OURS = [str(Path(__file__).parent)]


def look_in(folder: Path | None) -> None:
    """Find the connectors of a project too: each a folder in `folder`, which is a package. It takes the place of the
    one that was said before."""
    wanted = [*_OURS, str(folder.absolute())] if folder is not None and folder.is_dir() else _OURS
    if list(bellwire.connectors.__path__) == wanted:
        return
    for name in own_connector_names():
        for module in [each for each in sys.modules if f"{each}.".startswith(f"bellwire.connectors.{name}.")]:
            del sys.modules[module]
    bellwire.connectors.__path__ = wanted
    importlib.invalidate_caches()
    find_connector.cache_clear()


def own_connector_names() -> list[str]:
    """Those of the project."""
    return _packages([path for path in bellwire.connectors.__path__ if path not in _OURS])


def connector_names() -> list[str]:
    """The names of all connectors there are, without loading them."""
    return sorted({*_packages(bellwire.connectors.__path__), *_points(tuple(sys.path)).names})


@cache
def find_connector(name: str) -> Connector:
    """The connector called `name`. Raises NotFound with a suggestion, and ConfigurationError when it is the project's
    own and can't be loaded."""
    if name not in connector_names():
        close = difflib.get_close_matches(name, connector_names(), 1)
        hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(connector_names())}."
        raise NotFound(f"There is no connector '{name}'.", remedy=hint)
    for point in _points(tuple(sys.path)).select(name=name):
        return _checked(name, point.load())
    try:
        module = importlib.import_module(f"bellwire.connectors.{name}")
    except Exception as error:
        if name not in own_connector_names():
            raise
        place = Path(bellwire.connectors.__path__[-1], name)
        said = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"Your connector '{name}' can't be loaded: {said}.", path=place) from error
    return _checked(name, getattr(module, "CONNECTOR", None))


def all_connectors() -> list[Connector]:
    """Every connector, by name."""
    return [find_connector(name) for name in connector_names()]


@cache
def _points(path: tuple[str, ...]) -> EntryPoints:
    """To read those of all packages takes milliseconds, and only another `path` of Python's brings others."""
    return entry_points(group="bellwire.connectors")


def _packages(paths: list[str]) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(paths) if module.ispkg and module.name != "kit"]


def _checked(name: str, found: object) -> Connector:
    if not isinstance(found, Connector):
        raise ConfigurationError(f"The connector '{name}' offers no CONNECTOR.", remedy="See docs/connectors.md.")
    if found.name != name:
        raise ConfigurationError(f"The connector '{name}' calls itself '{found.name}'.", remedy="Make them the same.")
    return found
