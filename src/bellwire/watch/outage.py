"""That the ledger can't be written: the one alert that can't be stored, so it is kept in memory until it can."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bellwire.ledger import AlertRow, MessageKind, Rows, alerts
from bellwire.watch.concerns import UNWRITABLE

PATIENCE = timedelta(seconds=30)
"""A ledger that can't be written for a moment is nothing to tell of."""


class Outage:
    """It began at `since`."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._next_at: datetime | None = since + PATIENCE
        self.told = 0
        self._heard: dict[str, None] = {}

    def is_due(self, now: datetime) -> bool:
        return self._next_at is not None and now >= self._next_at

    def news(self) -> tuple[AlertRow, MessageKind]:
        """What is to be told."""
        alert = AlertRow(0, *UNWRITABLE, self._since, self.told, self._next_at, None)
        return alert, MessageKind.REMINDER if self.told else MessageKind.OPENED

    def heard(self, channels: Sequence[str], next_at: datetime | None) -> None:
        """These channels were told; if any was, the next time is `next_at`."""
        if channels:
            self.told += 1
            self._heard |= dict.fromkeys(channels)
            self._next_at = next_at

    def keep(self, rows: Rows, now: datetime) -> None:
        """It can be stored: from here on it is like any other, of which there is nothing any more."""
        alert = alerts.open_one(rows, *UNWRITABLE, opened_at=self._since, next_at=now, told=self.told)
        if alert is not None:
            for channel in self._heard:
                alerts.post(rows, alert, channel, MessageKind.OPENED, now, error="")
