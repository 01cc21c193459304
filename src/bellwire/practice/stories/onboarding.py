"""From the enquiry to the new customer: nine enquiries and six contracts on a bad day, and what must be true
afterwards."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from bellwire.events import Lead, Signer
from bellwire.ledger import exceptions
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Chat, Crm, Mailbox, Projects, Sent, Signing, Teller
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, each_once, same

NO_ADDRESS, NO_MAILBOX = "sam@@example.com", "unknown@example.com"
"""The practice CRM takes the one for no address, and the practice mail server knows nobody at the other."""
RIGHT = {"crm": ("email", "sam@example.com"), "mail": ("to", "jo@example.com")}
"""What the owner puts in instead, by the connection that refused it: in which field, and which address."""
WELCOME, INVITATION = "Welcome", "Your access to our client portal"
"""The subjects of the two mails."""

_STEPS = 6
_TEN = time(10, tzinfo=UTC)
_WRITING = "^(POST|PUT|PATCH) .*"
_CALL, _OFFER, _FOLLOW_UP = 1, 3, 8
"""After so many business days each of the three tasks is due."""
_PROJECT, _CHECKLIST = 20, 5


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


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    website: Teller
    crm: Crm
    signing: Signing
    projects: Projects
    mailbox: Mailbox
    chat: Chat

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("forms", Teller),  # type: ignore[type-abstract]
            stage.part("crm", Crm),  # type: ignore[type-abstract]
            stage.part("esign", Signing),  # type: ignore[type-abstract]
            stage.part("projects", Projects),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
        )


class Onboarding(Story):
    template: ClassVar[str] = "onboarding"
    title: ClassVar[str] = "From the enquiry to the new customer, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "An enquiry becomes a contact, a deal, three tasks with due dates and a word to sales;",
        "a signed contract becomes a project with its checklist, two mails and a word to the team.",
    )

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        asked, agreed, holdings = enquiries(stage.clock().replace(microsecond=0)), agreements(), Holdings.of(stage)
        begun_before = {project.id for project in holdings.projects.begun()}
        holdings.crm.enter("Jo Okafor", "jo@example.com")
        signed_on: dict[str, date] = {}
        names = {f"lead/{each.lead.id}": f"enquiry {each.lead.id}" for each in asked}

        def promises(*, mended: bool) -> list[Verdict]:
            return [
                *enquiries_kept([each for each in asked if mended or not each.right_email], holdings),
                *contracts_kept(agreed, signed_on, holdings, begun_before, mended=mended),
            ]

        yield Act("What arrives")
        for enquiry in asked:
            async for line in _ask(stage, holdings.website, enquiry):
                yield line
        for agreement in agreed:
            async for line in _agree(stage, holdings.signing, agreement, names, signed_on):
                yield line
        await stage.settle()
        async for each in retries_told(stage, names):
            yield each
        async for each in exceptions_told(stage):
            yield each
        two = await exceptions_are(stage, "Two exceptions, and each speaks of the address", 2, "address")
        yield Promises("What the vendors hold now", [*promises(mended=False), two])
        yield Act("The owner asks both for their right addresses, puts them in, and retries.")
        async for line in _mend(stage):
            yield line
        none_left = await exceptions_are(stage, "No exception is left", 0)
        yield Promises("After the mending", [*promises(mended=True), none_left, *await balance(stage)])
        async for each in holdings_told(stage, _held(holdings, asked, agreed, begun_before)):
            yield each


async def _ask(stage: Stage, website: Teller, enquiry: Enquiry) -> AsyncIterator[str]:
    for fault in enquiry.faults:
        stage.simulators["crm"].faults.add(fault)
    webhook, number = website.tell("lead.created", enquiry.lead), enquiry.lead.id
    yield f"enquiry {number}   {await stage.send('forms', webhook)!s:<28} {enquiry.about}"
    if enquiry.repeated:
        yield f"enquiry {number}   {await stage.send('forms', webhook)!s:<28} the same delivery again"
        again = website.tell("lead.created", enquiry.lead)
        yield f"enquiry {number}   {await stage.send('forms', again)!s:<28} the same enquiry, sent again"


async def _agree(
    stage: Stage, signing: Signing, agreement: Agreement, names: dict[str, str], signed_on: dict[str, date]
) -> AsyncIterator[str]:
    for connection, faults in (("projects", agreement.projects_faults), ("mail", agreement.mail_faults)):
        for fault in faults:
            stage.simulators[connection].faults.add(fault)
    contract = signing.send_out(agreement.title, agreement.reference, agreement.signers)
    names[f"contract/{contract}"] = f"contract {agreement.reference}"
    if agreement.declined:
        signing.decline(contract, "It is too long.")
    else:
        signed_on[agreement.reference] = signing.sign(contract).date()
    for copy in range(agreement.copies):
        answer = await stage.send("esign", signing.webhook(contract, retries=copy))
        yield f"contract {agreement.reference}  {answer!s:<28} {'sent once more' if copy else agreement.about}"


async def _mend(stage: Stage) -> AsyncIterator[str]:
    for exception in await stage.ledger.read(lambda rows: exceptions.open_ones(rows)):
        field, address = RIGHT[exception.connection]
        await stage.correct(exception, field, address, who="the demo")
        yield f"exception {exception.id}: {exception.action} is given {address}"


def _held(
    holdings: Holdings, asked: Sequence[Enquiry], agreed: Sequence[Agreement], begun_before: set[str]
) -> dict[str, str]:
    crm, projects = holdings.crm, holdings.projects
    begun = [each for each in projects.begun() if each.id not in begun_before]
    return {
        "forms": f"{len(asked)} enquiries",
        "crm": f"{len(crm.people())} contacts, {len(crm.hoped())} deals, {len(crm.planned())} tasks",
        "esign": f"{len(agreed)} contracts, {sum(not each.declined for each in agreed)} of them signed",
        "projects": f"{len(begun)} new projects, each with a checklist",
        "mail": f"{len(_as_shown(holdings.mailbox.mails()))} mails to customers",
        "chat": f"{len(holdings.chat.messages())} messages to sales and to the team",
    }


def enquiries_kept(asked: Sequence[Enquiry], holdings: Holdings) -> list[Verdict]:
    """What the CRM and the chat hold, against what was asked."""
    known = [each for each in asked if each.who]
    people = {each.id: each for each in holdings.crm.people()}
    who = {contact: each.email.lower() or each.phone for contact, each in people.items()}
    hoped, planned = holdings.crm.hoped(), holdings.crm.planned()
    numbers = {each.lead.id: each.who for each in known}
    wanted = Counter((each.who, due) for each in known for due in each.due)
    found = Counter((who.get(each.contact_id, "nobody"), each.due) for each in planned)
    jo = [f"{each.name}, {each.phone}" for each in people.values() if each.email == "jo@example.com"]
    femi = sorted(each.due for each in planned if who.get(each.contact_id) == "femi@example.com")
    about = {each.lead.id: each.lead.message for each in asked}
    said = [number for sent in holdings.chat.messages() if (number := _told_of(sent, about))]
    return [
        each_once("contact", {each.who for each in known}, who.values(), "person"),
        same(
            "What the CRM knew of a person stays, and what it lacked is added", "Jo Okafor, +15125550188", ", ".join(jo)
        ),
        each_once("deal", set(numbers), [each.reference.removeprefix("lead ") for each in hoped], "enquiry"),
        Verdict(
            "Every deal is with the one who asked",
            numbers == {each.reference.removeprefix("lead "): who.get(each.contact_id, "nobody") for each in hoped},
            f"{len(hoped)} deals with {len({each.contact_id for each in hoped})} people",
        ),
        _tasks(wanted, found),
        same(
            "Who asked on Friday evening is called on Monday at 10:00",
            "Monday at 10:00",
            f"{femi[0]:%A at %H:%M}" if femi else "never",
        ),
        each_once("word to sales", set(about), said, "enquiry"),
    ]


def _tasks(wanted: Counter[tuple[str, datetime]], found: Counter[tuple[str, datetime]]) -> Verdict:
    wrong = sorted({who for who, _ in (wanted - found) + (found - wanted)})
    told = f"{found.total()} tasks" + (f"; wrong for {', '.join(wrong)}" if wrong else "")
    return Verdict("Three tasks for each enquiry, due on the right business days at 10:00", not wrong, told)


def contracts_kept(
    agreed: Sequence[Agreement],
    signed_on: Mapping[str, date],
    holdings: Holdings,
    begun_before: set[str],
    *,
    mended: bool,
) -> list[Verdict]:
    """What project tool, mailbox and chat hold, against what was signed."""
    signed = {each.reference: each for each in agreed if not each.declined}
    begun = [each for each in holdings.projects.begun() if each.id not in begun_before]
    lists, mails = holdings.projects.checklists(), _as_shown(holdings.mailbox.mails())
    mailed = {each.customer for each in signed.values() if mended or not each.right_email}
    about = {each.reference: each.title for each in agreed}
    said = [reference for sent in holdings.chat.messages() if (reference := _told_of(sent, about))]
    late = [b.reference for b in begun if b.due != _due(signed_on, b.reference, _PROJECT)]
    late += [c.reference for c in lists if c.due != _due(signed_on, c.reference, _CHECKLIST)]
    odd = [c.reference for c in lists if len(set(c.steps)) != _STEPS or len(c.steps) != _STEPS]
    odd += [c.reference for c in lists if _number(c.project) != _number(c.reference)]
    others = [mail.to for mail in mails if mail.subject not in (WELCOME, INVITATION)]
    return [
        each_once("project", set(signed), [_number(each.reference) for each in begun], "signed contract"),
        each_once("checklist", set(signed), [_number(each.reference) for each in lists], "signed contract"),
        Verdict("Each checklist is in its own project, with its six steps", not odd, _all_or(odd, "in place")),
        Verdict(
            "Projects are due in 20 business days, checklists in 5", not late, _all_or(late, f"{len(begun)} of each")
        ),
        each_once("welcome", mailed, [mail.to for mail in mails if mail.subject == WELCOME], "customer"),
        each_once("invitation", mailed, [mail.to for mail in mails if mail.subject == INVITATION], "customer"),
        Verdict("No other mail goes out", not others, _all_or(others, "none")),
        each_once("word to the team", set(signed), said, "signed contract"),
    ]


def _number(reference: str) -> str:
    """Of the contract that something is for."""
    return reference.removeprefix("contract ").removeprefix("onboarding ")


def _due(signed_on: Mapping[str, date], reference: str, days: int) -> date | None:
    signed = signed_on.get(_number(reference))
    return working_days_after(signed, days) if signed else None


def _all_or(wrong: Sequence[str], right: str) -> str:
    return f"wrong: {', '.join(wrong)}" if wrong else right


def _told_of(sent: Sent, about: Mapping[str, str]) -> str:
    """Which of them a message is about; empty: none."""
    return next((known for known, words in about.items() if words in sent.text), "")


def _as_shown(mails: Iterable[Sent]) -> list[Sent]:
    """What mailboxes show: of several mails with the same Message-ID, one."""
    return list({mail.id: mail for mail in mails}.values())
