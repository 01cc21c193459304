"""What `bellwire check` finds about the stock that is watched."""

from collections.abc import Iterator, Sequence

from bellwire.cli.base import counted
from bellwire.connectors.opening import connector_of
from bellwire.errors import ConfigurationError
from bellwire.events import OWN
from bellwire.flows import Flow
from bellwire.insight import LOW
from bellwire.settings import STOCK_FILE, ConnectionSettings, Settings, StockFileErrors, read_stock_file
from bellwire.watch.finding import Finding, Level, failed

_ABOUT = "reorder points"
_COUNTED = "inventory.updated"


def watched_stock(settings: Settings, flows: Sequence[Flow]) -> Iterator[Finding]:
    """Nothing where neither a flow nor a file asks for it."""
    path = settings.stock_file
    listens = any((flow.connection, flow.event_type) == (OWN, LOW) for flow in flows)
    try:
        points = read_stock_file(path)
    except StockFileErrors as error:
        yield from (failed(_ABOUT, problem) for problem in error.errors)
        return
    if not points and (listens or path.exists()):
        there = path if path.exists() else None
        sentence = "It has no item yet" if there else f"There is no {STOCK_FILE}"
        remedy = "Write a line for each item, with its SKU and with how many left it is low: docs/flows/inventory.md."
        yield Finding(Level.WARNING, _ABOUT, f"{sentence}, so nothing is watched.", remedy, there)
    if not points:
        return
    yield Finding(Level.OK, _ABOUT, f"{counted(len(points), 'reorder point')} can be read.")
    if flows and not listens:
        sentence = f"No flow listens to {OWN}.{LOW}: nobody hears what runs low."
        yield Finding(Level.WARNING, _ABOUT, sentence, "`bellwire init` has such a flow in its template inventory.")
    yield from _counting(settings)


def _counting(settings: Settings) -> Iterator[Finding]:
    able = [name for name, connection in settings.connections.items() if _counts(connection)]
    if not able:
        yield Finding(
            Level.WARNING, _ABOUT, "No connection counts the stock.", "Add one that does to connections.toml."
        )
    if len(able) > 1 and not settings.stock.connections:
        sentence = f"Several connections count the stock ({', '.join(able)}): what runs low is told of for each."
        remedy = f'Name the one that is right in bellwire.toml: [stock] connections = ["{able[-1]}"].'
        yield Finding(Level.WARNING, _ABOUT, sentence, remedy, settings.source.path)


def _counts(connection: ConnectionSettings) -> bool:
    """Whether it tells, or can be asked, how many there are. What brings just anything needn't bring that."""
    try:
        connector = connector_of(connection)
    except ConfigurationError:
        return False  # Reported with its connection.
    brings = connector.triggers.event_types if connector.triggers else ()
    return "stock" in connector.manifest.capabilities or (_COUNTED in brings and "*" not in brings)
