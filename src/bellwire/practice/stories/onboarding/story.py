"""The story of onboarding, as it is told."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import ClassVar

from bellwire.ledger import exceptions
from bellwire.practice.roles import Signing, Teller
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.onboarding.chapters import RIGHT, Agreement, Enquiry, agreements, enquiries
from bellwire.practice.stories.onboarding.holdings import Holdings
from bellwire.practice.stories.onboarding.promises import contracts_kept, enquiries_kept
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, mails_shown


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
        "mail": f"{len(mails_shown(holdings.mailbox))} mails to customers",
        "chat": f"{len(holdings.chat.messages())} messages to sales and to the team",
    }
