"""Figures that several resources tell in one form."""

from pydantic import BaseModel, Field

from bellwire.desk.speed import Speed as Measured
from bellwire.desk.today import Entry


class Balance(BaseModel):
    """The numbers balance: received = done + waiting + dead + skipped."""

    received: int
    done: int
    waiting: int
    dead: int
    skipped: int


class Speed(BaseModel):
    """From a webhook's arrival to the last action, of `runs` runs that were done."""

    runs: int
    median_seconds: float
    slowest_twentieth_seconds: float = Field(description="One run in twenty took at least this long.")


def balance_of(entry: Entry) -> Balance:
    return Balance.model_validate(entry, from_attributes=True)


def speed_of(found: Measured | None) -> Speed | None:
    if found is None:
        return None
    return Speed(
        runs=found.count,
        median_seconds=found.median.total_seconds(),
        slowest_twentieth_seconds=found.slowest_twentieth.total_seconds(),
    )
