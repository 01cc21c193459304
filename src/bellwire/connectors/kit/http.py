"""Calls to a vendor's HTTP API: signed in, paced, version-pinned, every failure turned into an error class."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp
import orjson

from bellwire.clock import Clock
from bellwire.connectors.kit.auth import Basic, Bearer, ClientCredentials, Credentials, HeaderToken, NoAuth, OAuth2
from bellwire.connectors.kit.limits import Gate
from bellwire.connectors.kit.manifest import Manifest
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError


@dataclass(frozen=True)
class Answer:
    """A vendor's answer. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    method: str
    path: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def writes(self) -> bool:
        """Whether the request may have changed something."""
        return self.method not in ("GET", "HEAD")

    def json(self) -> Any:
        """The body as JSON. Raises Transient when it isn't: a firewall or a maintenance page answered."""
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
        self._credentials = credentials
        self._explain = explain
        self._clock = clock
        self._timeout = timeout or manifest.timeout
        self.gate = Gate(manifest.limits)
        self._session: aiohttp.ClientSession | None = None
        self._parallel = asyncio.Semaphore(manifest.parallel)
        self._refreshing = asyncio.Lock()

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
    ) -> Answer:
        return await self.request("POST", path, json=json, params=params, headers=headers)

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
    ) -> Answer:
        """One request below the connection's root; an absolute path (`/oauth/…`) goes below its origin.

        `writes` says whether it may change something, where the method doesn't (a GraphQL query is a POST).
        Returns a successful answer; raises Transient, SignedOut, Refused or OutcomeUnknown otherwise. An expired
        sign-in is refreshed once and the request sent again.
        """
        writing = method not in ("GET", "HEAD") if writes is None else writes
        url = self._origin + path if path.startswith("/") else f"{self._base.rstrip('/')}/{path}"
        data = orjson.dumps(json) if json is not None else body
        sent = {"Accept": "application/json", **self._manifest.headers, **(headers or {})}
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
        query = {**self._manifest.params, **(params or {})}
        for last in (False, True):
            signed = sent | await self._sign_in(force=last)
            answer = await self._send(method, url, path, query, signed, data, writing)
            error = self._explain(answer) or self._by_status(answer, writing)
            if error is None:
                return answer
            if isinstance(error, Transient) and error.retry_after:
                self.gate.pause(error.retry_after)
            if not isinstance(error, SignedOut) or last or not self._can_refresh():
                raise error
        raise AssertionError("unreachable")

    async def close(self) -> None:
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
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout.total_seconds(), connect=10),
                connector=aiohttp.TCPConnector(limit=self._manifest.parallel),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        try:
            async with (
                self._parallel,
                self._paced(),
                self._session.request(
                    method, url, params=query or None, headers=headers, data=data, allow_redirects=False
                ) as response,
            ):
                content = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Transient(
                f"{self._manifest.title} can't be reached.", cause="unreachable", detail=f"{method} {path}: {error}"
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = "didn't answer in time" if isinstance(error, TimeoutError) else "broke off before it answered"
            detail = f"{method} {path}: {type(error).__name__} {error}".rstrip()
            if writing:
                raise OutcomeUnknown(
                    f"{self._manifest.title} {said}; what was asked may have been done.", detail=detail
                ) from error
            raise Transient(f"{self._manifest.title} {said}.", cause="no-answer", detail=detail) from error
        answer = Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, content, method, path)
        self.gate.learn(answer.headers)
        return answer

    def _paced(self) -> "_Paced":
        return _Paced(self.gate)

    def _by_status(self, answer: Answer, writing: bool) -> VendorError | None:
        """What an answer means where the vendor has no words of its own for it."""
        title, status = self._manifest.title, answer.status
        detail = f"{answer.method} {answer.path}: {status} {answer.text[:300]}"
        if answer.ok:
            return None
        if status == 429:
            return Transient(
                f"{title} asked to slow down.", cause="rate-limited", detail=detail, retry_after=answer.retry_after
            )
        if status == 401:
            return SignedOut(
                f"{title} no longer accepts the sign-in of connection '{self._connection}'.",
                detail=detail,
                remedy=f"Sign in again: `bellwire secrets set {self._connection} FIELD`.",
            )
        if status in (408, 425) or status >= 500:
            if writing and status != 425:
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

    def _can_refresh(self) -> bool:
        match self._manifest.auth:
            case OAuth2():
                return bool(self._credentials.find("refresh_token"))
            case ClientCredentials():
                return bool(self._credentials.find("client_id"))
            case _:
                return False

    async def _sign_in(self, *, force: bool) -> dict[str, str]:
        """The headers that carry the credentials. Raises MissingCredential, SignedOut or Transient."""
        get = self._credentials.get
        match self._manifest.auth:
            case NoAuth():
                return {}
            case HeaderToken(header, credential):
                return {header: get(credential)}
            case Bearer(credential):
                return {"Authorization": f"Bearer {get(credential)}"}
            case Basic(user, password):
                pair = f"{get(user)}:{get(password)}".encode()
                return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
            case ClientCredentials() as auth:
                return {auth.header: auth.prefix + await self._token(auth.refresh_ahead, force, self._ask_client_token)}
            case OAuth2() as auth:
                return {"Authorization": "Bearer " + await self._token(auth.refresh_ahead, force, self._ask_refresh)}

    async def _token(self, ahead: timedelta, force: bool, ask: Callable[[], Any]) -> str:
        """The access token, renewed ahead of its end by one caller while the others wait."""
        token = self._credentials.find("access_token")
        if not self._can_refresh():
            return self._credentials.get("access_token")
        if not force and token and not self._ends_within(ahead):
            return token
        async with self._refreshing:
            current = self._credentials.find("access_token")
            if current and current != token:  # another caller has just renewed it
                return current
            await ask()
        return self._credentials.get("access_token")

    def _ends_within(self, ahead: timedelta) -> bool:
        ends = self._credentials.find("access_token_expires_at")
        return ends is not None and datetime.fromisoformat(ends) - self._clock() < ahead

    async def _ask_refresh(self) -> None:
        auth = self._manifest.auth
        assert isinstance(auth, OAuth2)
        form = {"grant_type": "refresh_token", "refresh_token": self._credentials.get("refresh_token")}
        await self._ask_token(auth.token_url, form, basic=auth.client_auth_basic)

    async def _ask_client_token(self) -> None:
        auth = self._manifest.auth
        assert isinstance(auth, ClientCredentials)
        await self._ask_token(auth.token_url, {"grant_type": "client_credentials"}, basic=False)

    async def _ask_token(self, token_url: str, form: dict[str, str], *, basic: bool) -> None:
        """Ask the token endpoint (RFC 6749, 5 and 6) and store what it gives before it is used."""
        title = self._manifest.title
        url = urljoin(self._origin, token_url)
        if self._overridden:
            url = self._origin + urlsplit(token_url).path
        client = self._credentials.get("client_id"), self._credentials.get("client_secret")
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if basic:
            headers["Authorization"] = aiohttp.BasicAuth(*client).encode()
        else:
            form = form | {"client_id": client[0], "client_secret": client[1]}
        answer = await self._send("POST", url, urlsplit(url).path, {}, headers, urlencode(form).encode(), writing=False)
        if answer.status in (400, 401):
            raise SignedOut(
                f"{title} no longer accepts the sign-in of connection '{self._connection}'.",
                cause="signed-out",
                detail=f"token endpoint: {answer.status} {answer.text[:200]}",
                remedy=f"Sign in again, then run `bellwire secrets set {self._connection} refresh_token`.",
            )
        if not answer.ok:
            raise Transient(f"{title} gives no sign-in now ({answer.status}).", detail=answer.text[:200])
        given = answer.json()
        # Unknown lifetime: assume an hour rather than for ever.
        ends = self._clock() + timedelta(seconds=int(given.get("expires_in") or 3600))
        renewed = {"access_token": given["access_token"], "access_token_expires_at": ends.isoformat()}
        if given.get("refresh_token"):
            renewed["refresh_token"] = given["refresh_token"]
        self._credentials.store(renewed)


class _Paced:
    """Waits for the account's turn on the way in."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __aenter__(self) -> None:
        await self._gate.wait()

    async def __aexit__(self, *_: object) -> None:
        return None
