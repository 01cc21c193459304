"""Calls to a vendor's HTTP API: signed in, paced, version-pinned, every failure turned into an error class."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import structlog

from bellwire.clock import Clock
from bellwire.connectors.kit.answer import Answer, Explain
from bellwire.connectors.kit.auth import Credentials
from bellwire.connectors.kit.exchanges import Asked, Secrets, collecting
from bellwire.connectors.kit.limits import Gate
from bellwire.connectors.kit.manifest import Manifest
from bellwire.connectors.kit.patience import Patience
from bellwire.connectors.kit.public import Public
from bellwire.connectors.kit.signing_in import SignIn, sign_in_again
from bellwire.errors import PACED, OutcomeUnknown, Refused, SignedOut, Transient, VendorError

log = structlog.get_logger()

before_writing: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("before_writing", default=None)
"""What has to be done before something is sent that can't simply be sent again: once the account's turn has come, so
that what only waits for it counts as not begun."""

has_written: ContextVar[Callable[[], None] | None] = ContextVar("has_written", default=None)
"""Told that something which may have changed something was answered well: whatever fails afterwards, a part is done."""

_ANNOUNCEMENTS = ("Deprecation", "Sunset")

_SHORTEST_PAUSE = timedelta(seconds=1)
"""What a pause counts at least, so that a vendor isn't asked for ever."""


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
        settings: Mapping[str, Any] | None = None,
        trust: ssl.SSLContext | None = None,
        public: Public | None = None,
    ) -> None:
        """`home` is the vendor's own origin, also where `base_url` is another; `settings` are those of the connection,
        for sign-ins that need them; `trust` says whose certificates count, where it isn't the machine's own choice."""
        self._manifest = manifest
        self._connection = connection
        self._origin = base_url.rstrip("/")
        self._base = self._origin + "/" + root.strip("/")
        self._overridden = overridden
        self._explain = explain
        self._clock = clock
        self._public = public
        self.timeout = timeout or manifest.timeout
        self._patience = Patience(self.timeout.total_seconds())
        self.gate = Gate(manifest.limits, manifest.parallel)
        self.answered: Counter[int] = Counter()
        """How many requests were answered with each HTTP status since the process began; 0: with none."""
        self.notices: dict[str, str] = {}
        """What the vendor announced since the process began, by header, or by what else it was told in."""
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None
        self._secrets = Secrets(credentials, (each.field for each in manifest.credentials))
        self.sign_in = SignIn(manifest, connection, credentials, explain, clock, self._ask, settings or {}, home)

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
        url, path = self.address(path), urlsplit(path).path
        data = orjson.dumps(json) if json is not None else body
        sent = {"Accept": "application/json", **self._manifest.headers, **(headers or {})}
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
        query = {**self._manifest.params, **(params or {})}
        refused, patience, dropped = "", self.timeout, False
        while True:
            signed_in, token = await self.sign_in.headers(refused)
            try:
                answer = await self._collected(method, url, path, query, sent, signed_in, data, writing, paced_by)
            except Transient as broken:
                # A kept connection that the vendor closed just now: what only reads is asked again, once.
                if dropped or not isinstance(broken.__cause__, aiohttp.ServerDisconnectedError):
                    raise
                dropped = True
                continue
            error = self._explain(answer) or self._by_status(answer)
            if error is None:
                if writing:
                    _written()
                return answer
            if pause := error.retry_after if isinstance(error, Transient) else answer.retry_after:
                self.gate.pause(pause)
                patience -= max(pause, _SHORTEST_PAUSE)
                if not writing and error.cause == PACED and patience >= timedelta():
                    continue
            if not isinstance(error, SignedOut) or refused or not self.sign_in.renewable:
                raise error
            refused = token

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one of the account's places and for its limits. Requests do so by themselves; calls that aren't
        HTTP use it. Raises Transient when the vendor asked for a pause that is longer than the time-out."""
        self._have_patience()
        async with self.gate.turn():
            await _prepare()
            yield
        _written()

    @property
    def overridden(self) -> bool:
        """Whether another server is called instead of the vendor's own."""
        return self._overridden

    def address(self, path: str) -> str:
        """Where a request to `path` goes, as `request` reads it."""
        parts = urlsplit(path)
        if parts.scheme:
            return self._origin + parts.path if self._overridden else path
        return self._origin + path if path.startswith("/") else f"{self._base.rstrip('/')}/{path}"

    def _have_patience(self) -> None:
        left = self.gate.paused_for
        if left > self.timeout:
            raise Transient(f"{self._manifest.title} asked to slow down.", cause=PACED, retry_after=left)

    async def close(self) -> None:
        await self.sign_in.end()
        self._patience.close()
        if self._session is not None:
            await self._session.close()

    async def _ask(self, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """POST something that signs in, or out: so without a sign-in."""
        url = self.address(path)
        sent = {"Accept": "application/json", **self._manifest.headers, **headers}
        return await self._send("POST", url, urlsplit(url).path, {}, sent, body, writing=False)

    async def _collected(
        self,
        method: str,
        url: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        signed_in: Mapping[str, str],
        data: bytes | None,
        writing: bool,
        paced_by: str,
    ) -> Answer:
        """`_send`, with what was asked and answered put where the attempt collects it."""
        whole = {**headers, **signed_in}
        exchanges = collecting.get()
        if exchanges is None:
            return await self._send(method, url, path, query, whole, data, writing, paced_by)
        began, answer, failed = time.monotonic(), None, ""
        try:
            answer = await self._send(method, url, path, query, whole, data, writing, paced_by)
            return answer
        except VendorError as error:
            failed = str(error)
            raise
        finally:
            took = time.monotonic() - began
            exchanges.add(Asked(method, url, query, headers, signed_in, data, took, answer, failed, self._secrets))

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
                connector=aiohttp.TCPConnector(
                    limit=self._manifest.parallel, ssl=self._trust or True, resolver=self._public
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
            # By itself it would send a PUT once more whose answer was lost, past the limits and without our knowing.
            self._session._retry_connection = False  # noqa: SLF001 - there is no other way to say so
        self._have_patience()
        if self._public is not None:
            self._public.check(urlsplit(url).hostname or "")
        lane = await self.gate.enter(path, paced_by)
        try:
            if writing:
                await _prepare()
            with self._patience.wait():
                async with self._session.request(
                    method, url, params=query or None, headers=headers, data=data, allow_redirects=False
                ) as response:
                    content = await self._read(response)
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
        if content is None:
            raise Refused(
                f"{self._manifest.title} answered ({response.status}) with more than {self._manifest.largest_answer:,} "
                "bytes, which isn't read.",
                cause="answer-too-large",
                detail=f"{method} {path}: {response.status}",
                remedy="Have it answer less, such as a page of a list."
                + (" Look there first: what was asked may have been done." if writing else ""),
            )
        self._heed(response.headers)
        set_now = response.cookies if "Set-Cookie" in response.headers else {}
        cookies = {name: morsel.coded_value for name, morsel in set_now.items()}
        return Answer(response.status, response.headers, content, method, path, writing, cookies)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The body; None when it is larger than it may be, unpacked."""
        largest = self._manifest.largest_answer
        if not largest:
            return await response.read()
        try:
            await response.content.readexactly(largest + 1)
        except asyncio.IncompleteReadError as whole:
            return whole.partial
        response.close()
        return None

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
                remedy=sign_in_again(self._connection),
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


def _words(error: Exception) -> str:
    """What an error says. Some name the whole address, and the query of one may be a secret."""
    return error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)


def _written() -> None:
    told = has_written.get()
    if told is not None:
        told()


async def _prepare() -> None:
    prepare = before_writing.get()
    if prepare is not None:
        await prepare()
