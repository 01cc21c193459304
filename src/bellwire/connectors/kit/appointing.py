"""An appointment beside others of its time, whoever keeps the calendar."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bellwire.capabilities.calendar import Appointment, PutAppointment
from bellwire.connectors.kit.looking import Compared, Seen


def at_that_time(given: PutAppointment, found: Sequence[tuple[str, Appointment]]) -> Seen | None:
    """Of what overlaps it, each with its title: that with the same title, else that with the same start, else the
    first."""

    def apart(each: tuple[str, Appointment]) -> tuple[bool, bool, datetime]:
        title, there = each
        return not Compared("title", given.title, title).same, there.start != given.start, there.start

    best = min(found, key=apart, default=None)
    if best is None:
        return None
    (title, there), zone = best, ZoneInfo(given.zone)
    times = [
        Compared(name, *(f"{time.astimezone(zone):%Y-%m-%d %H:%M}" for time in both))
        for name, both in (("start", (given.start, there.start)), ("end", (given.end, there.end)))
    ]
    compared = Compared("title", " ".join(given.title.split()), " ".join(title.split()))
    return Seen(f"the appointment '{compared.theirs}'", (compared, *times), there.url, there)
