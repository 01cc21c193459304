"""How the requests of one connection are signed in: with a secret as it is, with a token that is renewed, in a session.

What expires is renewed ahead of its end, or when the vendor refuses it: by one caller, while the others wait.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from pydantic import AwareDatetime, BaseModel, ValidationError

from bellwire.clock import Clock, parse_utc
from bellwire.connectors.kit.answer import Answer, Explain
from bellwire.connectors.kit.auth import (
    Auth,
    Basic,
    Bearer,
    ClientCredentials,
    Credentials,
    HeaderToken,
    NoAuth,
    OAuth2,
    SessionLogin,
    SignedGrant,
)
from bellwire.connectors.kit.manifest import Manifest
from bellwire.errors import SignedOut, Transient, VendorError

_LOGOUT_SECONDS = 2.0
"""How long closing waits for a vendor to end the session."""

Ask = Callable[[str, Mapping[str, str], bytes | None], Awaitable[Answer]]
"""POSTs to a path, as `Api.address` reads it, with these headers and body, and without a sign-in."""
Renewed = OAuth2 | ClientCredentials | SignedGrant
"""Ways to sign in whose access token is bought at a token endpoint."""


def sign_in_again(connection: str) -> str:
    """What to do once the vendor doesn't take the credentials any more."""
    return (
        f"Give it a sign-in that works: `bellwire connect {connection}` shows how, and"
        f" `bellwire secrets set {connection} …` takes new credentials."
    )


