"""The promises of the onboarding story: each can be broken, by what is too much and by what is too little."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from bellwire.capabilities import Given
from bellwire.capabilities.chat import PostMessage
from bellwire.capabilities.crm import CreateCrmTask, CreateDeal, FindOrCreateContact
from bellwire.capabilities.email import SendMail
from bellwire.capabilities.projects import CreateProject, CreateProjectTask
from bellwire.cli import app
from bellwire.clock import system_clock
from bellwire.connectors.kit import Call
from bellwire.practice.stage import Stage
from bellwire.practice.stories import Promises, Story, Verdict, find_story
from bellwire.practice.stories.onboarding.chapters import (
    Enquiry,
    agreements,
    enquiries,
    friday_evening,
    working_days_after,
)
from bellwire.practice.stories.onboarding.holdings import Holdings
from bellwire.practice.stories.onboarding.promises import contracts_kept, enquiries_kept
from tests.practice.stories.playing import stage_for

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ENQUIRIES = "bellwire.practice.stories.onboarding.story.enquiries"
"""Where the story looks them up."""


async def promises(story: Story, stage: Stage) -> list[Promises]:
    return [told async for told in story.tell(stage) if isinstance(told, Promises)]


def broken(verdicts: Sequence[Verdict]) -> set[str]:
    return {verdict.promise for verdict in verdicts if not verdict.held}


class After:
    """The vendors once the story is over, and what is looked at there."""

    def __init__(self, stage: Stage, asked: Sequence[Enquiry]) -> None:
        self._stage = stage
        self.holdings = Holdings.of(stage)
        self._asked, self._agreed = asked, agreements()
        self._signed = {each.reference: stage.clock().date() for each in self._agreed if not each.declined}
        self._by_hand = {each.id for each in self.holdings.projects.begun() if not each.reference}

    def broken(self) -> set[str]:
        kept = enquiries_kept(self._asked, self.holdings)
        signed = contracts_kept(self._agreed, self._signed, self.holdings, self._by_hand, mended=True)
        return broken([*kept, *signed])

    async def do(self, connection: str, operation: str, given: Given) -> None:
        """One thing more is done at a vendor."""
        behind = self._stage.connections[connection]
        call = replace(Call.asking(behind, system_clock), key=uuid4().hex)
        await behind.connector.actions[operation](call, given)


async def test_each_thing_too_much_breaks_the_promise_that_speaks_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The contents of the story are looked at again later, with the times that it had.
    frozen = enquiries(system_clock().replace(microsecond=0))
    monkeypatch.setattr(ENQUIRIES, lambda _: frozen)
    story = find_story("onboarding")
    async with stage_for(story, tmp_path) as stage:
        assert [broken(each.verdicts) for each in await promises(story, stage)] == [set(), set()]
        after = After(stage, frozen)
        assert after.broken() == set()
        people = {each.email: each.id for each in after.holdings.crm.people()}
        (orders,) = [each.id for each in after.holdings.projects.begun() if not each.reference]
        robin, femi = people["robin@example.com"], people["femi@example.com"]
        steps: list[tuple[str, str, Given, set[str]]] = [
            (
                "crm",
                "crm.find_or_create_contact",
                FindOrCreateContact(email="stranger@example.com"),
                {"One contact for each person"},
            ),
            (
                "crm",
                "crm.create_deal",
                CreateDeal(name="Again", contact_id=robin, reference="lead L-1"),
                {"One deal for each enquiry"},
            ),
            (
                "crm",
                "crm.create_deal",
                CreateDeal(name="Whose?", contact_id=femi, reference="lead L-1"),
                {"Every deal is with the one who asked"},
            ),
            (
                "crm",
                "crm.create_task",
                CreateCrmTask(contact_id=femi, subject="Call Femi Ade", due=NOW - timedelta(days=300)),
                {
                    "Three tasks for each enquiry, due on the right business days at 10:00",
                    "Who asked on Friday evening is called on Monday at 10:00",
                },
            ),
            (
                "chat",
                "chat.post_message",
                PostMessage(channel="sales", text="Robin Hill asks: Do you ship to Austin?"),
                {"One word to sales for each enquiry"},
            ),
            (
                "chat",
                "chat.post_message",
                PostMessage(channel="onboarding", text="Noor Khan has signed Tasting course."),
                {"One word to the team for each signed contract"},
            ),
            (
                "mail",
                "email.send_mail",
                SendMail(to="robin@example.com", subject="Welcome", text="Hello"),
                {"One welcome for each customer"},
            ),
            (
                "mail",
                "email.send_mail",
                SendMail(to="noor@example.com", subject="Your access to our client portal", text="Hello"),
                {"One invitation for each customer"},
            ),
            (
                "mail",
                "email.send_mail",
                SendMail(to="noor@example.com", subject="A pity", text="Hello"),
                {"No other mail goes out"},
            ),
            (
                "projects",
                "projects.create_project",
                CreateProject(name="Noor Khan", reference="contract C-2"),
                {"One project for each signed contract"},
            ),
            (
                "projects",
                "projects.create_project",
                CreateProject(name="Robin Hill", reference="contract C-1", due=date(2030, 1, 1)),
                {"Projects are due in 20 business days, checklists in 5"},
            ),
            (
                "projects",
                "projects.create_task",
                CreateProjectTask(project_id=orders, name="Onboarding", reference="onboarding C-1"),
                {
                    "One checklist for each signed contract",
                    "Each checklist is in its own project, with its six steps",
                },
            ),
        ]
        wrong: set[str] = set()
        for connection, operation, given, newly in steps:
            await after.do(connection, operation, given)
            assert after.broken() - wrong == newly, given
            wrong |= newly


def as_if(change: Callable[[Enquiry], Enquiry], number: str) -> Callable[[datetime], list[Enquiry]]:
    """The story's enquiries, with one of them changed."""

    def changed(now: datetime) -> list[Enquiry]:
        return [change(each) if each.lead.id == number else each for each in enquiries(now)]

    return changed


