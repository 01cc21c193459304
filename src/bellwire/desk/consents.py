"""Sign-ins in the browser that are under way at a vendor."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from bellwire.connectors.kit import Asked

_PATIENCE = timedelta(minutes=10)
"""How long an owner may take."""
_MOST = 100


@dataclass(frozen=True)
class _Begun:
    connection: str
    session: str
    asked: Asked
    at: datetime


class Consents:
    """Each is bound to the session that began it and good for one answer. They are in memory: who comes back after a
    restart, or to another process, begins again."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._begun: list[_Begun] = []

    def begin(self, connection: str, session: str, asked: Asked) -> None:
        """In the place of what this session began for this connection."""
        others = [each for each in self._fresh() if (each.connection, each.session) != (connection, session)]
        self._begun = [*others[-_MOST:], _Begun(connection, session, asked, self._clock())]

    def find(self, connection: str, session: str) -> Asked | None:
        wanted = connection, session
        return next((each.asked for each in self._fresh() if (each.connection, each.session) == wanted), None)

    def take(self, session: str, answer: str) -> tuple[str, Asked] | None:
        """The connection, and what was asked, that this answer (the address that the browser was sent to) belongs to:
        by its state, once, and only for the session that began it."""
        state = parse_qs(urlsplit(answer).query).get("state", [""])[-1]
        for each in self._fresh():
            if each.session == session and secrets.compare_digest(each.asked.state.encode(), state.encode()):
                self._begun.remove(each)
                return each.connection, each.asked
        return None

    def _fresh(self) -> list[_Begun]:
        self._begun = [each for each in self._begun if self._clock() - each.at < _PATIENCE]
        return self._begun
