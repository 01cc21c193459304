"""The roles of a template's connections, and which connector fills each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bellwire.connectors import all_connectors, find_connector
from bellwire.connectors.kit import ByKey, Connector, Upsert
from bellwire.errors import ConfigurationError
from bellwire.events import OWN
from bellwire.flows import parse_flow
from bellwire.settings import suggestion

_CAPABILITIES = {
    "shop": "storefront",
    "books": "accounting",
    "stock": "stock",
    "shipping": "shipping",
    "chat": "chat",
    "mail": "email",
}
"""What the connection of each name is there for."""


@dataclass(frozen=True)
class _Role:
    """A connection that a flow needs, and what it has to be able to do."""

    name: str
    capability: str
    operations: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()

    def filled_by(self, connector: Connector) -> bool:
        brings = connector.triggers.event_types if connector.triggers else ()
        does = {f"{self.capability}.{operation}" for operation in self.operations}
        return (
            self.capability in connector.manifest.capabilities
            and does <= set(connector.actions)
            and self.event_types <= set(brings)
        )

    def unsure(self, connector: Connector) -> int:
        """How many of its actions have to look what an earlier attempt did; with a key, nothing has to be found."""
        actions = [connector.actions[f"{self.capability}.{operation}"] for operation in self.operations]
        return sum(not isinstance(action.repeat, ByKey | Upsert) for action in actions)


def choose_connectors(
    text: str, stem: str, wanted: Mapping[str, str | None], say: Callable[[str], None] = lambda _: None
) -> dict[str, Connector]:
    """The connector of each connection that the template (its `text`, called `stem`) needs: the one that is `wanted`,
    else one that can do it: the one that repeats most surely, of equals the first by name. `say` is told when there was
    a choice. Raises ConfigurationError, NotFound."""
    return {role.name: _choose(role, wanted.get(role.name), say) for role in _roles(text, stem, wanted)}


def _roles(text: str, stem: str, wanted: Mapping[str, str | None]) -> list[_Role]:
    """What the template needs, and what was asked for beside it."""
    flow = parse_flow(text, Path(f"{stem}.yaml"))
    named = [flow.connection, *(ending.connection for ending in flow.ends_on)]
    named += [action.connection for action in flow.actions.values()]
    used = [name for name in named if name not in ("", OWN)]
    asked = [name for name, connector in wanted.items() if connector]
    return [
        _Role(
            name,
            _CAPABILITIES[name],
            frozenset(action.operation_name for action in flow.actions.values() if action.connection == name),
            frozenset([flow.event_type] if flow.connection == name else []),
        )
        for name in dict.fromkeys([*used, *asked])
    ]


def _choose(role: _Role, wanted: str | None, say: Callable[[str], None]) -> Connector:
    if wanted and role.filled_by(connector := find_connector(wanted)):
        return connector
    able = sorted(
        (connector for connector in all_connectors() if role.filled_by(connector)), key=lambda each: role.unsure(each)
    )
    names = [connector.name for connector in able]
    if wanted:
        remedy = suggestion(wanted, names) if names else ""
        raise ConfigurationError(f"{wanted} can't be the {role.name} of this flow.", remedy=remedy)
    if not able:
        raise ConfigurationError(f"There is no connector yet for the {role.name} of this flow.")
    if len(able) > 1:
        say(f"--{role.name} wasn't given; {names[0]} is taken. Also possible: {', '.join(names[1:])}.")
    return able[0]
