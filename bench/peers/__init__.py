"""The same flow of three calls in other durable engines on PostgreSQL, to be measured beside Bellwire.

They live in an environment of their own, made when they are first measured: `.venv-peers` beside the code.
"""

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_ENVIRONMENT = _HERE.parent.parent / ".venv-peers"


def python() -> str:
    """The interpreter of that environment."""
    program = _ENVIRONMENT / "bin" / "python"
    wanted = (_HERE / "requirements.txt").read_text()
    made = _ENVIRONMENT / "made"
    if not made.exists() or made.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
        subprocess.run(
            [str(program), "-m", "pip", "install", "--quiet", "-r", str(_HERE / "requirements.txt")], check=True
        )
        made.write_text(wanted)
    return str(program)
