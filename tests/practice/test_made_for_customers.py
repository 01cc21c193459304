"""What simulators of CRM, projects, signatures, mail and chat say was made there is what the operations say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from bellwire.capabilities import Given
from bellwire.capabilities.chat import PostMessage
from bellwire.capabilities.crm import CreateCrmTask, CreateDeal, FindOrCreateContact
from bellwire.capabilities.email import SendMail, SendNotice
from bellwire.capabilities.esign import SendContract
from bellwire.capabilities.projects import CreateProject, CreateProjectTask
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Call
from bellwire.practice import Practised, find_simulator, practising
from tests.samples import order

DUE = datetime(2026, 12, 1, 10, tzinfo=UTC)


@dataclass
class Vendor:
    practised: Practised

    async def do(self, operation: str, given: Given) -> str:
        """The id of what is made so."""
        call: Call = replace(self.practised.call(), key=uuid4().hex)
        return str((await self.practised.connection.connector.actions[operation](call, given)).model_dump()["id"])


async def given_for(vendor: Vendor, operation: str, number: int) -> Given:
    match operation:
        case "crm.find_or_create_contact":
            return FindOrCreateContact(email=f"robin{number}@example.com")
        case "crm.create_deal" | "crm.create_task":
            person = FindOrCreateContact(email="robin@example.com")
            contact = await vendor.do("crm.find_or_create_contact", person)
            if operation == "crm.create_deal":
                return CreateDeal(name="Tea", contact_id=contact, reference=f"lead {number}")
            return CreateCrmTask(contact_id=contact, subject=f"Call {number}", due=DUE)
        case "projects.create_project":
            return CreateProject(name="Robin Hill", reference=f"contract {number}", due=date(2026, 12, 1))
        case "projects.create_task":
            project = await vendor.do("projects.create_project", CreateProject(name="Robin", reference="contract 0"))
            return CreateProjectTask(project_id=project, name="Begin", reference=f"task {number}", checklist=("a", "b"))
        case "esign.send_contract":
            return SendContract(
                template="Service contract", name="Robin Hill", email="robin@example.com", reference=f"C-{number}"
            )
        case "email.send_mail":
            return SendMail(to="robin@example.com", subject=f"Welcome {number}", text="Hello")
        case "email.send_notice":
            return SendNotice(to="robin@example.com", order=order())
        case _:
            return PostMessage(channel="sales", text=f"Number {number}")


MAKING = (
    "crm.find_or_create_contact",
    "crm.create_deal",
    "crm.create_task",
    "projects.create_project",
    "projects.create_task",
    "esign.send_contract",
    "email.send_mail",
    "email.send_notice",
    "chat.post_message",
)


def makers() -> Iterator[tuple[str, str]]:
    """Each of these operations at each vendor that does it."""
    for connector in all_connectors():
        for operation in MAKING:
            if operation in connector.actions:
                yield connector.name, operation


@pytest.mark.parametrize(("name", "operation"), list(makers()))
async def test_what_was_made_is_what_the_results_say(name: str, operation: str) -> None:
    async with practising(name) as practised:
        vendor = Vendor(practised)
        given = [await given_for(vendor, operation, number) for number in (1, 2)]
        before: Mapping[str, frozenset[str]] = {key: frozenset(ids) for key, ids in practised.simulator.made().items()}
        made = {await vendor.do(operation, each) for each in given}
        assert len(made) == 2
        assert set(practised.simulator.made()[operation]) - before[operation] == made


def test_nothing_is_made_where_nothing_was_done() -> None:
    for name, operation in makers():
        if not operation.startswith("projects."):
            assert not list(find_simulator(name)().made()[operation])
