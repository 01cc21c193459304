"""Who asks for a page, and what they may do."""

import hashlib
import hmac
from dataclasses import dataclass, field

from starlette.requests import Request

from bellwire.access import Right
from bellwire.ledger import PersonRow


@dataclass(frozen=True)
class Visitor:
    """`secret` is what the browser's cookie has; from it comes the token that each of its forms carries."""

    name: str
    """As it stands in the audit."""
    rights: frozenset[Right]
    secret: str = field(default="", repr=False)
    person: PersonRow | None = None
    """None: nobody signed in. On this machine that is enough, as long as nobody has an account."""
    exceptions: int = 0
    """How many are open; the same for `asks`."""
    asks: int = 0

    @property
    def known(self) -> bool:
        return bool(self.rights)

    def may(self, right: Right) -> bool:
        return right in self.rights

    @property
    def form_token(self) -> str:
        return hashlib.sha256(f"form {self.secret}".encode()).hexdigest()

    def made(self, token: str) -> bool:
        """Whether a form came from one of this visitor's pages."""
        return bool(self.secret) and hmac.compare_digest(self.form_token.encode(), token.encode())


def visitor_of(request: Request) -> Visitor:
    visitor = request.scope["visitor"]
    assert isinstance(visitor, Visitor)
    return visitor
