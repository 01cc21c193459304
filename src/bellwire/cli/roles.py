"""The roles of a template's connections, and which connector fills each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bellwire.cli.using import CAPABILITIES
from bellwire.connectors import all_connectors, find_connector
from bellwire.connectors.kit import ByKey, Connector, Upsert
from bellwire.errors import ConfigurationError
from bellwire.events import OWN
from bellwire.flows import Flow, parse_flow
from bellwire.settings import suggestion

_FORMS = "forms"


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
            (self.capability in connector.manifest.capabilities if self.capability else not connector.actions)
            and does <= set(connector.actions)
            and self.event_types <= set(brings)
        )

    def unsure(self, connector: Connector) -> int:
        """How many of its actions have to look what an earlier attempt did; with a key, nothing has to be found."""
        actions = [connector.actions[f"{self.capability}.{operation}"] for operation in self.operations]
        return sum(not isinstance(action.repeat, ByKey | Upsert) for action in actions)


def fit_triggers(flows: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str]:
    """The flows (texts by their ids), to go with the connectors that are `wanted`: what one of them never tells of, as
    not every shop has returns, the website's form does. Raises ConfigurationError, NotFound."""
    return {flow: _fit_trigger(flow, text, wanted) for flow, text in flows.items()}


def _fit_trigger(flow: str, text: str, wanted: Mapping[str, str | None]) -> str:
    read = parse_flow(text, Path(f"{flow}.yaml"))
    name, event_type = wanted.get(read.connection), read.event_type
    told = _Role(_FORMS, CAPABILITIES[_FORMS], event_types=frozenset({event_type}))
    if not name or _brings(find_connector(name), event_type) or not _able(told):
        return text
    return text.replace(f"\ntrigger: {read.connection}.{event_type}\n", f"\ntrigger: {_FORMS}.{event_type}\n")


def _brings(connector: Connector, event_type: str) -> bool:
    return connector.triggers is not None and event_type in connector.triggers.event_types


def choose_connectors(
    flows: Mapping[str, str], wanted: Mapping[str, str | None], say: Callable[[str], None] = lambda _: None
) -> dict[str, Connector]:
    """The connector of each connection that the flows (texts by their ids) need: the one that is `wanted`, else one
    that can do it: the one that repeats most surely, of equals the first by name. `say` is told when there was a
    choice. Raises ConfigurationError, NotFound."""
    read = [parse_flow(text, Path(f"{flow}.yaml")) for flow, text in flows.items()]
    return {role.name: _choose(role, wanted.get(role.name), say) for role in _roles(read, wanted)}


def fillers(flows: Mapping[str, str]) -> dict[str, list[Connector]]:
    """All connectors that can stand behind each connection that the flows need. Raises ConfigurationError."""
    read = [parse_flow(text, Path(f"{flow}.yaml")) for flow, text in flows.items()]
    return {role.name: _able(role) for role in _roles(read, {})}


def _roles(flows: Sequence[Flow], wanted: Mapping[str, str | None]) -> list[_Role]:
    """What the flows need, and what was asked for beside it."""
    events = [(flow.connection, flow.event_type) for flow in flows]
    events += [(ending.connection, ending.event_type) for flow in flows for ending in flow.ends_on]
    actions = [action for flow in flows for action in flow.actions.values()]
    used = [name for name, _ in events] + [action.connection for action in actions]
    asked = [name for name, connector in wanted.items() if connector]
    return [
        _Role(
            name,
            CAPABILITIES[name],
            frozenset(action.operation_name for action in actions if action.connection == name),
            frozenset(event_type for connection, event_type in events if connection == name),
        )
        for name in dict.fromkeys([*used, *asked])
        if name not in ("", OWN)
    ]


def _choose(role: _Role, wanted: str | None, say: Callable[[str], None]) -> Connector:
    if wanted and role.filled_by(connector := find_connector(wanted)):
        return connector
    able = _able(role)
    names = [connector.name for connector in able]
    if wanted:
        remedy = suggestion(wanted, names) if names else ""
        raise ConfigurationError(f"{wanted} can't be the {role.name} of this flow.", remedy=remedy)
    if not able:
        raise ConfigurationError(f"There is no connector yet for the {role.name} of this flow.")
    if len(able) > 1:
        say(f"Nothing was said of {role.name}; {names[0]} is taken. Also possible: {', '.join(names[1:])}.")
    return able[0]


def _able(role: _Role) -> list[Connector]:
    """The one that repeats most surely first."""
    return sorted((each for each in all_connectors() if role.filled_by(each)), key=role.unsure)
