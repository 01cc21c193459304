"""A mapping of a flow file, read key by key; whatever is wrong is a ConfigurationError at its line."""

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bellwire.clock import parse_length
from bellwire.errors import ConfigurationError
from bellwire.flows.document import Key, Node
from bellwire.flows.suggestions import nearest, spoken

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%")


class Section:
    """`what` names it in messages: `an action`. Raises when `node` is no mapping, or has a key that isn't `known`."""

    def __init__(self, node: Node, path: Path, what: str, known: Iterable[str]) -> None:
        self.line = node.line
        self._path = path
        self._what = what
        if not isinstance(node.value, dict):
            raise self.error(node.line, f"Here should be keys and values: {what}.", f"It can have {', '.join(known)}.")
        self.values: dict[Key, Node] = node.value
        for key in self.values:
            if key not in known:
                hint = spoken(nearest(key, known))
                raise self.error(key.line, f"'{key}' is no key of {what}.", hint)

    def error(self, line: int, sentence: str, remedy: str = "") -> ConfigurationError:
        return ConfigurationError(sentence, path=self._path, line=line, remedy=remedy)

    def find(self, key: str) -> Node | None:
        """The key's node; None when it isn't there or empty."""
        for name, node in self.values.items():
            if name == key and node.value is not None:
                return node
        return None

    def need(self, key: str, example: str) -> Node:
        node = self.find(key)
        if node is None:
            line = next((name.line for name in self.values if name == key), self.line)
            raise self.error(
                line, f"{spoken(self._what).rstrip('.')} needs '{key}'.", f"Write e.g. `{key}: {example}`."
            )
        return node

    def text(self, node: Node, key: str) -> str:
        if not isinstance(node.value, str):
            raise self.error(node.line, f"'{key}' has to be text.", "Put it in quotes if it is a number.")
        if not node.value.strip():
            raise self.error(node.line, f"'{key}' is empty.", "Write something, or leave the key out.")
        return node.value.strip()

    def duration(self, key: str) -> timedelta | None:
        node = self.find(key)
        if node is None:
            return None
        try:
            return parse_length(node.value if isinstance(node.value, str) else "")
        except ValueError:
            remedy = "Write e.g. 30s, 5m, 2h or 1d; a year at most."
            raise self.error(node.line, f"'{key}' has to be a time.", remedy) from None

    def percent(self, key: str) -> Decimal | None:
        """As a fraction."""
        node = self.find(key)
        if node is None:
            return None
        match = _PERCENT.fullmatch(node.value) if isinstance(node.value, str) else None
        if not match or Decimal(match[1]) > 100:
            raise self.error(node.line, f"'{key}' has to be a percentage.", "Write e.g. 1% or 0.5%.")
        return Decimal(match[1]) / 100

    def number(self, key: str, least: int, most: int) -> Decimal | None:
        node = self.find(key)
        if node is None:
            return None
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not least <= value <= most:
            raise self.error(node.line, f"'{key}' has to be a number from {least} to {most}.")
        return Decimal(value)

    def names(self, key: str) -> dict[str, int]:
        """One word or a list of words, each with its line."""
        node = self.find(key)
        entries = [] if node is None else node.value if isinstance(node.value, list) else [node]
        return {self.text(entry, key): entry.line for entry in entries}
