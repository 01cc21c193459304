"""The actions against a practice account, on good days and bad."""

import asyncio
import dataclasses
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from bellwire.capabilities import Given, Result
from bellwire.capabilities.crm import CreateCrmTask, CreateDeal, CrmContact, CrmDeal, CrmTask, FindOrCreateContact
from bellwire.clock import system_clock
from bellwire.connectors.kit import Call, Connection
from bellwire.errors import OutcomeUnknown, Refused, Transient
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.hubspot import HubSpot
from tests.connecting import call
from tests.connectors.hubspot.conftest import Connect
from tests.samples import NOW, usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

_serial = count(1)
DUE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def new_call(crm: Connection, **changes: Any) -> Call:
    return call(crm, key=f"{next(_serial):032x}", **changes)


async def do(call: Call, name: str, given: Given) -> Result:
    return await call.connection.connector.actions[f"crm.{name}"](call, given)


async def contact(call: Call, **given: Any) -> CrmContact:
    result = await do(call, "find_or_create_contact", FindOrCreateContact(**given))
    assert isinstance(result, CrmContact)
    return result


async def deal(call: Call, **given: Any) -> CrmDeal:
    result = await do(call, "create_deal", CreateDeal(**{"name": "Tea for 40", "reference": "L-1", **given}))
    assert isinstance(result, CrmDeal)
    return result


async def task(call: Call, **given: Any) -> CrmTask:
    result = await do(call, "create_task", CreateCrmTask(**{"subject": "Call back", "due": DUE, **given}))
    assert isinstance(result, CrmTask)
    return result


def held(portal: HubSpot, kind: str, record_id: str) -> dict[str, Any]:
    properties: dict[str, Any] = portal.crm.records[kind][record_id]["properties"]
    return properties


def email() -> str:
    return f"robin{next(_serial)}@example.com"


class TestContacts:
    async def test_somebody_new_is_added(self, connect: Connect, portal: HubSpot) -> None:
        address = email()
        made = await contact(
            new_call(connect()), name="Robin van Hill", email=address, phone="+15125550123", company="Hill Ltd"
        )
        assert made.created and made.url == f"https://app.hubspot.com/contacts/62515/record/0-1/{made.id}"
        told = held(portal, "contacts", made.id)
        assert (told["firstname"], told["lastname"], told["email"]) == ("Robin van", "Hill", address)
        assert (told["phone"], told["company"]) == ("+15125550123", "Hill Ltd")

    async def test_what_is_there_is_kept_and_what_it_lacks_is_added(self, connect: Connect, portal: HubSpot) -> None:
        address = email()
        known = portal.crm.add("contacts", {"email": address, "firstname": "Bob", "company": "Hill"})
        found = await contact(
            new_call(connect()), name="Robin Hill", email=address.upper(), phone="+1512", company="Other"
        )
        assert (found.id, found.created) == (known["id"], False)
        told = held(portal, "contacts", found.id)
        assert (told["firstname"], told["lastname"], told["company"]) == ("Bob", None, "Hill")
        assert told["phone"] == "+1512"

    async def test_nothing_is_written_when_nothing_is_lacking(self, connect: Connect, portal: HubSpot) -> None:
        address = email()
        portal.crm.add("contacts", {"email": address, "firstname": "Bob"})
        await contact(new_call(connect()), name="Robin", email=address)
        assert [request.method for request in portal.received] == ["GET"]

    @pytest.mark.parametrize("property_name", ["phone", "mobilephone"])
    async def test_without_an_address_the_phone_number_counts(
        self, connect: Connect, portal: HubSpot, property_name: str
    ) -> None:
        number = f"+1512555{next(_serial):04}"
        known = portal.crm.add("contacts", {property_name: number, "firstname": "Bob"})
        assert (await contact(new_call(connect()), phone=number)).id == known["id"]

    async def test_a_search_that_lags_is_waited_for_before_a_second_one_is_made(
        self, connect: Connect, portal: HubSpot
    ) -> None:
        crm, number = connect(), f"+1512555{next(_serial):04}"
        made = await contact(new_call(crm), phone=number)
        portal.crm.unindexed.add(made.id)
        again = dataclasses.replace(new_call(crm, again=True), since=NOW - timedelta(seconds=3))
        with pytest.raises(Transient, match="takes some seconds") as waiting:
            await contact(again, phone=number)
        assert waiting.value.retry_after == timedelta(seconds=15)
        portal.crm.unindexed.clear()
        assert (await contact(again, phone=number)).id == made.id

    async def test_somebody_whom_another_adds_at_the_same_time_is_found(
        self, connect: Connect, portal: HubSpot
    ) -> None:
        address, one, other = email(), connect(), connect()
        # Both look before either writes.
        portal.faults.add(Fault(kind=FaultKind.SLOW, match="GET .*/contacts/", seconds=0.05, times=2))
        made = await asyncio.gather(*(contact(new_call(crm), email=address) for crm in (one, other)))
        assert {each.id for each in made} == {
            each["id"] for each in portal.crm.records["contacts"].values() if each["properties"]["email"] == address
        }
        assert [each.created for each in made].count(True) == 1

    @pytest.mark.proves("errors")
    async def test_an_address_that_is_none_is_said(self, connect: Connect) -> None:
        with pytest.raises(Refused, match="doesn't take this e-mail address") as refused:
            await contact(new_call(connect()), email="robin example.com")
        assert refused.value.cause == "invalid-email"


