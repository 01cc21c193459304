"""Every bundled template with every connector that can stand behind each of its connections."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from bellwire.cli.roles import choose_connectors, fillers
from bellwire.connectors.kit import Connector
from bellwire.flows import Flow, parse_flow, template, template_names


def combinations() -> Iterator[tuple[str, str, Connector]]:
    """Template, connection and connector: a finding is about a trigger, or about one action and the results it refers
    to, which are the same for all connectors; so each connector in each place covers every combination."""
    for name in template_names():
        for connection, able in able_to_fill(name).items():
            for connector in able:
                yield name, connection, connector


@cache
def able_to_fill(name: str) -> Mapping[str, Sequence[Connector]]:
    """As `fillers`, read once: to read a template takes a tenth of a second."""
    return fillers(template(name))


@cache
def flows_of(name: str) -> Sequence[Flow]:
    return [parse_flow(text, Path(f"flows/{flow_id}.yaml")) for flow_id, text in template(name).items()]


@cache
def usual(name: str) -> Mapping[str, Connector]:
    return choose_connectors(template(name), {})
