"""Every bundled template with every connector that can stand behind each of its connections."""

from collections.abc import Iterator

from bellwire.cli.roles import choose_connectors, fillers
from bellwire.connectors.kit import Connector
from bellwire.flows import template, template_names


def combinations() -> Iterator[tuple[str, str, Connector]]:
    """Template, connection and connector: a finding is about a trigger, or about one action and the results it refers
    to, which are the same for all connectors; so each connector in each place covers every combination."""
    for name in template_names():
        for connection, able in fillers(template(name)).items():
            for connector in able:
                yield name, connection, connector


def usual(name: str) -> dict[str, Connector]:
    return choose_connectors(template(name), {})