class TestDeals:
    async def test_a_deal_says_what_people_look_for(self, connect: Connect, portal: HubSpot) -> None:
        crm = connect()
        who = await contact(new_call(crm), email=email())
        made = await deal(
            new_call(crm), contact_id=who.id, amount=usd("240.00"), stage="closed WON", closes_on=date(2026, 12, 24)
        )
        told = held(portal, "deals", made.id)
        assert (told["dealname"], told["amount"], told["deal_currency_code"]) == ("Tea for 40", "240.00", None)
        assert (told["pipeline"], told["dealstage"]) == ("default", "closedwon")
        assert (told["closedate"], told["description"]) == ("2026-12-24T00:00:00Z", "Reference: L-1")
        assert portal.crm.links[who.id, "deals"] == [made.id]
        assert made.url.endswith(f"/62515/record/0-3/{made.id}")

    async def test_it_begins_at_the_first_stage_and_says_another_currency(
        self, connect: Connect, portal: HubSpot
    ) -> None:
        crm = connect(pipeline="sales PIPELINE")
        who = await contact(new_call(crm), email=email())
        made = await deal(new_call(crm), contact_id=who.id, amount=Money.of("9.50", "EUR"))
        told = held(portal, "deals", made.id)
        assert (told["dealstage"], told["deal_currency_code"]) == ("appointmentscheduled", "EUR")

    @pytest.mark.proves("errors")
    async def test_a_stage_or_pipeline_that_does_not_exist_is_named_with_those_that_do(self, connect: Connect) -> None:
        who = await contact(new_call(connect()), email=email())
        with pytest.raises(Refused, match="no stage 'Maybe'") as refused:
            await deal(new_call(connect()), contact_id=who.id, stage="Maybe")
        assert "Appointment scheduled, Closed won, Closed lost" in refused.value.remedy
        with pytest.raises(Refused, match="no pipeline 'Leads'") as refused:
            await deal(new_call(connect(pipeline="Leads")), contact_id=who.id)
        assert "Sales Pipeline" in refused.value.remedy

    @pytest.mark.proves("paging")
    async def test_a_lost_answer_leaves_one_deal_however_many_the_contact_has(
        self, connect: Connect, portal: HubSpot
    ) -> None:
        crm = connect()
        who, this = await contact(new_call(crm), email=email()), new_call(crm)
        others = [portal.crm.add("deals", {"dealname": f"Other {n}", "dealstage": "closedwon"}) for n in range(620)]
        portal.crm.links[who.id, "deals"] = [other["id"] for other in others]
        portal.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/deals "))
        with pytest.raises(OutcomeUnknown):
            await deal(this, contact_id=who.id, reference="L-7")
        portal.received.clear()
        again = await deal(dataclasses.replace(this, again=True), contact_id=who.id, reference="L-7")
        assert portal.crm.links[who.id, "deals"][620:] == [again.id]
        listed = [r.query.get("after") for r in portal.received if r.path.endswith("/associations/deals")]
        assert listed == [None, "500"]
        batches = [len(r.body["inputs"]) for r in portal.received if r.path.endswith("/batch/read")]
        assert batches == [100] * 5 + [100, 21]


class TestTasks:
    async def test_a_task_is_for_a_contact_at_a_time_and_for_somebody(self, connect: Connect, portal: HubSpot) -> None:
        crm = connect()
        who = await contact(new_call(crm), email=email())
        made = await task(new_call(crm), contact_id=who.id, notes="About the tea", owner="kim@example.com")
        told = held(portal, "tasks", made.id)
        assert (told["hs_timestamp"], told["hs_task_status"]) == ("2026-12-01T09:00:00.000Z", "NOT_STARTED")
        assert (told["hs_task_body"], told["hubspot_owner_id"]) == ("About the tea", "41")
        assert portal.crm.links[who.id, "tasks"] == [made.id]
        assert made.due == DUE

    @pytest.mark.proves("errors")
    async def test_an_owner_whom_hubspot_does_not_know_is_named(self, connect: Connect) -> None:
        who = await contact(new_call(connect()), email=email())
        with pytest.raises(Refused, match="no user with the e-mail address nobody@"):
            await task(new_call(connect()), contact_id=who.id, owner="nobody@example.com")

    async def test_an_older_task_of_the_same_name_and_time_is_another(self, connect: Connect, portal: HubSpot) -> None:
        crm = connect()
        who, this = await contact(new_call(crm), email=email()), new_call(crm)
        due = {"hs_timestamp": "2026-12-01T09:00:00Z", "hs_task_subject": "Call back"}
        old = portal.crm.add("tasks", due, at=system_clock() - timedelta(days=2))
        portal.crm.links[who.id, "tasks"] = [old["id"]]
        again = dataclasses.replace(this, again=True, since=system_clock())
        assert (await task(again, contact_id=who.id)).id != old["id"]


@pytest.mark.proves("version")
async def test_the_pinned_version_is_in_every_path(connect: Connect, portal: HubSpot) -> None:
    crm = connect()
    who = await contact(new_call(crm), email=email())
    await deal(new_call(crm, again=True), contact_id=who.id)
    await task(new_call(crm, again=True), contact_id=who.id, owner="kim@example.com")
    await contact(new_call(crm), phone="+1512")
    assert len(portal.received) > 8
    assert [r.path for r in portal.received if "/2026-09" not in r.path] == []


@pytest.mark.proves("version")
async def test_an_end_that_answers_announce_is_noticed(connect: Connect, portal: HubSpot) -> None:
    crm = connect()
    portal.sunset = "Sun, 31 Mar 2028 00:00:00 GMT"
    await contact(new_call(crm), email=email())
    portal.sunset = ""
    assert crm.api.notices == {"Sunset": "Sun, 31 Mar 2028 00:00:00 GMT"}
