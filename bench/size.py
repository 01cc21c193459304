"""Bytes on disk for a shop's order and its run, and what a purge leaves of them: first the webhook as it arrived goes,
later what it and its actions brought; the rows that recognise a repeat and that figures are counted from stay."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from bellwire.clock import system_clock
from bellwire.ledger import Housekeeping, Keep, open_ledger
from bellwire.settings import KeepSettings
from bench.orders import Orders, shop_name
from bench.processes import ours
from bench.setting import Setting
from bench.throughput import runs


async def measure(setting: Setting) -> None:
    name, count, keep = shop_name(), setting.counts.orders, KeepSettings()
    with setting.database() as path:
        await runs(partial(ours, path, name=name), [each.ours for each in Orders(name).take(count)])
        setting.figures.add(bytes_per_event=await _size(path) / count)
        setting.figures.add(bytes_without_payload=await _size(path, keep.payloads) / count)
        setting.figures.add(bytes_after_purge=await _size(path, keep.details) / count)


async def _size(path: Path, after_days: int | None = None) -> int:
    """Of the ledger, with its log taken over; if so asked, after the purge that is due `after_days`."""
    keep = KeepSettings()
    async with open_ledger(f"sqlite:///{path}") as ledger:
        if after_days is not None:
            later = system_clock() + timedelta(days=after_days, hours=1)
            await Housekeeping(ledger, lambda: Keep.days(keep.payloads, keep.details), clock=lambda: later).purge()
        await ledger.begin_log_anew()
        return await ledger.read(lambda _: path.stat().st_size)
