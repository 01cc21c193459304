"""The sign-ins that a company's owner gave to an app."""

import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tokens:
    """Sign-ins. A refresh gives a new refresh token; the one before lives on until the new one is used."""

    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    refresh: list[str] = field(default_factory=lambda: ["practice-refresh-token"])
    codes: set[str] = field(default_factory=set)

    def expire(self) -> None:
        """No access token is good any more."""
        self.access.clear()

    def renew(self, used: str) -> dict[str, Any] | None:
        return self._grant(used) if used in self.refresh else None

    def consent(self) -> str:
        """The code that an owner's consent gives; it can be redeemed once."""
        self.codes.add(code := secrets.token_hex(16))
        return code

    def redeem(self, code: str) -> dict[str, Any] | None:
        if code not in self.codes:
            return None
        self.codes.remove(code)
        return self._grant("")

    def _grant(self, used: str) -> dict[str, Any]:
        fresh, access = secrets.token_hex(16), secrets.token_hex(16)
        self.refresh = [used, fresh]
        self.access.add(access)
        return {
            "access_token": access,
            "expires_in": 3600,
            "refresh_token": fresh,
            "x_refresh_token_expires_in": 8726400,
            "token_type": "bearer",
        }
