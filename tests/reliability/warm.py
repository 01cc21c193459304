"""What the server of forks does once, so that none of its children has to."""

import gc
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

# What commands import only when they run.
import uvloop  # noqa: F401

import bellwire.app
import bellwire.cli.going_live
import bellwire.cli.lasting
import bellwire.cli.logs
import bellwire.desk  # noqa: F401
import tests.reliability.dying  # noqa: F401
from bellwire.connectors import all_connectors, find_connector
from bellwire.connectors.kit import Connector
from bellwire.connectors.opening import own_connector
from bellwire.connectors.smtp.templates import render
from bellwire.errors import Refused
from bellwire.flows import Finding, Flow, bundled, check_flow, folder, loading, parse_flow
from bellwire.flows.filters import money
from bellwire.flows.parsing import pinned_flow
from bellwire.money import Money
from tests.running import FLOW, chosen_roles

_FILE = f"{FLOW}.yaml"
_FLOW = parse_flow(bundled(FLOW), Path(_FILE))
_CONNECTORS = {name: find_connector(connector) for name, connector in chosen_roles("").items()} | own_connector()
_FINDINGS = check_flow(_FLOW, _CONNECTORS)


def _read(text: str, path: Path) -> Flow:
    """As every life reads the same flow, and nothing of that lasts, it is read once for all."""
    return replace(_FLOW, path=path) if (text, path.name) == (_FLOW.source, _FILE) else parse_flow(text, path)


def _check(flow: Flow, connectors: Mapping[str, Connector]) -> list[Finding]:
    """And checked."""
    same = (flow.source, flow.id, connectors) == (_FLOW.source, _FLOW.id, _CONNECTORS)
    return _FINDINGS if same else check_flow(flow, connectors)


for module, name, stand_in in ((loading, "parse_flow", _read), (folder, "check_flow", _check)):
    assert hasattr(module, name)
    setattr(module, name, stand_in)
pinned_flow(_FLOW.source, FLOW)
all_connectors()
money(Money.zero("USD"))  # it reads the words and signs of a language
with suppress(Refused):
    render("order_paid", Path(), {})  # it makes ready to read templates
gc.collect()
# The garbage collector of a child needn't look at any of this.
gc.freeze()
