"""The code that lets somebody on another machine make the first account: whoever can read it runs Bellwire."""

import hashlib
import hmac
import secrets

from bellwire.ledger import Rows, asks


def setup_code(rows: Rows) -> str:
    """`1a2b-3c4d-5e6f`; empty until an engine has begun on this ledger."""
    key = asks.link_key(rows)
    if key is None:
        return ""
    text = hmac.new(key.encode(), b"the first account", hashlib.sha256).hexdigest()[:12]
    return "-".join(text[at : at + 4] for at in (0, 4, 8))


def keep_setup_code(rows: Rows) -> str:
    """The same; made if no engine has begun yet."""
    asks.keep_link_key(rows, secrets.token_hex(32))
    return setup_code(rows)


def is_setup_code(rows: Rows, given: str) -> bool:
    code, plain = setup_code(rows).replace("-", ""), given.strip().lower().replace("-", "")
    return bool(code) and hmac.compare_digest(code.encode(), plain.encode())
