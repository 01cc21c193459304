"""A running project as the stage of a demo or a pilot."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

    from bellwire.app import Bellwire
    from bellwire.practice import Simulator
    from bellwire.practice.stage import Stage


def stage_of(
    bellwire: "Bellwire", simulators: "Mapping[str, Simulator]", session: "aiohttp.ClientSession", **more: Any
) -> "Stage":
    """`simulators` are by connection; `more` as Stage has it."""
    from bellwire.connectors.opening import own_connection
    from bellwire.events import OWN
    from bellwire.practice.stage import Stage

    return Stage(
        bellwire.ledger,
        bellwire.engine,
        {flow.id: flow for flow in bellwire.project.flows},
        {**bellwire.project.connections, OWN: own_connection()},
        simulators,
        bellwire.hook_url,
        session,
        bellwire.polling,
        **more,
    )
