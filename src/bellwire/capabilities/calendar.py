"""Calendars: appointments, and who is free."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from bellwire.capabilities.base import Effect, Given, Operation, Result


def _known(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"there is no time zone {zone!r}; it should look like Europe/Zurich")
    return zone


Zone = Annotated[str, AfterValidator(_known)]
"""An IANA name, e.g. `Europe/Zurich`."""


class PutAppointment(Given):
    """Makes the appointment, or changes the one with this reference."""

    reference: str = Field(min_length=1, max_length=200)
    """What it is for, e.g. the booking's id: there is one appointment for each reference in a calendar."""
    title: str = Field(min_length=1)
    start: AwareDatetime
    end: AwareDatetime
    zone: Zone = "UTC"
    """The zone in whose wall time people see it."""
    location: str = ""
    notes: str = ""
    remind_minutes: int | None = Field(default=None, ge=0, le=40_320)
    """How long before it starts the calendar's owner is reminded; None: as the calendar does it."""
    calendar: str = ""
    """Empty: the connection's own."""

    @model_validator(mode="after")
    def _in_order(self) -> "PutAppointment":
        if self.end <= self.start:
            raise ValueError("an appointment ends after it starts")
        return self


class Appointment(Result):
    id: str
    start: datetime
    """UTC."""
    end: datetime
    url: str = ""


class CancelAppointment(Given):
    reference: str = Field(min_length=1, max_length=200)
    calendar: str = ""


class CancelledAppointment(Result):
    id: str = ""
    """Empty: there was none."""


class ListBusy(Given):
    """When a calendar has something between two times, at most 62 days apart."""

    start: AwareDatetime
    end: AwareDatetime
    calendar: str = ""

    @model_validator(mode="after")
    def _bounded(self) -> "ListBusy":
        if not timedelta() < self.end - self.start <= timedelta(days=62):
            raise ValueError("the end is after the start, and at most 62 days")
        return self


class BusyTime(Result):
    start: datetime
    """UTC."""
    end: datetime


class BusyTimes(Result):
    busy: tuple[BusyTime, ...]
    """By their start, those that overlap or touch joined."""


PUT_APPOINTMENT = Operation(
    "calendar", "put_appointment", PutAppointment, Appointment, Effect.RECORD, "Put the appointment into the calendar"
)
CANCEL_APPOINTMENT = Operation(
    "calendar", "cancel_appointment", CancelAppointment, CancelledAppointment, Effect.RECORD,
    "Take the appointment out of the calendar",
)  # fmt: skip
LIST_BUSY = Operation("calendar", "list_busy", ListBusy, BusyTimes, Effect.NOTHING, "Look when the calendar is busy")

OPERATIONS = (PUT_APPOINTMENT, CANCEL_APPOINTMENT, LIST_BUSY)
