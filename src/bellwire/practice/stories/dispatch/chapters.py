"""What thirteen customers book and what comes of it, and when each is to be reminded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bellwire.events import Customer
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Visit

_ZONE = ZoneInfo("America/Chicago")
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_QUIET_FROM, _QUIET_TO = time(21), time(8)
_SOON = 3
"""Hours until the visit of who books on the same day."""


@dataclass(frozen=True)
class When:
    """A time on the customers' clock, so many days after the story begins; without a time, in a few hours."""

    days: int = 0
    clock: time | None = None

    def after(self, begin: datetime) -> datetime:
        if self.clock is None:
            return begin.replace(second=0, microsecond=0) + _SOON * _HOUR
        day = begin.astimezone(_ZONE).date() + self.days * _DAY
        return datetime.combine(day, self.clock, _ZONE).astimezone(UTC)


@dataclass(frozen=True)
class Work:
    """What comes of a visit. `minutes` has how long each technician worked: the first stops the clock that was started
    for them."""

    about: str
    minutes: Sequence[int]
    running: bool = False
    """Somebody's clock still runs when the work is reported as done."""
    invoiced: bool = True
    """Where a clock still runs, whether the owner says yes to the minutes that are entered."""
    copies: int = 1


@dataclass(frozen=True)
class Chapter:
    """One customer's booking, and what is peculiar about it."""

    name: str
    when: When
    about: str
    number: int = 0
    """The last digits of the phone; 0: there is none."""
    service: str = "Boiler service"
    copies: int = 1
    """How often its webhook arrives."""
    moves: Sequence[When] = ()
    jumbled: bool = False
    """The last move is told first."""
    called_off: str = ""
    """Why, if it is."""
    overtaken: bool = False
    """The word that it is called off comes before the word that it was made."""
    opted_out: bool = False
    """No text message may be sent to the number, until the customer says otherwise."""
    work: Work | None = None
    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    """By connection, from the beginning."""
    later_faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    """From when it is moved or called off."""

    @property
    def phone(self) -> str:
        return f"+1512555{self.number:04}" if self.number else ""

    @property
    def customer(self) -> Customer:
        return Customer(name=self.name, email=f"{self.name.partition(' ')[0].lower()}@example.com", phone=self.phone)

    @property
    def kept(self) -> bool:
        """Whether anybody comes."""
        return not self.called_off

    @property
    def last(self) -> When:
        """When it is to be in the end."""
        return self.moves[-1] if self.moves else self.when

    @property
    def heard(self) -> Sequence[When]:
        """The moves that something follows from: one that is told after a later one is left out."""
        return self.moves[-1:] if self.jumbled else self.moves

    def visit(self, begin: datetime) -> Visit:
        return Visit(self.when.after(begin), self.customer, self.service)


def chapters() -> list[Chapter]:
    """Thirteen of them."""
    ten = time(10)
    return [
        Chapter(
            "Ada Moss",
            When(2, ten),
            "an ordinary booking",
            101,
            service="First visit",
            work=Work("90 minutes, and the books fail (500)", [90]),
            faults={"books": [Fault(kind=FaultKind.FAILED, match="(?s)^(POST|PUT) .*First visit")]},
        ),
        Chapter(
            "Ben Ortiz",
            When(2, ten),
            "its webhook comes three times",
            102,
            copies=3,
            work=Work(
                "50 and 30 minutes; the books do it, then the line goes dead; the word of it comes twice",
                [50, 30],
                copies=2,
            ),
            faults={"books": [Fault(kind=FaultKind.LOST_ANSWER, match="(?s)^(POST|PUT) .*Boiler service")]},
        ),
        Chapter(
            "Chloe Dent",
            When(2, ten),
            "the message to the customer goes out, then the line goes dead",
            103,
            work=Work("an hour, and somebody's clock still runs: the owner says yes to the hour", [60], running=True),
            faults={"sms": [Fault(kind=FaultKind.LOST_ANSWER, match=r"POST .*5550103")]},
        ),
        Chapter(
            "Dan Roe",
            When(2, ten),
            "the field service asks to slow down (429)",
            104,
            work=Work(
                "20 minutes, and somebody's clock still runs: the owner says no", [20], running=True, invoiced=False
            ),
            faults={"field": [Fault(kind=FaultKind.RATE_LIMITED, match=r"(?s)POST .*dan@example\.com", skip=1)]},
        ),
        Chapter("Eve Lind", When(2, ten), "moved to another day", 105, moves=[When(4, ten)]),
        Chapter(
            "Finn Gray",
            When(3, ten),
            "moved twice, the second time to an earlier day",
            106,
            moves=[When(5, ten), When(3, time(22, 30))],
        ),
        Chapter(
            "Mia Stone",
            When(3, ten),
            "moved twice, and the second move is told first",
            113,
            moves=[When(5, ten), When(4, ten)],
            jumbled=True,
        ),
        Chapter(
            "Grace Hall",
            When(3, ten),
            "called off before anybody is reminded, while the calendar fails (500)",
            107,
            called_off="Sold the house",
            later_faults={"calendar": [Fault(kind=FaultKind.FAILED, match="^(POST|PUT|PATCH|DELETE) ")]},
        ),
        Chapter(
            "Hugo Wall",
            When(3, ten),
            "called off, and that is heard before the booking itself",
            108,
            called_off="Ill",
            overtaken=True,
        ),
        Chapter("Iris Noon", When(2, ten), "a guest who left no phone number"),
        Chapter("Zoë O’Brien-Łukasiewicz 王小明", When(2, time(7)), "a name in several scripts, early in the day", 110),
        Chapter(
            "Kim Vale",
            When(),
            "books a few hours ahead: nobody has to be reminded; the clock is started, then the line goes dead",
            111,
            work=Work("nobody stopped the clock", []),
            faults={"field": [Fault(kind=FaultKind.LOST_ANSWER, match="visitStartTimer")]},
        ),
        Chapter("Lena Park", When(2, ten), "no text message may go to this number", 112, opted_out=True),
    ]


def reminders(told: Sequence[Chapter], begin: datetime) -> dict[str, datetime]:
    """Customer → when they are to be reminded: at the same time of the day before, but not in the night."""
    found = {}
    for chapter in told:
        if chapter.kept and chapter.phone and chapter.last.clock is not None:
            before = chapter.last.after(begin).astimezone(_ZONE)
            day, clock = before.date() - _DAY, before.time()
            if clock >= _QUIET_FROM:
                day, clock = day + _DAY, _QUIET_TO
            found[chapter.name] = datetime.combine(day, max(clock, _QUIET_TO), _ZONE).astimezone(UTC)
    return found


def wall(moment: datetime) -> str:
    """As the customers' clock says it, and the messages to them."""
    return f"{moment.astimezone(_ZONE):%A, %-d %B, %H:%M}"
