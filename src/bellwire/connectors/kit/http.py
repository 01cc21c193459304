"""Calls to a vendor's HTTP API: signed in, paced, version-pinned, every failure turned into an error class."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
import structlog
from pydantic import BaseModel, ValidationError

from bellwire.clock import Clock, parse_utc
from bellwire.connectors.kit.auth import (
    Basic,
    Bearer,
    ClientCredentials,
    Credentials,
    HeaderToken,
    NoAuth,
    OAuth2,
    SignedGrant,
)
from bellwire.connectors.kit.limits import Gate
from bellwire.connectors.kit.manifest import Manifest
from bellwire.connectors.kit.patience import Patience
from bellwire.errors import PACED, OutcomeUnknown, Refused, SignedOut, Transient, VendorError

log = structlog.get_logger()

before_writing: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("before_writing", default=None)
"""What has to be done before something is sent that can't simply be sent again: once the account's turn has come, so
that what only waits for it counts as not begun."""

_ANNOUNCEMENTS = ("Deprecation", "Sunset")

_SHORTEST_PAUSE = timedelta(seconds=1)
"""What a pause counts at least, so that a vendor isn't asked for ever."""


@dataclass(frozen=True)
class Answer:
    """A vendor's answer. `headers` are found by their name, whatever its case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    method: str
    path: str
    writes: bool = True
    """Whether the request may have changed something."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises Transient (for a write: OutcomeUnknown) when it isn't: a firewall or a maintenance
        page answered."""
        try:
            return orjson.loads(self.body)
        except ValueError as error:
            kind = OutcomeUnknown if self.writes else Transient
            raise kind(
                "The answer wasn't JSON: a maintenance page or a firewall in between?",
                cause="not-json",
                detail=f"{self.method} {self.path}: {self.status} {self.text[:200]!r}",
            ) from error

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def retry_after(self) -> timedelta | None:
        """The Retry-After header (RFC 9110, 10.2.3): seconds or a date."""
        value = self.headers.get("retry-after", "")
        if value.isdecimal():
            return timedelta(seconds=int(value))
        try:
            return max(timedelta(), parsedate_to_datetime(value) - datetime.now(UTC))
        except (ValueError, TypeError):
            return None


class Explain(Protocol):
    """A vendor's own reading of an answer: an error, or None when it is a success or has nothing special about it."""

    def __call__(self, answer: Answer, /) -> VendorError | None: ...


