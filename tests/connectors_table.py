"""The table of connectors in README.md, made from their manifests and actions.

`python -m tests.connectors_table` writes it anew.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Action, AddressToken, ByKey, Connector, LookUp, Upsert

PAGE = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- connectors: written by `python -m tests.connectors_table` -->\n"
END = "<!-- end of connectors -->\n"

_WAYS: Mapping[type, str] = {ByKey: "sends the same key", LookUp: "looks first", Upsert: "sets what is set already"}


def table() -> str:
    """All connectors, as a Markdown table that ends in a line break."""
    head = ("connector", "capabilities", "takes webhooks", "what each action does about a repeat")
    rows = [head, ("---",) * len(head), *map(_cells, all_connectors())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def in_page(page: str) -> str:
    """The table that a page has now."""
    return page.partition(BEGIN)[2].partition(END)[0]


def _cells(connector: Connector) -> Iterator[str]:
    manifest = connector.manifest
    yield f"`{manifest.name}`: {manifest.title}"
    yield ", ".join(f"`{capability}`" for capability in manifest.capabilities) or "none"
    yield _webhooks(connector)
    ways: dict[str, list[str]] = {}
    for action in connector.actions.values():
        ways.setdefault(_way(action), []).append(f"`{action.operation.name}`")
    yield "; ".join(f"{way}: {', '.join(names)}" for way, names in ways.items()) or "does nothing by itself"


def _webhooks(connector: Connector) -> str:
    scheme = connector.manifest.webhook
    if scheme is None or connector.triggers is None:
        return "no"
    return "by a token in the address" if isinstance(scheme, AddressToken) else "signed"


def _way(action: Action) -> str:
    if way := _WAYS.get(type(action.repeat)):
        return way
    if not action.repeatable:
        return "asks a person"
    return "only reads" if action.operation.effect.value == "nothing" else "may send a message twice"


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], "utf-8")
