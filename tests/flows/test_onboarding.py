"""The template for new customers: what it does for ordinary and odd enquiries and contracts."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bellwire.capabilities import Given, crm
from bellwire.capabilities.base import Operation
from bellwire.capabilities.chat import POST_MESSAGE
from bellwire.capabilities.crm import CrmContact
from bellwire.capabilities.email import SEND_MAIL, Mail
from bellwire.capabilities.projects import CREATE_PROJECT, CREATE_TASK, Project
from bellwire.events import Contract, Environment, Event, Lead
from bellwire.events.bookings import Answer, Signer
from bellwire.flows import SKIPPED, ByHand, Scope, bundled, parse_flow, scope_for
from tests.flows.writing import PATH

LEAD, SIGNED = (parse_flow(bundled(name), PATH.with_stem(name)) for name in ("lead_created", "contract_signed"))
FRIDAY_EVENING = datetime(2026, 11, 27, 20, 15, tzinfo=UTC)
TAKES: dict[str, Operation] = {
    "contact": crm.FIND_OR_CREATE_CONTACT,
    "deal": crm.CREATE_DEAL,
    "call": crm.CREATE_TASK,
    "offer": crm.CREATE_TASK,
    "follow_up": crm.CREATE_TASK,
    "sales": POST_MESSAGE,
    "project": CREATE_PROJECT,
    "checklist": CREATE_TASK,
    "welcome": SEND_MAIL,
    "invite": SEND_MAIL,
    "team": POST_MESSAGE,
}


def lead(**changes: Any) -> Lead:
    values: dict[str, Any] = {
        "id": "0f3a",
        "name": "Robin Hill",
        "email": "robin@example.com",
        "phone": "+15125550123",
        "company": "Hill & Sons",
        "message": "Do you ship to Austin?",
        "source": "website",
        "created_at": FRIDAY_EVENING,
    }
    return Lead(**(values | changes))


def contract(**changes: Any) -> Contract:
    values: dict[str, Any] = {
        "id": "e1",
        "title": "Care plan",
        "reference": "C-7",
        "signers": (Signer(name="Robin Hill", email="robin@example.com"), Signer(name="Dana", email="d@example.com")),
        "updated_at": FRIDAY_EVENING,
    }
    return Contract(**(values | changes))


def scope(data: Any, **results: Any) -> Scope:
    event = Event(
        type="lead.created",
        connection="forms",
        environment=Environment.SANDBOX,
        business_key="k",
        subject="s",
        time=FRIDAY_EVENING,
        data=data,
    )
    return scope_for(event, results)


def enquiry(**changes: Any) -> Scope:
    found = CrmContact(id="77", created=True, url="https://crm.example/77")
    names = scope(lead(**changes), contact=found)
    return names if LEAD.actions["contact"].wanted(names) else names | {"contact": SKIPPED}


def signed(**changes: Any) -> Scope:
    project = Project(id="p1", name="Robin Hill", url="https://projects.example/p1")
    names = scope(contract(**changes), project=project, welcome=Mail(id="m1", to="robin@example.com"))
    return names if SIGNED.actions["welcome"].wanted(names) else names | {"welcome": SKIPPED}


def given(flow: Any, action: str, names: Scope) -> Any:
    """The action's inputs, as its operation takes them."""
    found = TAKES[action].given.model_validate(flow.actions[action].inputs(names))
    assert isinstance(found, Given)
    return found


def wanted(flow: Any, names: Scope) -> list[str]:
    return [action.name for action in flow.actions.values() if action.wanted(names)]


def test_an_enquiry_is_a_contact_a_deal_and_three_things_to_do() -> None:
    names = enquiry()
    assert wanted(LEAD, names) == ["contact", "deal", "call", "offer", "follow_up", "sales"]
    assert given(LEAD, "contact", names).email == "robin@example.com"
    deal = given(LEAD, "deal", names)
    assert (deal.name, deal.reference, deal.contact_id) == ("Hill & Sons: enquiry", "lead 0f3a", "77")
    assert given(LEAD, "call", names).subject == "Call Robin Hill"