def without_phone(enquiry: Enquiry) -> Enquiry:
    return replace(enquiry, lead=enquiry.lead.model_copy(update={"phone": ""}))


def with_right_address(enquiry: Enquiry) -> Enquiry:
    return replace(enquiry, lead=enquiry.lead.model_copy(update={"email": enquiry.right_email}))


def on_thursday(enquiry: Enquiry) -> Enquiry:
    asked = enquiry.lead.created_at - timedelta(days=1)
    return replace(enquiry, lead=enquiry.lead.model_copy(update={"created_at": asked}))


@pytest.mark.parametrize(
    ("change", "number", "promise"),
    [
        (without_phone, "L-2", "What the CRM knew of a person stays, and what it lacked is added"),
        (on_thursday, "L-6", "Who asked on Friday evening is called on Monday at 10:00"),
    ],
)
async def test_a_promise_about_one_enquiry_is_broken_when_that_one_is_another(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Enquiry], Enquiry],
    number: str,
    promise: str,
) -> None:
    monkeypatch.setattr(ENQUIRIES, as_if(change, number))
    story = find_story("onboarding")
    async with stage_for(story, tmp_path) as stage:
        told = await promises(story, stage)
        assert [broken(each.verdicts) for each in told] == [{promise}, {promise}]


def test_a_broken_promise_ends_the_demo_in_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to be asked about an address that is right."""
    monkeypatch.setattr(ENQUIRIES, as_if(with_right_address, "L-9"))
    result = CliRunner().invoke(app, ["demo", "onboarding", "--once"], env={"COLUMNS": "200"})
    assert result.exit_code == 1, result.output
    assert "A promise was broken." in result.stdout and "1 open" in result.stdout
    assert "too many: sam@example.com" in result.stdout


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 11, 27), 1, date(2026, 11, 30)),
        (date(2026, 11, 28), 1, date(2026, 11, 30)),
        (date(2026, 11, 24), 3, date(2026, 11, 27)),
        (date(2026, 11, 24), 8, date(2026, 12, 4)),
    ],
)
def test_the_story_counts_business_days_by_itself(day: date, count: int, expected: date) -> None:
    assert working_days_after(day, count) == expected


@pytest.mark.parametrize("days", range(8))
def test_the_friday_evening_of_the_story_is_over(days: int) -> None:
    now = NOW + timedelta(days=days)
    evening = friday_evening(now)
    assert evening.weekday() == 4 and timedelta() < now - evening <= timedelta(days=8)
