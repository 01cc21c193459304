"""The log on a full disk."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import structlog
from bellwire.cli.logs import set_up
set_up("info")
for _ in range(100):
    structlog.get_logger().error("the ledger can't be written")
print("went on")
"""


def test_a_log_that_cant_be_written_stops_nobody() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=full, text=True)
    assert done.stdout == "went on\n"