def test_what_is_asked_on_friday_evening_is_due_on_business_days() -> None:
    names = enquiry()
    due = {action: given(LEAD, action, names).due for action in ("call", "offer", "follow_up")}
    assert due == {
        "call": datetime(2026, 11, 30, 10, tzinfo=UTC),
        "offer": datetime(2026, 12, 2, 10, tzinfo=UTC),
        "follow_up": datetime(2026, 12, 9, 10, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "", "company": "", "message": ""},
        {"email": "", "name": "", "company": ""},
        {"phone": ""},
        {"name": "x" * 500, "company": "y" * 500, "message": "z" * 5000, "id": "i" * 500},
        {"answers": (Answer(question="Size", answer="L"),)},
    ],
)
def test_every_input_is_valid_for_odd_enquiries(changes: dict[str, Any]) -> None:
    names = enquiry(**changes)
    for action in wanted(LEAD, names):
        given(LEAD, action, names)


def test_sales_reads_who_asks_what_and_whether_they_are_known() -> None:
    assert given(LEAD, "sales", enquiry(answers=(Answer(question="Size", answer="L"),))).text == (
        "Robin Hill of Hill & Sons asks: Do you ship to Austin?\nrobin@example.com +15125550123\nSize: L\n"
        "New in the CRM. https://crm.example/77\n"
    )
    known = enquiry() | {"contact": CrmContact(id="77", created=False)}
    assert "The CRM knows them." in given(LEAD, "sales", known).text


def test_somebody_without_an_address_is_told_to_sales_alone() -> None:
    names = enquiry(email="", phone="", name="", company="")
    assert wanted(LEAD, names) == ["sales"]
    assert given(LEAD, "sales", names).text == (
        "Somebody asks: Do you ship to Austin?\n"
        "There is neither an e-mail address nor a phone number, so they aren't in the CRM.\n"
    )
    assert "neither an e-mail address nor" in LEAD.actions["contact"].otherwise


def test_whoever_left_no_phone_number_is_written_to() -> None:
    assert given(LEAD, "call", enquiry(phone="")).subject == "Write to Robin Hill"


def test_a_signed_contract_is_a_project_with_a_checklist_and_two_mails() -> None:
    names = signed()
    assert wanted(SIGNED, names) == ["project", "checklist", "welcome", "invite", "team"]
    project, checklist = given(SIGNED, "project", names), given(SIGNED, "checklist", names)
    assert (project.name, project.reference, project.notes) == ("Robin Hill", "contract C-7", "Care plan")
    assert (project.due, checklist.due) == (date(2026, 12, 25), date(2026, 12, 4))
    assert checklist.project_id == "p1" and checklist.checklist[0] == "File the signed contract"
    welcome, invite = given(SIGNED, "welcome", names), given(SIGNED, "invite", names)
    assert welcome.to == invite.to == "robin@example.com"
    assert "your signed contract (Care plan)" in welcome.text and "https://portal.example.com/welcome" in invite.text
    assert SIGNED.actions["invite"].needs == {"welcome"}
    assert given(SIGNED, "team", names).text == (
        "Robin Hill has signed Care plan. The checklist is due on Friday, 4 December. https://projects.example/p1"
    )


@pytest.mark.parametrize(
    ("welcome", "address"),
    [
        (Mail(id="m1", to="hill@example.com"), "hill@example.com"),
        (ByHand({}), "robin@example.com"),
        (ByHand({"to": "hill@example.com"}), "hill@example.com"),
    ],
)
def test_the_invitation_goes_to_where_the_welcome_went(welcome: Any, address: str) -> None:
    """A person may have corrected the address, or written the welcome, and may not say to whom."""
    assert given(SIGNED, "invite", signed() | {"welcome": welcome}).to == address


@pytest.mark.parametrize(
    "changes",
    [
        {"signers": ()},
        {"signers": (), "title": "", "reference": ""},
        {"signers": (Signer(email="a@b.c"),), "title": "t" * 400, "reference": "r" * 400},
    ],
)
def test_every_input_is_valid_for_odd_contracts(changes: dict[str, Any]) -> None:
    names = signed(**changes)
    for action in wanted(SIGNED, names):
        given(SIGNED, action, names)


def test_a_contract_without_signers_is_still_a_project() -> None:
    names = signed(signers=(), title="", reference="")
    assert wanted(SIGNED, names) == ["project", "checklist", "team"]
    assert given(SIGNED, "project", names).name == "New customer"
    assert given(SIGNED, "project", names).reference == "contract e1"
    assert given(SIGNED, "team", names).text.startswith("A customer has signed the contract.")
