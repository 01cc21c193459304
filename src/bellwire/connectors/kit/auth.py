"""Ways to sign in, declared in a manifest and carried out by the HTTP client."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from bellwire.connectors.kit import jwt

_ASSERTED = timedelta(minutes=10)
"""How long what we sign about ourselves is good: vendors take no more than an hour, and their clocks may differ."""
_KINDS = "urn:ietf:params:oauth:"


class Credentials(Protocol):
    """The secrets of one connection."""

    def get(self, field: str) -> str:
        """The secret, from the environment or the vault. Raises MissingCredential."""

    def find(self, field: str) -> str | None:
        """The same, or None when there is none."""

    def store(self, values: Mapping[str, str]) -> None:
        """Keep new values durably before returning: a rotated refresh token is stored before it is used."""

    def renewing(self) -> AbstractAsyncContextManager[None]:
        """For the length of the block, nobody else who has these credentials renews the sign-in."""


@dataclass(frozen=True)
class NoAuth:
    """The address itself is the secret, or there is nothing to sign in to."""


@dataclass(frozen=True)
class HeaderToken:
    """A token in a header of its own."""

    header: str
    credential: str = "access_token"


@dataclass(frozen=True)
class Bearer:
    """`Authorization: Bearer …` with a token that doesn't expire by itself."""

    credential: str = "access_token"


@dataclass(frozen=True)
class Basic:
    """HTTP Basic (RFC 7617)."""

    user: str
    password: str


@dataclass(frozen=True)
class Consent:
    """The owner's consent in the browser (RFC 6749, 4.1), with `state` and, where there is PKCE, that (RFC 7636)."""

    url: str
    """Absolute; where a connection has a `base_url` of its own, its path is opened there instead. One that begins with
    `/` is below the connection's own origin."""
    pkce: bool = True
    scope_separator: str = " "
    params: Mapping[str, str] = field(default_factory=dict)
    """What the vendor wants beside the standard's, e.g. `access_type`."""


@dataclass(frozen=True)
class OAuth2:
    """OAuth 2.0 (RFC 6749) with a refresh token. Credentials: `client_id`, `client_secret`, `refresh_token`, and
    `access_token` with `access_token_expires_at` (ISO 8601), which the client keeps up to date.

    `token_url` is absolute; where a connection has a `base_url` of its own, its path is asked there instead. One that
    begins with `/` is below the connection's own origin.
    An access token alone, without a refresh token, is used until the vendor refuses it.
    """

    token_url: str
    refresh_ahead: timedelta = timedelta(minutes=5)
    client_auth_basic: bool = True
    """Client id and secret by HTTP Basic; else among what is sent."""
    json: bool = False
    """The token endpoint wants JSON, where the standard has a form."""
    consent: Consent | None = None
    """How the first refresh token comes about."""
    service: "SignedGrant | None" = None
    """How an account of no person's signs in instead: a connection that has its private key does so."""


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth 2.0 client credentials grant: `client_id` and `client_secret` buy a short-lived token, sent in `header`
    (with `prefix`). A connection that has a permanent `access_token` instead uses that. A `token_url` that begins with
    `/` is below the connection's own origin."""

    token_url: str
    header: str = "Authorization"
    prefix: str = "Bearer "
    refresh_ahead: timedelta = timedelta(minutes=5)
    client_auth_basic: bool = False
    """Client id and secret by HTTP Basic; else in the form."""
    scope: str = ""
    """What the token is to be for, where the vendor wants to be told (RFC 6749, 4.4.2)."""
    instead: Basic | None = None
    """An older way that the vendor still takes: used by connections that have its password and no `client_id`."""


@dataclass(frozen=True)
class SessionLogin:
    """A session: `login` is posted to, and the cookies that come of it go with every call. Each process has one of its
    own, in memory, and makes it anew when the vendor has ended it, or may have because it lay idle. It is logged out
    of in the end."""

    login: str
    """Below the connection's root, as `logout` is."""
    logout: str
    fields: Mapping[str, str]
    """What is posted, as JSON → the setting or the credential that holds it."""
    cookies: tuple[str, ...]
    """Those that are sent back, as far as the vendor sets them."""
    idle: timedelta
    """How long it may lie unused: less than the vendor's time-out."""


@dataclass(frozen=True)
class SignedGrant:
    """A JWT that we sign (RFC 7523) buys a short-lived token: by itself (2.1), or as the client's assertion of who it
    is, with a client credentials grant (2.2). Credentials: `private_key` (PEM), those named here, and `access_token`
    with `access_token_expires_at`, which the client keeps up to date.

    `token_url` as of `OAuth2`.
    """

    token_url: str
    issuer: str = "client_id"
    """The credential that is the claim `iss`."""
    subject: str = ""
    """The credential that is `sub`, for whom we act; empty, or a connection that has none: no such claim."""
    audience: str = "{url}"
    """The claim `aud`. `{url}` stands for the vendor's own token endpoint, `{host}` for its host: also where a
    connection has a `base_url` of its own."""
    scope: str = ""
    key_id: str = ""
    """The credential that tells the vendor which key it is (`kid`); empty: it knows."""
    as_client: bool = False
    """It says who the client is, rather than being the grant."""
    pss: bool = False
    """An RSA key signs PS256 rather than RS256. An EC key (P-256) signs ES256."""
    refresh_ahead: timedelta = timedelta(minutes=5)

    def form(self, credentials: Credentials, home: str, now: datetime) -> dict[str, str]:
        """What the token endpoint is asked. `home` is the vendor's own origin, for a `token_url` below it. Raises
        MissingCredential; ValueError when the private key is none."""
        url = self.token_url if urlsplit(self.token_url).scheme else home + self.token_url
        claims: dict[str, Any] = {
            "iss": credentials.get(self.issuer),
            "aud": self.audience.format(url=url, host=urlsplit(url).netloc),
            "iat": int(now.timestamp()),
            "exp": int((now + _ASSERTED).timestamp()),
        }
        if self.scope:
            claims["scope"] = self.scope
        if subject := self.subject and credentials.find(self.subject):
            claims["sub"] = subject
        key_id = credentials.get(self.key_id) if self.key_id else ""
        token = jwt.signed(claims, credentials.get("private_key"), pss=self.pss, key_id=key_id)
        if self.as_client:
            kind = f"{_KINDS}client-assertion-type:jwt-bearer"
            return {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": token}
        return {"grant_type": f"{_KINDS}grant-type:jwt-bearer", "assertion": token}


Auth = NoAuth | HeaderToken | Bearer | Basic | OAuth2 | ClientCredentials | SignedGrant | SessionLogin
