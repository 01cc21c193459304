"""Nine enquiries and six contracts, and what is peculiar about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bellwire.events import Lead, Signer
from bellwire.practice.faults import Fault, FaultKind

NO_ADDRESS, NO_MAILBOX = "sam@@example.com", "unknown@example.com"
"""The practice CRM takes the one for no address, and the practice mail server knows nobody at the other."""
RIGHT = {"crm": ("email", "sam@example.com"), "mail": ("to", "jo@example.com")}
"""What the owner puts in instead, by the connection that refused it: in which field, and which address."""
WELCOME, INVITATION = "Welcome", "Your access to our client portal"
"""The subjects of the two mails."""

_TEN = time(10, tzinfo=UTC)
_WRITING = "^(POST|PUT|PATCH) .*"
_CALL, _OFFER, _FOLLOW_UP = 1, 3, 8
"""After so many business days each of the three tasks is due."""


@dataclass(frozen=True)
class Enquiry:
    """What somebody filled in, and what is peculiar about it. All `lead.message`s differ: the chat is read by them."""

    lead: Lead
    about: str
    repeated: bool = False
    """Its webhook comes again, and so does the same enquiry in a new one."""
    faults: Sequence[Fault] = ()
    """Of the CRM."""
    right_email: str = ""
    """What they meant to write."""

    @property
    def who(self) -> str:
        """What the CRM knows them by; empty: by nothing."""
        return (self.right_email or self.lead.email).lower() or self.lead.phone

    @property
    def due(self) -> list[datetime]:
        """When there is something to do about it."""
        asked = self.lead.created_at.date()
        days = (working_days_after(asked, count) for count in (_CALL, _OFFER, _FOLLOW_UP))
        return [datetime.combine(day, _TEN) for day in days]


@dataclass(frozen=True)
class Agreement:
    """A contract, and what is peculiar about it. All titles differ: the chat is read by them."""

    reference: str
    title: str
    signers: Sequence[Signer]
    about: str
    declined: bool = False
    copies: int = 1
    projects_faults: Sequence[Fault] = ()
    mail_faults: Sequence[Fault] = ()
    right_email: str = ""
    """Where the first of the signers really reads mails."""

    @property
    def customer(self) -> str:
        return self.right_email or self.signers[0].email


def working_days_after(day: date, count: int) -> date:
    """The `count`-th day from Monday to Friday after `day`: the practice business has no holidays."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def friday_evening(now: datetime) -> datetime:
    """The last one that is over."""
    days = (now.weekday() - 4) % 7 or 7
    return datetime.combine(now.date() - timedelta(days=days), time(20, 15), UTC)


def enquiries(now: datetime) -> list[Enquiry]:
    """Nine of them, all but one of `now`."""

    def lead(number: int, name: str, email: str = "", phone: str = "", message: str = "", company: str = "") -> Lead:
        asked = friday_evening(now) if name == "Femi Ade" else now
        return Lead(
            id=f"L-{number}",
            name=name,
            email=email,
            phone=phone,
            company=company,
            message=message,
            source="website",
            created_at=asked,
        )

    def lost(mark: str) -> Fault:
        return Fault(kind=FaultKind.LOST_ANSWER, match=f"{_WRITING}{mark}")

    slowly = Fault(kind=FaultKind.RATE_LIMITED, match=f"{_WRITING}lead L-7", seconds=1)
    return [
        Enquiry(
            lead(1, "Robin Hill", "robin@example.com", "+15125550123", "Do you ship to Austin?", "Hill & Sons"),
            "an ordinary one, that is sent three times",
            repeated=True,
        ),
        Enquiry(
            lead(2, "Joanna Okafor", "jo@example.com", "+15125550188", "May we taste first?"),
            "somebody whom the CRM knows by e-mail address",
        ),
        Enquiry(
            lead(3, "Robin Hill", "Robin@Example.com", message="And to Houston?"),
            "Robin asks something else at the same time",
        ),
        Enquiry(lead(4, "Ada Moss", phone="+15125550177", message="Please call me."), "only a phone number"),
        Enquiry(lead(5, "Kim", message="Just looking around."), "neither e-mail address nor phone number"),
        Enquiry(
            lead(6, "Femi Ade", "femi@example.com", "+15125550166", "Can you do 40 kg a month?"),
            "asked on a Friday evening",
        ),
        Enquiry(
            lead(
                7,
                "Zoë Ångström-Müller y Þórdís O’Brien-Łukasiewicz, Мария Иванова, 王小明, محمد الأمين " * 3,
                "zoe@example.com",
                message="Which tea goes with cake?",
                company="Café “Zur schönen Aussicht” & Söhne",
            ),
            "long names in several scripts, and the CRM asks to slow down (429)",
            faults=[slowly],
        ),
        Enquiry(
            lead(8, "Mei Lin", "mei@example.com", "+15125550199", "Is there a price list?"),
            "the CRM does each of three things, then the line goes dead",
            faults=[lost("mei@example"), lost("lead L-8"), lost("Send an offer to Mei Lin")],
        ),
        Enquiry(
            lead(9, "Sam Reed", NO_ADDRESS, "+15125550155", "Do you take old tins back?"),
            "an e-mail address that can't be one",
            right_email=RIGHT["crm"][1],
        ),
    ]


def agreements() -> list[Agreement]:
    """Six of them; five are signed."""

    def lost(match: str) -> Fault:
        return Fault(kind=FaultKind.LOST_ANSWER, match=match)

    dana = Signer(name="Dana", email="dana@practice.example")
    return [
        Agreement(
            "C-1",
            "Care plan",
            [Signer(name="Robin Hill", email="robin@example.com")],
            "an ordinary one, and two repeats",
            copies=3,
        ),
        Agreement(
            "C-2", "Tasting course", [Signer(name="Noor Khan", email="noor@example.com")], "is declined", declined=True
        ),
        Agreement(
            "C-3",
            "Supply contract",
            [Signer(name="Femi Ade", email="femi@example.com"), dana],
            "two sign it, and the project tool fails once (500)",
            projects_faults=[Fault(kind=FaultKind.FAILED, match=f"{_WRITING}contract C-3")],
        ),
        Agreement(
            "C-4",
            "Shop fitting",
            [Signer(name="Mei Lin", email="mei@example.com")],
            "the project tool begins it, then the line goes dead; so with the checklist",
            projects_faults=[lost(f"{_WRITING}contract C-4"), lost(f"{_WRITING}onboarding C-4")],
        ),
        Agreement(
            "C-5",
            "Machine rental",
            [Signer(name="Zoë Ångström", email="zoe@example.com")],
            "the mail server takes the welcome, then the line goes dead",
            mail_faults=[lost(f"^MAIL zoe@example.com {WELCOME}")],
        ),
        Agreement(
            "C-6",
            "Tea of the month",
            [Signer(name="Jo Okafor", email=NO_MAILBOX)],
            "signed with an address at which there is no mailbox",
            right_email=RIGHT["mail"][1],
        ),
    ]
