"""Links that answer what a flow asks: for whoever is asked by chat or e-mail, and doesn't see the desk.

A link names the run and the action and is signed, so that nobody can make one up. It answers as long as the question is
open. To open it only shows the question: what reads links beforehand, as chats do, decides nothing.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from bellwire.flows import Flow
from bellwire.ledger import Rows, asks


@dataclass
class Links:
    public_url: str = ""
    """Where people reach Bellwire; empty: nowhere, so there are no links."""
    _key: str = ""

    def prepare(self, rows: Rows) -> None:
        """Take the ledger's key; the first engine makes it."""
        self._key = asks.keep_link_key(rows, secrets.token_hex(32))

    def of_run(self, flow: Flow, run: int) -> dict[str, str]:
        """By action: those of its flow that ask for a yes."""
        return {name: self._link(run, name) for name, action in flow.actions.items() if action.approval is not None}

    def _link(self, run: int, action: str) -> str:
        if not self.public_url or not self._key:
            return ""
        return f"{self.public_url}/answers/{run}/{quote(action)}/{signature(self._key, run, action)}"


def signature(key: str, run: int, action: str) -> str:
    """32 hexadecimal characters."""
    return hmac.new(key.encode(), f"{run}/{action}".encode(), hashlib.sha256).hexdigest()[:32]


def is_signed(key: str | None, run: int, action: str, given: str) -> bool:
    """Whether a link's signature is right."""
    return key is not None and hmac.compare_digest(signature(key, run, action), given)
