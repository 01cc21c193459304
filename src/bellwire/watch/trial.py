"""Whether alerts arrive: a test message to every channel."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from bellwire.ledger import Database, MessageKind, Rows, alerts
from bellwire.watch.channels import Channel
from bellwire.watch.letter import trial_letter


async def try_channels(
    ledger: Database, channels: Sequence[Channel], business: str, now: datetime
) -> Mapping[str, str]:
    """Send it now, and keep on record what became of it: channel → why it failed, or nothing."""
    letter = trial_letter(business)
    said = await asyncio.gather(*(channel.send(letter.title, letter.text) for channel in channels))
    errors = {channel.name: error for channel, error in zip(channels, said, strict=True)}

    def write(rows: Rows) -> None:
        for name, error in errors.items():
            alerts.post(rows, None, name, MessageKind.TEST, now, error)

    await ledger.write(write)
    return errors
