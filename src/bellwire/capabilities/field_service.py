"""Field service: work orders at customers', and the time spent on them."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field, model_validator

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.capabilities.calendar import Zone
from bellwire.capabilities.routing import Position
from bellwire.events.orders import Address, Customer
from bellwire.events.work import WorkedTime
from bellwire.money import Money


class FindOrCreateClient(Given):
    """By the e-mail address; without one, by name and phone number."""

    customer: Customer
    address: Address | None = None
    """Where the work is to be done."""


class FieldClient(Result):
    id: str
    property_id: str = ""
    """The place of work; empty where none was given and the client has none."""
    name: str
    created: bool
    """Whether it was new. Not after an attempt whose answer was lost: by then it is there."""


class JobLine(Given):
    name: str
    quantity: int = Field(default=1, gt=0)
    unit_price: Money


class OpenJob(Given):
    client_id: str = Field(min_length=1)
    property_id: str = Field(min_length=1)
    title: str = Field(min_length=1, max_length=200)
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by, e.g. the booking's id; it is found again by it."""
    start: AwareDatetime
    end: AwareDatetime
    zone: Zone = "UTC"
    """The zone of the place of work."""
    instructions: str = ""
    assigned_to: str = ""
    """The e-mail address of who is to do it; empty: nobody yet."""
    lines: tuple[JobLine, ...] = ()


class OpenedJob(Result):
    id: str
    number: str
    url: str = ""


class FindJob(Given):
    client_id: str = Field(min_length=1)
    reference: str = Field(min_length=1, max_length=100)
    """As it was opened with."""


class FoundJob(Result):
    id: str = ""
    """Empty: the client has none with this reference."""
    number: str = ""
    url: str = ""


class StartTimesheet(Given):
    job_id: str = Field(min_length=1)
    starts: AwareDatetime
    """When the work begins; the visit is the one that is to begin then."""
    assigned_to: str = Field(min_length=1)
    """The e-mail address of who does it."""


class StartedTimesheet(Result):
    id: str
    """The entry's: the one that there was already, if they had started their clock themselves."""
    started_at: datetime
    """UTC."""


class ReadTimesheet(Given):
    job_id: str = Field(min_length=1)


class Timesheet(Result):
    entries: tuple[WorkedTime, ...]
    minutes: int
    """Of all that ended."""


class AddJobNote(Given):
    job_id: str = Field(min_length=1)
    text: str = Field(min_length=1)


class JobNote(Result):
    id: str
    job_id: str


class CloseJob(Given):
    job_id: str = Field(min_length=1)


class ClosedJob(Result):
    id: str
    closed_at: datetime | None = None


class ListVisits(Given):
    """Those that begin from `start` on and before `end`, at most 31 days after; without those that are done."""

    start: AwareDatetime
    end: AwareDatetime
    assigned_to: str = ""
    """The e-mail address of whose visits they are; empty: everybody's."""

    @model_validator(mode="after")
    def _bounded(self) -> "ListVisits":
        if not timedelta() < self.end - self.start <= timedelta(days=31):
            raise ValueError("the end is after the start, and at most 31 days")
        return self


class PlannedVisit(Result):
    """Somebody goes to a client's place. Fits the stops of `routing.plan_route`."""

    id: str
    job_id: str
    job_number: str
    title: str = ""
    name: str
    """The client's."""
    address: Address
    position: Position | None = None
    """Where that is; None where the vendor doesn't know it (yet)."""
    starts: datetime
    """UTC. Of one at any time of the day, when that day begins where the account is."""
    minutes: int | None = None
    """How long it takes; None for one at any time of the day."""
    earliest: datetime | None = None
    """As it starts; None: at any time of the day."""
    latest: datetime | None = None
    """The same."""


class PlannedVisits(Result):
    visits: tuple[PlannedVisit, ...]
    """By their start."""


FIND_OR_CREATE_CLIENT = Operation(
    "field_service", "find_or_create_client", FindOrCreateClient, FieldClient, Effect.RECORD,
    "Find the client, or add them",
)  # fmt: skip
OPEN_JOB = Operation("field_service", "open_job", OpenJob, OpenedJob, Effect.RECORD, "Open the work order")
FIND_JOB = Operation("field_service", "find_job", FindJob, FoundJob, Effect.NOTHING, "Look for the work order")
START_TIMESHEET = Operation(
    "field_service", "start_timesheet", StartTimesheet, StartedTimesheet, Effect.RECORD,
    "Start the clock of a work order",
)  # fmt: skip
READ_TIMESHEET = Operation(
    "field_service", "read_timesheet", ReadTimesheet, Timesheet, Effect.NOTHING, "Read the time spent on a job"
)
ADD_JOB_NOTE = Operation("field_service", "add_job_note", AddJobNote, JobNote, Effect.RECORD, "Add a note to the job")
CLOSE_JOB = Operation("field_service", "close_job", CloseJob, ClosedJob, Effect.RECORD, "Close the work order")
LIST_VISITS = Operation(
    "field_service", "list_visits", ListVisits, PlannedVisits, Effect.NOTHING, "Look which visits are to be made"
)

OPERATIONS = (
    FIND_OR_CREATE_CLIENT,
    OPEN_JOB,
    FIND_JOB,
    START_TIMESHEET,
    READ_TIMESHEET,
    ADD_JOB_NOTE,
    CLOSE_JOB,
    LIST_VISITS,
)