class Api:
    """The HTTP API of one connection. Opens its pool at the first call; `close` it in the end."""

    def __init__(
        self,
        manifest: Manifest,
        *,
        connection: str,
        base_url: str,
        home: str,
        root: str,
        overridden: bool,
        credentials: Credentials,
        explain: Explain,
        clock: Clock,
        timeout: timedelta | None = None,
    ) -> None:
        self._manifest = manifest
        self._connection = connection
        self._origin = base_url.rstrip("/")
        self._base = self._origin + "/" + root.strip("/")
        self._overridden = overridden
        self._home = home.rstrip("/")
        """The vendor's own origin."""
        self._credentials = credentials
        self._explain = explain
        self._clock = clock
        self.timeout = timeout or manifest.timeout
        self._patience = Patience(self.timeout.total_seconds())
        self.gate = Gate(manifest.limits, manifest.parallel)
        self.answered: Counter[int] = Counter()
        """How many requests were answered with each HTTP status since the process began; 0: with none."""
        self.notices: dict[str, str] = {}
        """What the vendor announced since the process began, by header, or by what else it was told in."""
        self._session: aiohttp.ClientSession | None = None
        self._renewing = asyncio.Lock()

    async def get(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await self.request("GET", path, params=params, headers=headers)

    async def post(
        self,
        path: str,
        json: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        paced_by: str = "",
    ) -> Answer:
        return await self.request("POST", path, json=json, params=params, headers=headers, paced_by=paced_by)

    async def put(self, path: str, json: Any = None, *, params: Mapping[str, str] | None = None) -> Answer:
        return await self.request("PUT", path, json=json, params=params)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        writes: bool | None = None,
        paced_by: str = "",
    ) -> Answer:
        """One request below the connection's root; an absolute path (`/oauth/…`) goes below its origin. A whole address
        (`https://…`, without a query) is called as it is, unless the connection has a `base_url` of its own: then its
        path is asked there.

        `writes` says whether it may change something, where the method doesn't (a GraphQL query is a POST); `paced_by`
        what limits that count apart count it by. Returns a successful answer; raises Transient, SignedOut, Refused or
        OutcomeUnknown otherwise. An expired sign-in is refreshed once and the request sent again. One that only reads
        waits when the vendor asks to slow down, as long as that ends within the time-out, and is sent again: so that a
        listing goes on from the page where it was.
        """
        writing = method not in ("GET", "HEAD") if writes is None else writes
        url, path = self._address(path), urlsplit(path).path
        data = orjson.dumps(json) if json is not None else body
        sent = {"Accept": "application/json", **self._manifest.headers, **(headers or {})}
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
        query = {**self._manifest.params, **(params or {})}
        refused, patience = "", self.timeout
        while True:
            token = await self._token(refused)
            answer = await self._send(method, url, path, query, sent | self._signed_in(token), data, writing, paced_by)
            error = self._explain(answer) or self._by_status(answer)
            if error is None:
                return answer
            if pause := error.retry_after if isinstance(error, Transient) else answer.retry_after:
                self.gate.pause(pause)
                patience -= max(pause, _SHORTEST_PAUSE)
                if not writing and error.cause == PACED and patience >= timedelta():
                    continue
            if not isinstance(error, SignedOut) or refused or not self._can_renew():
                raise error
            refused = token

    async def redeem(self, code: str, redirect_uri: str, verifier: str) -> None:
        """Buy the first tokens with the code of a consent (RFC 6749, 4.1.3; RFC 7636, 4.5), and store them. `verifier`
        is empty where the vendor has no PKCE. Raises SignedOut or Transient."""
        auth = self._manifest.auth
        assert isinstance(auth, OAuth2)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if verifier:
            form["code_verifier"] = verifier
        await self._ask_token(auth.token_url, form, self._client(), basic=auth.client_auth_basic)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one of the account's places and for its limits. Requests do so by themselves; calls that aren't
        HTTP use it. Raises Transient when the vendor asked for a pause that is longer than the time-out."""
        self._have_patience()
        async with self.gate.turn():
            await _prepare()
            yield

    def _address(self, path: str) -> str:
        parts = urlsplit(path)
        if parts.scheme:
            return self._origin + parts.path if self._overridden else path
        return self._origin + path if path.startswith("/") else f"{self._base.rstrip('/')}/{path}"

    def _have_patience(self) -> None:
        left = self.gate.paused_for
        if left > self.timeout:
            raise Transient(f"{self._manifest.title} asked to slow down.", cause=PACED, retry_after=left)

    async def close(self) -> None:
        self._patience.close()
        if self._session is not None:
            await self._session.close()

    async def _send(
        self,
        method: str,
        url: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        data: bytes | None,
        writing: bool,
        paced_by: str = "",
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Connecting fails first: then it is certain that nothing was asked.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(10, self.timeout.total_seconds() / 2)),
                connector=aiohttp.TCPConnector(limit=self._manifest.parallel),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        self._have_patience()
        lane = await self.gate.enter(path, paced_by)
        try:
            if writing:
                await _prepare()
            with self._patience.wait():
                async with self._session.request(
                    method, url, params=query or None, headers=headers, data=data, allow_redirects=False
                ) as response:
                    content = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            self.answered[0] += 1
            raise Transient(
                f"{self._manifest.title} can't be reached.", cause="unreachable", detail=f"{method} {path}: {error}"
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.answered[0] += 1
            said = "didn't answer in time" if isinstance(error, TimeoutError) else "broke off before it answered"
            detail = f"{method} {path}: {type(error).__name__} {_words(error)}".rstrip()
            if writing:
                raise OutcomeUnknown(
                    f"{self._manifest.title} {said}; what was asked may have been done.", detail=detail
                ) from error
            raise Transient(f"{self._manifest.title} {said}.", cause="no-answer", detail=detail) from error
        finally:
            self.gate.leave(lane)
        self.answered[response.status] += 1
        self.gate.learn(response.headers, lane)
        self._heed(response.headers)
        return Answer(response.status, response.headers, content, method, path, writing)

    def notice(self, source: str, sentence: str) -> None:
        """Remember what the vendor announced; `source` is where it said so."""
        if sentence and self.notices.get(source) != sentence:
            self.notices[source] = sentence
            log.warning("a vendor announced a change", connection=self._connection, source=source, said=sentence)

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Deprecation (RFC 9745), Sunset (RFC 8594), the vendor's own, and the version that was really used."""
        for name in (*_ANNOUNCEMENTS, *self._manifest.notices):
            self.notice(name, headers.get(name, ""))
        used = headers.get(self._manifest.version_echo, "") if self._manifest.version_echo else ""
        if used and used != self._manifest.api_version:
            self.notice(self._manifest.version_echo, f"{used} was used instead of {self._manifest.api_version}")

    def _by_status(self, answer: Answer) -> VendorError | None:
        """What an answer means where the vendor has no words of its own for it."""
        if answer.ok:
            return None
        title, status = self._manifest.title, answer.status
        detail = f"{answer.method} {answer.path}: {status} {answer.text[:300]}"
        if status == 429:
            return Transient(f"{title} asked to slow down.", cause=PACED, detail=detail, retry_after=answer.retry_after)
        if status == 401:
            return SignedOut(
                f"{title} no longer accepts the sign-in of connection '{self._connection}'.",
                detail=detail,
                remedy=self._sign_in_again,
            )
        if status in (408, 425) or status >= 500:
            if answer.writes and status != 425:
                return OutcomeUnknown(
                    f"{title} failed ({status}) and didn't say whether it did what was asked.",
                    cause="vendor-failed",
                    detail=detail,
                )
            return Transient(
                f"{title} failed ({status}).", cause="vendor-failed", detail=detail, retry_after=answer.retry_after
            )
        return Refused(f"{title} refused it ({status}).", cause=f"refused-{status}", detail=detail)

    # Signing in

    @property
    def _sign_in_again(self) -> str:
        name = self._connection
        return f"Set new credentials: `bellwire secrets list` says which, `bellwire secrets set {name} …` takes them."

    def _signed_in(self, token: str) -> dict[str, str]:
        """The headers that carry the credentials; `token` is the access token, if there is one. Raises
        MissingCredential."""
        get = self._credentials.get
        match self._manifest.auth:
            case NoAuth():
                return {}
            case HeaderToken(header, credential):
                return {header: get(credential)}
            case Bearer(credential):
                return {"Authorization": f"Bearer {get(credential)}"}
            case Basic(user, password):
                return {"Authorization": _basic(get(user), get(password))}
            case ClientCredentials(header=header, prefix=prefix):
                return {header: prefix + token}
            case OAuth2() | SignedGrant():
                return {"Authorization": f"Bearer {token}"}

    @property
    def _renewed(self) -> OAuth2 | ClientCredentials | SignedGrant | None:
        """How its access token is renewed; None: it signs in without one."""
        auth = self._manifest.auth
        if isinstance(auth, OAuth2) and auth.service and self._credentials.find("private_key") is not None:
            return auth.service
        return auth if isinstance(auth, OAuth2 | ClientCredentials | SignedGrant) else None

    async def _token(self, refused: str) -> str:
        """The access token, renewed ahead of its end, or when the vendor has `refused` it: by one caller, of
        whichever process, while the others wait; empty: it signs in without one. Raises MissingCredential, SignedOut or
        Transient."""
        auth = self._renewed
        if auth is None:
            return ""
        if not self._can_renew():
            return self._credentials.get("access_token")
        if token := self._usable_token(auth.refresh_ahead, refused):
            return token
        async with self._renewing, self._credentials.renewing():
            renewed_meanwhile = self._usable_token(auth.refresh_ahead, refused)
            return renewed_meanwhile or await self._renew(auth)

    def _can_renew(self) -> bool:
        match self._renewed:
            case OAuth2():
                return self._credentials.find("refresh_token") is not None
            case ClientCredentials():
                return self._credentials.find("client_id") is not None
            case SignedGrant():
                return self._credentials.find("private_key") is not None
            case _:
                return False

    def _usable_token(self, ahead: timedelta, refused: str) -> str | None:
        token = self._credentials.find("access_token")
        ends = self._credentials.find("access_token_expires_at")
        ending = ends is not None and parse_utc(ends) - self._clock() < ahead
        return None if token == refused or ending else token

    async def _renew(self, auth: OAuth2 | ClientCredentials | SignedGrant) -> str:
        if isinstance(auth, SignedGrant):
            try:
                form = auth.form(self._credentials, self._home, self._clock())
            except ValueError as error:
                raise SignedOut(
                    f"The private_key of connection '{self._connection}' can't be used: {error}.",
                    cause="private-key",
                    remedy="It is all of the text from '-----BEGIN PRIVATE KEY-----' to its end, in several lines: "
                    f"take it from its file with `bellwire secrets set {self._connection} private_key < FILE`.",
                ) from None
            return await self._ask_token(auth.token_url, form)
        if isinstance(auth, ClientCredentials):
            return await self._ask_token(auth.token_url, {"grant_type": "client_credentials"}, self._client())
        old = self._credentials.get("refresh_token")
        form = {"grant_type": "refresh_token", "refresh_token": old}
        try:
            return await self._ask_token(auth.token_url, form, self._client(), basic=auth.client_auth_basic)
        except SignedOut:
            # Another process may have used this refresh token up, and stored the next one.
            if self._credentials.get("refresh_token") != old:
                return self._credentials.get("access_token")
            raise

    def _client(self) -> tuple[str, str]:
        return self._credentials.get("client_id"), self._credentials.get("client_secret")

    async def _ask_token(
        self, token_url: str, form: Mapping[str, str], client: tuple[str, str] | None = None, *, basic: bool = False
    ) -> str:
        """Ask the token endpoint (RFC 6749, 5 and 6), and store what it gives before it is used. `client` is id and
        secret, where it isn't the form that says who asks."""
        title = self._manifest.title
        path = urlsplit(token_url).path
        url = self._address(token_url)
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if client and basic:
            headers["Authorization"] = _basic(*client)
        elif client:
            form = {**form, "client_id": client[0], "client_secret": client[1]}
        answer = await self._send("POST", url, path, {}, headers, urlencode(form).encode(), writing=False)
        if answer.status in (400, 401):
            refusal = self._explain(answer)
            if not isinstance(refusal, SignedOut):
                refusal = SignedOut(
                    f"{title} no longer accepts the sign-in of connection '{self._connection}'.",
                    detail=f"token endpoint: {answer.status} {answer.text[:200]}",
                    remedy=self._sign_in_again,
                )
            raise refusal
        try:
            grant = _Grant.model_validate_json(answer.body)
        except ValidationError as error:
            raise Transient(
                f"{title} gives no sign-in now ({answer.status}).",
                cause="no-sign-in",
                detail=f"token endpoint: {answer.status}, no access token in the answer",
                retry_after=answer.retry_after,
            ) from error
        ends = self._clock() + timedelta(seconds=grant.expires_in)
        renewed = {"access_token": grant.access_token, "access_token_expires_at": ends.isoformat()}
        if grant.refresh_token:
            renewed["refresh_token"] = grant.refresh_token
        self._credentials.store(renewed)
        return grant.access_token


def _words(error: Exception) -> str:
    """What an error says. Some name the whole address, and the query of one may be a secret."""
    return error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)


async def _prepare() -> None:
    prepare = before_writing.get()
    if prepare is not None:
        await prepare()


class _Grant(BaseModel):
    """A token endpoint's answer (RFC 6749, 5.1)."""

    access_token: str
    # Unknown lifetime: assume an hour rather than for ever.
    expires_in: int = 3600
    refresh_token: str = ""


def _basic(user: str, password: str) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
