"""Where alerts go: any channel that Apprise knows, by its URL. The URLs hold secrets, so they stand in the vault, and
no part of them but the scheme ever reaches a log, an error or the ledger."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from bellwire.connectors.kit import Credential
from bellwire.vault import ConnectionCredentials, Vault

if TYPE_CHECKING:
    from apprise import Apprise

T = TypeVar("T")

ALERTS = "alerts"
"""What the vault calls them; no connection may be called so."""
CHANNELS = Credential("urls", "Where alerts go: one or several Apprise URLs, separated by spaces", required=False)
VARIABLE = "BELLWIRE_ALERTS_URLS"
REMEDY = f"`bellwire secrets set {ALERTS} {CHANNELS.field}` sets them; so does the variable {VARIABLE}."

PATIENCE = 30.0
"""Seconds that a channel may take for a message."""

_SCHEME = re.compile(r"([a-z][a-z0-9.+-]{0,19})://", re.IGNORECASE)
_NOT_UNDERSTOOD = "Its URL can't be understood."


@dataclass(frozen=True)
class Channel:
    """One of them. `name` is its scheme, numbered from the second of its kind on: `mailto`, `mailto 2`."""

    name: str
    _url: str = field(repr=False)

    async def understood(self) -> bool:
        """Whether Apprise can make anything of its URL. Nothing is sent."""
        return await _in_a_thread(lambda: _open(self._url) is not None)

    async def send(self, title: str, text: str) -> str:
        """Why it didn't go through, in a sentence; empty when it did."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await _in_a_thread(lambda: _send(self._url, title, text))
        except TimeoutError:
            return f"It didn't take the message within {PATIENCE:.0f} seconds."


def read_channels(vault: Vault, environ: Mapping[str, str]) -> list[Channel]:
    """As they are set just now. Raises ConfigurationError when the vault or the variable can't be read."""
    return named((ConnectionCredentials(vault, ALERTS, environ).find(CHANNELS.field) or "").split())


def named(urls: Sequence[str]) -> list[Channel]:
    """A channel for each, in their order."""
    found: list[Channel] = []
    seen: dict[str, int] = {}
    for url in urls:
        scheme = _SCHEME.match(url)
        kind = scheme[1].lower() if scheme else "no scheme"
        seen[kind] = seen.get(kind, 0) + 1
        found.append(Channel(kind if seen[kind] == 1 else f"{kind} {seen[kind]}", url))
    return found


async def plain_address(address: str) -> str:
    """An address as it can be kept in a list: that of a web page, as chats give it for their webhooks, becomes the URL
    that Apprise has for it. Empty: Apprise makes nothing of it. Nothing is sent."""
    return "" if len(address.split()) != 1 else await _in_a_thread(lambda: _plain(address))


async def _in_a_thread(work: Callable[[], T]) -> T:
    """Apprise blocks: while it is loaded (half a second) and while it sends. A thread of a pool would be waited for at
    the end of the process, however long a channel hangs; this one isn't."""
    future: Future[T] = Future()

    def run() -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

    threading.Thread(target=run, name="alert", daemon=True).start()
    return await asyncio.wrap_future(future)


def _open(url: str) -> "Apprise | None":
    _hush()
    # Loaded when it is needed, and not before: it takes 40 MB.
    import apprise

    channel = apprise.Apprise()
    try:
        return channel if channel.add(url) else None
    except Exception:
        return None  # Some of its parsers raise what they stumble over, which is a part of the URL.


def _plain(address: str) -> str:
    opened = _open(address)
    if opened is None:
        return ""
    of_a_page = address.lower().startswith(("https://", "http://"))
    return str(opened[0].url(privacy=False)) if of_a_page else address  # type: ignore[no-untyped-call]


def _send(url: str, title: str, text: str) -> str:
    channel = _open(url)
    if channel is None:
        return _NOT_UNDERSTOOD
    said = _hush().of_this_thread()
    try:
        sent = channel.notify(title=title, body=text, body_format="text")
    except Exception as error:
        return f"It failed ({type(error).__name__})."
    return "" if sent else _why(said)


def _why(said: list[str]) -> str:
    """What can be told of Apprise's own words without the URL that they may hold: a status, or one of two sentences."""
    words = " ".join(said)
    status = re.search(r"\berror[ =:]+([1-5]\d\d)\b", words)
    if status:
        return f"It answered with status {status[1]}."
    return "It couldn't be reached." if re.search(r"connection error", words, re.IGNORECASE) else "It was refused."


class _Listener(logging.Handler):
    """Takes all that Apprise would log, URLs included, and keeps it for the thread that sends just now."""

    def __init__(self) -> None:
        super().__init__()
        self._said = threading.local()

    def of_this_thread(self) -> list[str]:
        """What is said from now on, as it is said."""
        said: list[str] = []
        self._said.words = said
        return said

    def emit(self, record: logging.LogRecord) -> None:
        said: list[str] | None = getattr(self._said, "words", None)
        if said is not None:
            said.append(record.getMessage())


@cache
def _hush() -> _Listener:
    """Apprise and the HTTP client below it name URLs in what they log: none of that goes on to our log."""
    listener = _Listener()
    for name in ("apprise", "requests", "urllib3"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)  # Why a message didn't arrive is told, however little our own log tells.
        logger.addHandler(listener)
    return listener
