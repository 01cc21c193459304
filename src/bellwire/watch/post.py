"""Takes letters to channels: to all of them at once, and to none too often."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bellwire.watch.channels import Channel
from bellwire.watch.letter import Letter

log = structlog.get_logger()

APART = timedelta(minutes=1)
"""A channel gets at most one letter in this time. While it fails, the time doubles with each attempt."""
_LONGEST = timedelta(hours=1)


@dataclass
class _Pace:
    failures: int = 0
    """Since it last worked."""
    not_before: datetime | None = None


class Post:
    """How each channel fared is remembered here only: after a restart each is tried at once."""

    def __init__(self) -> None:
        self._paces: dict[str, _Pace] = {}

    def ready(self, channels: Sequence[Channel], now: datetime) -> list[Channel]:
        """Those that may be sent something now."""
        paces = [self._paces.get(channel.name, _Pace()).not_before for channel in channels]
        # One that is further away than any pace comes from a clock that was set back meanwhile.
        return [
            channel
            for channel, not_before in zip(channels, paces, strict=True)
            if not_before is None or now >= not_before or not_before - now > _LONGEST
        ]

    async def deliver(self, letters: Iterable[tuple[Channel, Letter]], now: datetime) -> dict[str, str]:
        """Channel → why it didn't take its letter; empty when it did."""
        pairs = list(letters)
        errors = await asyncio.gather(*(channel.send(letter.title, letter.text) for channel, letter in pairs))
        told = {channel.name: error for (channel, _), error in zip(pairs, errors, strict=True)}
        for name, error in told.items():
            pace = self._paces.setdefault(name, _Pace())
            pace.failures = pace.failures + 1 if error else 0
            pace.not_before = now + min(APART * 2 ** min(max(pace.failures - 1, 0), 10), _LONGEST)
            if error:
                log.error("an alert could not be sent", channel=name, reason=error)
        return told
