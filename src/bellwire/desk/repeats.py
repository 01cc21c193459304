"""How each action of a run is kept from having its effect twice, for the developer."""

from collections.abc import Mapping
from dataclasses import dataclass

from bellwire.connectors.kit import ByKey, Connection, LookUp, Repeat, Unkeyed, Upsert
from bellwire.desk.history import History
from bellwire.engine.keys import idempotency_key
from bellwire.flows import Flow, picture


@dataclass(frozen=True)
class Kept:
    """`key` is that of the action, or of its first item."""

    action: str
    key: str
    how: str


def repeats(found: History, flow: Flow, connections: Mapping[str, Connection]) -> list[Kept]:
    """One for each action of the flow."""
    event, run = found.event, found.run
    return [
        Kept(
            action.name,
            idempotency_key(flow.id, event.environment, event.business_key, action.name, 0, run.nonce),
            _how(connections.get(action.connection), action.operation_name),
        )
        for action in flow.actions.values()
    ]


def _how(connection: Connection | None, operation: str) -> str:
    able = connection.connector.actions.values() if connection else ()
    found = [action.repeat for action in able if action.operation.name == operation]
    return _words(found[0]) if len(found) == 1 else "not known: the connection is gone"


def _words(repeat: Repeat) -> str:
    match repeat:
        case ByKey(where):
            return f"the key is sent as {where}"
        case Upsert(on):
            return f"the same {on} is overwritten"
        case LookUp():
            return "looked up before it is sent again"
        case Unkeyed(why):
            return f"no guard: {why}"


def does(flow: Flow) -> list[tuple[str, str]]:
    """What is done when a flow is carried out once more: what each action means, and its connection."""
    return [(box.meaning, box.connection) for box in picture(flow).boxes if box.connection and box.name in flow.actions]
