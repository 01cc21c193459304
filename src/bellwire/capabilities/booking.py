"""Bookings: what customers reserve by themselves."""

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.bookings import Booking


class ReadBooking(Given):
    booking_id: str = Field(min_length=1)


class FoundBooking(Result):
    booking: Booking
    cancelled: bool


class CancelBooking(Given):
    booking_id: str = Field(min_length=1)
    reason: str = Field(default="", max_length=500)
    """The customer reads it."""


class CancelledBooking(Result):
    id: str


class CreateBookingLink(Given):
    """A page on which one customer books once."""

    service: str = Field(min_length=1)
    """What is to be booked, by its name or id at the vendor."""


class BookingLink(Result):
    url: str


READ_BOOKING = Operation("booking", "read_booking", ReadBooking, FoundBooking, Effect.NOTHING, "Read the booking")
CANCEL_BOOKING = Operation(
    "booking", "cancel_booking", CancelBooking, CancelledBooking, Effect.RECORD, "Call off the booking"
)
CREATE_BOOKING_LINK = Operation(
    "booking", "create_booking_link", CreateBookingLink, BookingLink, Effect.MESSAGE,
    "Make a link with which a customer books",
)  # fmt: skip

OPERATIONS = (READ_BOOKING, CANCEL_BOOKING, CREATE_BOOKING_LINK)
