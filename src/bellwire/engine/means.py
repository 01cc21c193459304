"""What runs are carried out with: the same for all runs of an engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from bellwire.business import BusinessCalendar
from bellwire.clock import Clock
from bellwire.connectors.kit import Action, Connection, Crosswalk
from bellwire.connectors.opening import own_connection
from bellwire.engine.health import Health
from bellwire.engine.links import Links
from bellwire.engine.starting import Listeners
from bellwire.engine.watching import Watcher
from bellwire.errors import FlowError
from bellwire.events import OWN
from bellwire.flows import FlowAction, operation_for
from bellwire.ledger import Database


@dataclass(frozen=True)
class Means:
    ledger: Database
    connections: Mapping[str, Connection]
    crosswalk: Crosswalk
    clock: Clock
    random: Random
    """For the jitter of backoff."""
    health: Health
    business: BusinessCalendar = field(default_factory=BusinessCalendar)
    """The days and hours of the business."""
    own: Connection = field(default_factory=own_connection)
    """For calculations of Bellwire's own."""
    links: Links = field(default_factory=Links)
    """To what its flows ask."""
    listeners: Listeners = field(default_factory=Listeners)
    """The flows that an event may begin or end."""
    watcher: Watcher | None = None
    """Who sees events, and what actions bring."""
    exchanges: Callable[[], bool] = lambda: True
    """Whether what vendors are asked and answer is kept."""
    _found: dict[FlowAction, tuple[Connection, Action]] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        ledger: Database,
        connections: Mapping[str, Connection],
        crosswalk: Crosswalk,
        clock: Clock,
        random: Random,
        business: BusinessCalendar,
    ) -> "Means":
        """Those of a project in which all connections are well as far as is known."""
        health = Health(ledger, connections, crosswalk, clock, random)
        return cls(ledger, connections, crosswalk, clock, random, health, business)

    def listening(self, listeners: Listeners, watcher: Watcher | None) -> "Means":
        """The same for other flows."""
        return replace(self, listeners=listeners, watcher=watcher, _found={})

    def of(self, action: FlowAction) -> tuple[Connection, Action]:
        """Where and how an action of a flow is done. Raises FlowError, or ConfigurationError, when it can't be."""
        found = self._found.get(action)
        if found is None:
            connection = self.own if action.connection == OWN else self.connections.get(action.connection)
            if connection is None:
                raise FlowError(
                    f"The flow asks for a connection '{action.connection}', which isn't there any more.",
                    cause=f"no-connection:{action.connection}",
                    remedy="Put it back into connections.toml and retry.",
                )
            operation = operation_for(action, connection.connector)
            found = self._found[action] = connection, connection.connector.actions[str(operation)]
        return found
