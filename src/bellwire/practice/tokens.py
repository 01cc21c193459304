"""Sign-ins of simulated vendors: consents, their codes, and the tokens that these buy (RFC 6749, RFC 7636)."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response


@dataclass
class Tokens:
    """Of one client. Each refresh gives a new refresh token; the one before is good for a while yet only where the
    vendor says so (`lenient`)."""

    client_id: str = "practice-client"
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    refresh: list[str] = field(default_factory=lambda: ["practice-refresh-token"])
    lenient: bool = False
    lasts: int = 1800
    """Seconds that an access token is good for."""
    scopes: str = ""
    """What was consented to last; empty: the vendor doesn't say."""
    _asked: dict[str, str] = field(default_factory=dict, repr=False)
    """Code → the challenge of the consent that it is for; empty: without PKCE."""

    def expire(self) -> None:
        """No access token is good any more."""
        self.access.clear()

    def good(self, request: Request) -> bool:
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.access

    async def authorise(self, request: Request) -> Response:
        """The owner agrees at once, and the browser is sent back."""
        query = request.query_params
        if query.get("client_id") != self.client_id or query.get("response_type") != "code":
            return JSONResponse({"error": "unauthorized_client"}, 400)
        code, self.scopes = secrets.token_hex(8), query.get("scope", "")
        self._asked[code] = query.get("code_challenge", "")
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}", 302)

    def grant(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        """What a refresh token buys, or a code: for once, and by who can say what its challenge was made of. None:
        nothing."""
        if form.get("grant_type") == "refresh_token":
            used = form.get("refresh_token", "")
            return self._granted(used) if used in self.refresh else None
        challenge = self._asked.pop(form.get("code", ""), None)
        digest = urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        return self._granted("") if challenge in ("", digest.decode()) else None

    def _granted(self, used: str) -> dict[str, Any]:
        fresh, access = secrets.token_hex(16), secrets.token_hex(16)
        self.refresh = [used, fresh] if self.lenient and used else [fresh]
        self.access.add(access)
        told = {"access_token": access, "expires_in": self.lasts, "token_type": "Bearer", "refresh_token": fresh}
        return told | ({"scope": self.scopes} if self.scopes else {})
