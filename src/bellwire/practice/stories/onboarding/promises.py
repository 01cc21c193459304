"""What the vendors hold, against what was asked and what was signed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from bellwire.practice.roles import Sent
from bellwire.practice.stories.onboarding.chapters import INVITATION, WELCOME, Agreement, Enquiry, working_days_after
from bellwire.practice.stories.onboarding.holdings import Holdings
from bellwire.practice.stories.telling import Verdict, each_once, mails_shown, same

_STEPS = 6
_PROJECT, _CHECKLIST = 20, 5


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
    lists, mails = holdings.projects.checklists(), mails_shown(holdings.mailbox)
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
