"""Sign-ins to a simulated Square: the application's own token, and those of sellers who consented.

https://developer.squareup.com/docs/oauth-api/overview
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bellwire.practice.square.refusals import Record, Refusal, missing, stamp

APPLICATION = "sandbox-sq0idb-practice"
SECRET = "sandbox-sq0csb-practice"  # noqa: S105 - of practice
OWN = "EAAApractice"
CODE = "sandbox-sq0cgb-practice"
REFRESH = "EQAApractice"
MERCHANT = "MPRACTICE"
_GOOD_FOR = timedelta(days=30)


@dataclass
class Tokens:
    """`scopes` is what a token may do. The refresh token stays as it is, each time that it is used."""

    application: str = APPLICATION
    scopes: list[str] = field(default_factory=list)
    sellers: dict[str, str] = field(default_factory=dict)
    """Access token of a seller → when it ends."""

    def known(self, token: str) -> bool:
        return token == OWN or self.sellers.get(token, "") > stamp(datetime.now(UTC))

    def buy(self, body: dict[str, Any]) -> Record:
        """`POST /oauth2/token`"""
        if not body.get("client_id"):
            raise missing("client_id")
        if (body["client_id"], body.get("client_secret")) != (self.application, SECRET):
            raise Refusal(401, "UNAUTHORIZED", "Not authorized")
        match body.get("grant_type"):
            case "authorization_code" if body.get("code") == CODE:
                pass
            case "refresh_token" if body.get("refresh_token") == REFRESH:
                pass
            case "authorization_code" | "refresh_token":
                raise Refusal(401, "UNAUTHORIZED", "Not authorized")
            case _:
                raise Refusal(400, "INVALID_VALUE", "Not a grant type.", "grant_type")
        token, ends = f"EAAA{secrets.token_hex(16)}", stamp(datetime.now(UTC) + _GOOD_FOR)
        self.sellers[token] = ends
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_at": ends,
            "merchant_id": MERCHANT,
            "refresh_token": REFRESH,
            "short_lived": False,
        }

    def status(self, token: str) -> Record:
        """`POST /oauth2/token/status`"""
        told: Record = {"scopes": self.scopes, "client_id": self.application, "merchant_id": MERCHANT}
        return told | ({"expires_at": self.sellers[token]} if token in self.sellers else {})