class SignIn:
    """Of one connection. `home` is the vendor's own origin."""

    def __init__(
        self,
        manifest: Manifest,
        connection: str,
        credentials: Credentials,
        explain: Explain,
        clock: Clock,
        ask: Ask,
        settings: Mapping[str, Any],
        home: str,
    ) -> None:
        self._manifest = manifest
        self._connection = connection
        self._credentials = credentials
        self._explain = explain
        self._clock = clock
        self._ask = ask
        self._settings = settings
        self._home = home.rstrip("/")
        self._renewing = asyncio.Lock()
        self._cookies = ""
        """Of the vendor's session; empty: there is none."""
        self._cookies_used = datetime.min.replace(tzinfo=UTC)

    async def headers(self, refused: str = "") -> tuple[dict[str, str], str]:
        """Those that carry the credentials, and the token in them: empty where it isn't one that could be renewed.
        `refused` is the one that the vendor didn't take. Raises MissingCredential, SignedOut or Transient."""
        get = self._credentials.get
        match self._way:
            case NoAuth():
                return {}, ""
            case HeaderToken(header, credential):
                return {header: get(credential)}, ""
            case Bearer(credential):
                return {"Authorization": f"Bearer {get(credential)}"}, ""
            case Basic(user, password):
                return {"Authorization": _basic(get(user), get(password))}, ""
            case SessionLogin() as way:
                cookies = await self._in_session(way, refused)
                return {"Cookie": cookies}, cookies
            case ClientCredentials(header=header, prefix=prefix) as way:
                token = await self._token(way, refused)
                return {header: prefix + token}, token
            case OAuth2() | SignedGrant() as way:
                token = await self._token(way, refused)
                return {"Authorization": f"Bearer {token}"}, token

    @property
    def renewable(self) -> bool:
        """Whether there is a way to another token when the vendor refuses one."""
        match self._way:
            case OAuth2():
                return self._credentials.find("refresh_token") is not None
            case ClientCredentials():
                return self._credentials.find("client_id") is not None
            case SignedGrant():
                return self._credentials.find("private_key") is not None
            case SessionLogin():
                return True
            case _:
                return False

    async def redeem(self, code: str, redirect_uri: str, verifier: str) -> None:
        """Buy the first tokens with the code of a consent (RFC 6749, 4.1.3; RFC 7636, 4.5), and store them. `verifier`
        is empty where the vendor has no PKCE. Raises SignedOut or Transient."""
        auth = self._manifest.auth
        assert isinstance(auth, OAuth2)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        await self._buy(auth, form | ({"code_verifier": verifier} if verifier else {}))

    async def end(self) -> None:
        """Log out of a session, as far as the vendor can be reached: it ends it by itself later."""
        way = self._manifest.auth
        if isinstance(way, SessionLogin) and self._cookies:
            with suppress(VendorError, TimeoutError):
                async with asyncio.timeout(_LOGOUT_SECONDS):
                    await self._ask(way.logout, {"Cookie": self._cookies}, None)
            self._cookies = ""

    @property
    def _way(self) -> Auth:
        """Some vendors have several, and a connection's credentials say which is its own."""
        find = self._credentials.find
        match self._manifest.auth:
            case OAuth2(service=SignedGrant() as service) if find("private_key") is not None:
                return service
            case ClientCredentials(instead=Basic() as older) if (
                find("client_id") is None and find(older.password) is not None
            ):
                return older
            case auth:
                return auth

    # Tokens

    async def _token(self, way: Renewed, refused: str) -> str:
        if not self.renewable:
            return self._credentials.get("access_token")
        if token := self._usable_token(way.refresh_ahead, refused):
            return token
        async with self._renewing, self._credentials.renewing():
            # Another caller, of whichever process, may have been quicker.
            return self._usable_token(way.refresh_ahead, refused) or await self._renew(way)

    def _usable_token(self, ahead: timedelta, refused: str) -> str | None:
        token = self._credentials.find("access_token")
        ends = self._credentials.find("access_token_expires_at")
        ending = ends is not None and parse_utc(ends) - self._clock() < ahead
        return None if token == refused or ending else token

    async def _renew(self, way: Renewed) -> str:
        match way:
            case SignedGrant():
                return await self._buy(way, self._signed(way))
            case ClientCredentials():
                form = {"grant_type": "client_credentials"}
                return await self._buy(way, form | ({"scope": way.scope} if way.scope else {}))
            case OAuth2():
                old = self._credentials.get("refresh_token")
                try:
                    return await self._buy(way, {"grant_type": "refresh_token", "refresh_token": old})
                except SignedOut:
                    # Another process may have used this refresh token up, and stored the next one.
                    if self._credentials.get("refresh_token") != old:
                        return self._credentials.get("access_token")
                    raise

    def _signed(self, way: SignedGrant) -> dict[str, str]:
        try:
            return way.form(self._credentials, self._home, self._clock())
        except ValueError as error:
            raise SignedOut(
                f"The private_key of connection '{self._connection}' can't be used: {error}.",
                cause="private-key",
                remedy="It is all of the text from '-----BEGIN PRIVATE KEY-----' to its end, in several lines, as it "
                f"stands in its file; `bellwire secrets set {self._connection} private_key < FILE` takes it.",
            ) from None

    async def _buy(self, way: Renewed, form: Mapping[str, str]) -> str:
        """Ask the token endpoint (RFC 6749, 5 and 6), and store what it gives before it is used."""
        answer = await self._ask(way.token_url, *self._asked(way, form))
        if answer.status in (400, 401) or (answer.ok and _refusal(answer.body)):
            raise self._refused(answer)
        try:
            grant = _Grant.model_validate_json(answer.body)
        except ValidationError as error:
            raise self._no_sign_in(answer, "token endpoint", "no access token") from error
        ends = grant.expires_at or self._clock() + timedelta(seconds=grant.expires_in)
        renewed = {"access_token": grant.access_token, "access_token_expires_at": ends.isoformat()}
        if grant.refresh_token:
            renewed["refresh_token"] = grant.refresh_token
        if grant.scope:
            renewed["granted_scopes"] = grant.scope
        self._credentials.store(renewed)
        return grant.access_token

    def _asked(self, way: Renewed, form: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
        """Headers and body for the token endpoint. A form that we signed says by itself who asks."""
        headers, sent = dict[str, str](), dict(form)
        if not isinstance(way, SignedGrant):
            client = self._credentials.get("client_id"), self._credentials.get("client_secret")
            if way.client_auth_basic:
                headers["Authorization"] = _basic(*client)
            else:
                sent |= {"client_id": client[0], "client_secret": client[1]}
        if isinstance(way, OAuth2) and way.json:
            return headers | {"Content-Type": "application/json"}, orjson.dumps(sent)
        return headers | {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(sent).encode()

    def _refused(self, answer: Answer) -> SignedOut:
        said = self._explain(answer)
        if isinstance(said, SignedOut):
            return said
        return SignedOut(
            f"{self._manifest.title} no longer accepts the sign-in of connection '{self._connection}'.",
            detail=f"token endpoint: {answer.status} {answer.text[:200]}",
            remedy=sign_in_again(self._connection),
        )

    def _no_sign_in(self, answer: Answer, place: str, lacking: str) -> Transient:
        return Transient(
            f"{self._manifest.title} gives no sign-in now ({answer.status}).",
            cause="no-sign-in",
            detail=f"{place}: {answer.status}, {lacking} in the answer",
            retry_after=answer.retry_after,
        )

    # Sessions

    async def _in_session(self, way: SessionLogin, refused: str) -> str:
        """Its cookies."""
        if not self._usable_session(way, refused):
            async with self._renewing:
                if not self._usable_session(way, refused):
                    self._cookies = await self._log_in(way)
        self._cookies_used = self._clock()
        return self._cookies

    def _usable_session(self, way: SessionLogin, refused: str) -> bool:
        return self._cookies not in ("", refused) and self._clock() - self._cookies_used < way.idle

    async def _log_in(self, way: SessionLogin) -> str:
        """Raises MissingCredential, SignedOut, Refused or Transient."""
        given = {
            name: self._settings[source] if source in self._settings else self._credentials.get(source)
            for name, source in way.fields.items()
        }
        answer = await self._ask(way.login, {"Content-Type": "application/json"}, orjson.dumps(given))
        if error := self._explain(answer):
            raise error
        if answer.status == 401:
            raise self._refused(answer)
        cookies = "; ".join(f"{name}={answer.cookies[name]}" for name in way.cookies if name in answer.cookies)
        if not answer.ok or not cookies:
            raise self._no_sign_in(answer, way.login, f"no cookie of {', '.join(way.cookies)}")
        return cookies


class _Grant(BaseModel):
    """A token endpoint's answer (RFC 6749, 5.1). Some say when the token ends instead of how long it is good."""

    access_token: str
    expires_at: AwareDatetime | None = None
    # Unknown lifetime: assume an hour rather than for ever.
    expires_in: int = 3600
    refresh_token: str = ""
    scope: str = ""
    """What it may be used for, separated by spaces (by commas at some vendors)."""


def _refusal(body: bytes) -> bool:
    """Whether it is one of the errors of RFC 6749, 5.2, or one made after them: some vendors say so with status 200."""
    try:
        said = orjson.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and str(said.get("error", "")).startswith("invalid_")


def _basic(user: str, password: str) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
