"""When a flow begins by the clock."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


@dataclass(frozen=True)
class Schedule:
    """As cron says it (https://man7.org/linux/man-pages/man5/crontab.5.html), by the wall clock of a time zone: a time
    that a change of the clock leaves out comes right after it, and one that comes twice counts once."""

    every: str
    """Minute, hour, day of the month, month, day of the week."""
    zone: str
    """An IANA name."""

    def next(self, after: datetime) -> datetime:
        """The first time after another, in UTC. Raises ValueError when there is none."""
        try:
            return next(CronSim(self.every, after.astimezone(ZoneInfo(self.zone)))).astimezone(UTC)
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"'{self.every}' isn't a schedule, or never comes") from error

    def in_words(self) -> str:
        """`At 07:00 on Monday through Friday (Europe/Berlin)`."""
        return f"{CronSim(self.every, datetime.now(UTC)).explain()} ({self.zone})"
