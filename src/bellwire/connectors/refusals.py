"""What a connector is known to refuse, read from its source: every refusal that is written down there with its words.

Those that a vendor words itself can't be known before; so this is the most of it, and not all.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bellwire.connectors.kit import Connector

_KINDS = frozenset({"Refused", "SignedOut"})
_LEFT_OPEN = "…"
"""In place of what only the moment says."""


@dataclass(frozen=True)
class Refusal:
    cause: str
    sentence: str
    remedy: str


def known_refusals(connector: Connector) -> tuple[Refusal, ...]:
    """One for each sentence, in the order of the source."""
    modules = sorted({action.perform.__module__ for action in connector.actions.values()})
    found = [refusal for module in modules for path in _files(module) for refusal in _written_in(path)]
    return tuple({refusal.sentence: refusal for refusal in reversed(found)}.values())[::-1]


def _files(module: str) -> list[Path]:
    """Of the connector's package; of the module alone when it isn't in one."""
    package = sys.modules.get(module.rpartition(".")[0])
    if package is not None and hasattr(package, "CONNECTOR"):
        return sorted(path for folder in package.__path__ for path in Path(folder).glob("*.py"))
    source = inspect.getsourcefile(sys.modules[module])
    return [Path(source)] if source else []


@cache
def _written_in(path: Path) -> tuple[Refusal, ...]:
    tree = ast.parse(path.read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return tuple(_refusals(call for call in calls if isinstance(call.func, ast.Name) and call.func.id in _KINDS))


def _refusals(calls: Iterator[ast.Call]) -> Iterator[Refusal]:
    for call in calls:
        named = {keyword.arg: _text(keyword.value) for keyword in call.keywords}
        sentence, remedy = _text(call.args[0]) if call.args else "", named.get("remedy", "")
        cause = named.get("cause", "")
        if sentence.strip(f" {_LEFT_OPEN}.") and remedy.strip(f" {_LEFT_OPEN}.") and cause:
            yield Refusal(cause, sentence, remedy)


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
    return _LEFT_OPEN
