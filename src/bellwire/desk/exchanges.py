"""What vendors were asked and answered, for the developer: easy to read, and to send again by hand."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from bellwire.connectors.kit.exchanges import Exchange, unpacked
from bellwire.desk.history import History
from bellwire.desk.words import pretty
from bellwire.flows import Flow


@dataclass(frozen=True)
class Shown:
    """One request with its answer; the bodies are indented where they are JSON."""

    exchange: Exchange
    body: str
    answer: str
    curl: str
    """A command that sends it again. What signs in is a variable of the shell, which whoever runs it has to set."""


@dataclass(frozen=True)
class Talk:
    """What one attempt asked."""

    action: str
    item: int
    """From 1; 0 where there is only one."""
    number: int
    shown: Sequence[Shown]
    left_out: int


def talks(found: History, flow: Flow | None) -> list[Talk]:
    """In the order of the attempts."""
    made = []
    several = {row.action for row in found.attempts if row.item}
    for row in found.attempts:
        packed = found.exchanges.get((row.action, row.item, row.number))
        if packed is None:
            continue
        action = flow.actions.get(row.action) if flow else None
        variable = variable_for(action.connection if action else row.action)
        exchanges, left_out = unpacked(packed)
        shown = [Shown(each, pretty(each.body), pretty(each.answer), curl(each, variable)) for each in exchanges]
        made.append(Talk(row.action, row.item + 1 if row.action in several else 0, row.number, shown, left_out))
    return made


def variable_for(connection: str) -> str:
    """`BOOKS_TOKEN`."""
    return "".join(each if each.isascii() and each.isalnum() else "_" for each in connection).upper() + "_TOKEN"


def curl(exchange: Exchange, variable: str) -> str:
    parts = ["curl", "-X", exchange.method, shlex.quote(exchange.url)]
    for name, word in exchange.signed_by.items():
        parts += ["\\\n  -H", f'"{name}: {word + " " if word else ""}${variable}"']
    for name, value in exchange.headers.items():
        parts += ["\\\n  -H", shlex.quote(f"{name}: {value}")]
    if exchange.body:
        parts += ["\\\n  --data-binary", shlex.quote(exchange.body)]
    return " ".join(parts)
