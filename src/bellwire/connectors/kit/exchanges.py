"""What a vendor was asked and what it answered, kept for people to read: without what signs in, and without the numbers
of cards and accounts.

While an attempt goes on, only references are collected. What is secret is taken out when it is packed: before anything
is stored, and with the secrets as they are then.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson
import structlog

from bellwire.connectors.kit.answer import Answer
from bellwire.events import REMOVED
from bellwire.events.sensitive import NAMES

log = structlog.get_logger()

LONGEST = 8_000
"""Characters that are kept of a body."""
MOST = 8
"""Exchanges that are kept of an attempt: the first, and the last ones."""
_LARGEST = 256 * 1024
"""Bytes of a body that is looked at; what is larger isn't kept."""
_SHORTEST = 6
"""A shorter credential may stand anywhere by chance."""
_SECRET = re.compile(
    r"token|secret|passw|auth(?!or)|cookie|api[-_]?key|private[-_]?key|signature|assertion|hmac|credential|^sig$|^pin$",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"^content-type$|^retry-after$|^location$|request-?id$|correlation|trace|_tid$|version$", re.IGNORECASE
)
"""Headers of an answer that say something to people."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as it is kept. `signed_by` has the headers that carried the credentials, and which
    word stood before them (`Bearer`); their values aren't kept."""

    method: str
    url: str
    headers: Mapping[str, str]
    signed_by: Mapping[str, str]
    body: str
    took: int
    """Milliseconds."""
    status: int | None = None
    """None: there was no answer."""
    answered: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    failed: str = ""
    """Why there was no answer, or none that was read."""


@dataclass(slots=True)
class Asked:
    """The same while it is only collected."""

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    signed_in: Mapping[str, str]
    data: bytes | None
    took: float
    answer: Answer | None
    failed: str
    secrets: "Secrets"


class Secrets:
    """The credentials of a connection, looked up when they are to be taken out of something."""

    def __init__(self, credentials: Any, fields: Iterable[str]) -> None:
        self._credentials = credentials
        self._fields = [*dict.fromkeys([*fields, "access_token", "refresh_token"])]

    def now(self) -> list[str]:
        return [value for name in self._fields if (value := self._credentials.find(name))]


class Exchanges:
    """Of one attempt."""

    def __init__(self) -> None:
        self._asked: list[Asked] = []
        self._left_out = 0

    def add(self, asked: Asked) -> None:
        if len(self._asked) == MOST:
            del self._asked[1]
            self._left_out += 1
        self._asked.append(asked)

    def packed(self) -> bytes | None:
        """None when nothing was asked."""
        if not self._asked:
            return None
        try:
            exchanges = [vars(_kept(each)) for each in self._asked]
            return zlib.compress(orjson.dumps({"left_out": self._left_out, "exchanges": exchanges}), 1)
        except Exception:
            # What is only there to be read must not cost a run.
            log.exception("what a vendor was asked can't be kept")
            return None


collecting: ContextVar[Exchanges | None] = ContextVar("collecting", default=None)
"""Where the requests of the attempt that goes on are collected; None: nowhere."""


def unpacked(packed: bytes) -> tuple[Sequence[Exchange], int]:
    """The exchanges of an attempt, and how many behind the first were left out."""
    found = orjson.loads(zlib.decompress(packed))
    return [Exchange(**each) for each in found["exchanges"]], found["left_out"]


@lru_cache(4096)
def is_secret(name: str) -> bool:
    """Whether a field or header of this name may hold what nobody else is to know."""
    return name in NAMES or _SECRET.search(name) is not None


@lru_cache(4096)
def _says_something(name: str) -> bool:
    return _ANSWERED.search(name) is not None


def _kept(asked: Asked) -> Exchange:
    answer = asked.answer
    # What signed in may have been renewed since.
    signed = (value.partition(" ")[2] or value for value in asked.signed_in.values())
    secrets = _as_written([*asked.secrets.now(), *signed])
    kind = answer.headers.get("content-type", "") if answer else ""
    return Exchange(
        method=asked.method,
        url=_without(secrets, _address(asked.url, asked.query)),
        headers={
            name: _without(secrets, value)
            for name, value in asked.headers.items()
            if name not in asked.signed_in and not is_secret(name)
        },
        signed_by={name: value.partition(" ")[0] if " " in value else "" for name, value in asked.signed_in.items()},
        body=_body(asked.data or b"", asked.headers.get("Content-Type", ""), secrets),
        took=round(asked.took * 1000),
        status=answer.status if answer else None,
        answered=_told(answer.headers, secrets) if answer else {},
        answer=_body(answer.body, kind, secrets) if answer else "",
        failed=_without(secrets, asked.failed),
    )


def _as_written(secrets: Iterable[str]) -> list[str]:
    """As they may stand in a text: as they are, or quoted for an address. The longest first: one may be a part of
    another."""
    found = {secret for secret in secrets if len(secret) >= _SHORTEST}
    found |= {quote(secret, safe="") for secret in found if not secret.isalnum()}
    return sorted(found, key=len, reverse=True)


def _told(headers: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    return {str(name): _without(secrets, value) for name, value in headers.items() if _says_something(name)}


def _address(url: str, query: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    asked = [*parse_qsl(parts.query, keep_blank_values=True), *query.items()]
    if not asked and "@" not in parts.netloc:
        return url
    told = urlencode([(name, REMOVED if is_secret(name) else value) for name, value in asked], safe="[]:/,")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, told, ""))


def _body(data: bytes, kind: str, secrets: Sequence[str]) -> str:
    if not data:
        return ""
    if len(data) > _LARGEST:
        return f"[{len(data):,} bytes: too many to be kept]"
    try:
        text = orjson.dumps(_clean(value)).decode() if (value := _parsed(data, kind)) is not None else data.decode()
    except UnicodeDecodeError:
        return f"[{len(data):,} bytes that are no text]"
    if "urlencoded" in kind:
        fields = parse_qsl(text, keep_blank_values=True)
        text = urlencode([(name, REMOVED if is_secret(name) else value) for name, value in fields], safe="[]")
    text = _without(secrets, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… [{len(text):,} characters in all]"


def _parsed(data: bytes, kind: str) -> Any:
    """None when it isn't JSON."""
    if "urlencoded" in kind or "xml" in kind:
        return None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _clean(value: Any) -> Any:
    if type(value) is dict:
        return {
            key: REMOVED if is_secret(key) and isinstance(item, str | int) else _clean(item)
            for key, item in value.items()
        }
    return [_clean(item) for item in value] if type(value) is list else value


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REMOVED)
    return text
