"""A vendor's answer to a request, and its own reading of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import orjson

from bellwire.errors import OutcomeUnknown, Transient, VendorError


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
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Those that it sets, as they were written."""

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
