"""What every simulated vendor is made of."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bellwire.practice.faults import Faults
from bellwire.practice.quota import Quota


@dataclass(frozen=True)
class Received:
    """A request that reached a simulator, and what became of it. Credentials are left out."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    """As JSON where it is; else as text."""
    status: int | None
    """None: it got no answer."""
    fault: str = ""
    idempotency_key: str = ""
    answer: Any = None
    """What it was told, as JSON where it is; else as text. None: nothing."""

    @property
    def failed(self) -> bool:
        return self.status is None or self.status >= 400


@dataclass(frozen=True)
class Webhook:
    """A signed delivery, ready to be sent any number of times."""

    topic: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Simulator(ABC):
    """One simulated vendor: it keeps state, and refuses what the vendor would refuse.

    A module `bellwire.practice.NAME` exposes its subclass as `SIMULATOR`; NAME is the connector's.
    """

    vendor: ClassVar[str]
    """The connector's name."""
    credentials: ClassVar[Mapping[str, str]] = {}
    """What a connection to it signs in with: field → value."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """What `[NAME.settings]` of such a connection says."""

    secret_params: ClassVar[frozenset[str]] = frozenset()
    """The names in queries whose values are credentials: they aren't noted with the requests."""

    faults: Faults = field(default_factory=Faults)
    quotas: list[Quota] = field(default_factory=list)
    """The limits that it keeps unasked; a test of something else may clear them."""
    received: deque[Received] = field(default_factory=lambda: deque(maxlen=10_000))

    @abstractmethod
    def routes(self) -> Sequence[BaseRoute]:
        """The vendor's paths, as below its own origin."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All it holds, as JSON: for the practice page."""

    def recover(self, length: timedelta) -> None:
        """So much time passes in a moment: what fills up again with time has done so."""
        for quota in self.quotas:
            quota.recover(length)

    def made(self) -> Mapping[str, Collection[str]]:
        """What stands here by now that operations make: operation (`sms.send_sms`) → ids, as the operation's result
        gives them. Operations that change what is there already aren't in it."""
        return {}

    def rate_limited(self, seconds: float) -> Response:
        """How this vendor says 'too many requests', and to come back in so many seconds."""
        return JSONResponse({"message": "Too many requests"}, 429, {"Retry-After": str(-int(-seconds // 1))})

    def over_quota(self, seconds: float) -> Response:
        """How it refuses what its `quotas` have room for only in so many seconds: as above, if it says when."""
        return self.rate_limited(seconds)

    def failed(self) -> Response:
        """How this vendor fails."""
        return JSONResponse({"message": "Internal error"}, 500)

    def signed_out(self) -> Response:
        """How this vendor refuses credentials."""
        return JSONResponse({"message": "Unauthorized"}, 401)

    async def start(self) -> None:  # noqa: B027 - most have nothing to open
        """Open what isn't HTTP, if anything."""

    async def stop(self) -> None:  # noqa: B027
        """Close it again."""

    @property
    def address(self) -> str | None:
        """Where it listens, if it isn't HTTP (`smtp://127.0.0.1:2525`); else None."""
        return None
