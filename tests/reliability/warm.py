"""What the server of forks does once, so that none of its children has to."""

import gc
from pathlib import Path

# What commands import only when they run.
import uvloop  # noqa: F401

import bellwire.app
import bellwire.cli.logs  # noqa: F401
import tests.reliability.dying  # noqa: F401
from bellwire.connectors import all_connectors
from bellwire.flows import bundled, parse_flow
from tests.running import FLOW

all_connectors()
parse_flow(bundled(FLOW), Path(FLOW))
gc.collect()
# The garbage collector of a child needn't look at any of this.
gc.freeze()
