"""What the server of forks does once, so that none of its children has to."""

import gc
from dataclasses import replace
from pathlib import Path

# What commands import only when they run.
import uvloop  # noqa: F401

import bellwire.app
import bellwire.cli.logs  # noqa: F401
import tests.reliability.dying  # noqa: F401
from bellwire.connectors import all_connectors
from bellwire.flows import Flow, bundled, loading, parse_flow
from bellwire.flows.filters import money
from bellwire.flows.parsing import pinned_flow
from bellwire.money import Money
from tests.running import FLOW

_FILE = f"{FLOW}.yaml"
_FLOW = parse_flow(bundled(FLOW), Path(_FILE))


def _read(text: str, path: Path) -> Flow:
    """As every life reads the same flow, and nothing of that lasts, it is read once for all."""
    return replace(_FLOW, path=path) if (text, path.name) == (_FLOW.source, _FILE) else parse_flow(text, path)


setattr(loading, "parse_flow", _read)  # noqa: B010 - mypy takes no other way
pinned_flow(_FLOW.source, FLOW)
all_connectors()
money(Money.zero("USD"))  # it reads the words and signs of a language
gc.collect()
# The garbage collector of a child needn't look at any of this.
gc.freeze()
