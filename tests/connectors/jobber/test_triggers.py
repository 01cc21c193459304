"""What Jobber's webhooks are signed with, what they come to, and what the poll lists."""

from datetime import timedelta
from typing import Any

import pytest

from bellwire.connectors.jobber.triggers import TRIGGERS, normalise
from bellwire.connectors.kit import Connection
from bellwire.errors import CannotNormalise
from bellwire.events import Address, Customer, Delivery, Job
from bellwire.practice.jobber import Jobber
from tests.connecting import call, connection
from tests.connectors.jobber.conftest import Connect
from tests.polling import events
from tests.samples import NOW, usd
from tests.shared import needs_shared
from tests.signing import assert_takes_the_vector_only

(POLL,) = TRIGGERS.polls
SECRET = Jobber.credentials["webhook_secret"]


def field_service(account_id: str = "MQ==") -> Connection:
    return connection("jobber", name="field", settings={"account_id": account_id, "currency": "USD"})


def delivery(body: bytes, **headers: str) -> Delivery:
    return Delivery("field", headers, body, NOW)


@pytest.mark.proves("signatures")
class TestSignatures:
    @needs_shared
    def test_the_vector_fits_and_a_changed_byte_does_not(self) -> None:
        assert_takes_the_vector_only(field_service(), "X-Jobber-Hmac-SHA256")

    def test_what_practice_sends_is_signed_as_we_would_sign_it(self) -> None:
        scheme, sent = field_service().webhook, Jobber().webhook("JOB_UPDATE", "Mg==")
        assert scheme is not None
        ours = scheme.sign(sent.body, SECRET, delivery_id="", now=NOW)
        assert ours["X-Jobber-Hmac-SHA256"] == sent.headers["X-Jobber-Hmac-SHA256"]
        again = delivery(sent.body)
        assert scheme.delivery_id(again) == scheme.delivery_id(delivery(sent.body)) != ""


class TestWebhooks:
    @pytest.mark.parametrize("topic", [*TRIGGERS.topics, "JOB_DESTROY", "VISIT_NEW_IN_A_LATER_VERSION"])
    @pytest.mark.parametrize("spelling", ["occurredAt", "occuredAt"])
    def test_what_changed_is_found_out_by_the_poll(self, topic: str, spelling: str) -> None:
        sent = Jobber().webhook(topic, "Mg==", spelling=spelling)
        made = normalise(delivery(sent.body), field_service())
        assert (made.events, made.wake) == ((), ("jobs",))

    def test_what_is_another_accounts_is_left_out_and_not_refused(self) -> None:
        theirs = delivery(Jobber().webhook("JOB_UPDATE", "Mg==", account="Mg==").body)
        made = normalise(theirs, field_service())
        assert "another Jobber account" in made.reason and made.wake == ()
        assert TRIGGERS.belongs(theirs, field_service()) == ""

    @pytest.mark.parametrize(
        ("topic", "reason"), [("APP_DISCONNECT", "connect it again"), ("QUOTE_CREATE", "no use for Jobber's topic")]
    )
    def test_other_topics_have_a_reason(self, topic: str, reason: str) -> None:
        made = normalise(delivery(Jobber().webhook(topic, "Mg==").body), field_service())
        assert reason in made.reason and made.wake == ()

    @pytest.mark.parametrize("text", [b"[]", b"{}", b"null", b'{"data": {}}', b'{"job": {}}'])
    def test_what_cannot_be_read_is_said(self, text: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Jobber describes"):
            normalise(delivery(text), field_service())


@pytest.mark.proves("reconcile", "paging")
@pytest.mark.asyncio(loop_scope="module")
class TestPoll:
    @pytest.fixture
    def place(self, field: Jobber) -> str:
        client = field.office.add_client(
            {"firstName": "Robin", "lastName": "Hill", "emails": [{"address": "robin@example.com"}]}
        )
        address = {"street1": "1 Main St", "city": "Austin", "province": "TX", "country": "United States"}
        return str(field.office.add_property(client["id"], address)["id"])

    async def test_a_job_that_changed_is_told_whole(self, connect: Connect, field: Jobber, place: str) -> None:
        field.office.add_job({"propertyId": place}, at=NOW - timedelta(seconds=1))
        given: dict[str, Any] = {
            "propertyId": place,
            "title": "Repair",
            "instructions": "Ring\n\nReference: B-1",
            "lineItems": [{"quantity": 1, "unitPrice": 60.1}],
        }
        made = field.office.add_job(given, at=NOW)
        (event,) = (await events(connect()))[0]
        (client,) = field.office.clients
        assert event.data == Job(
            id=made["id"],
            number=str(made["jobNumber"]),
            title="Repair",
            status="unscheduled",
            reference="B-1",
            client=Customer(id=client, name="Robin Hill", email="robin@example.com"),
            address=Address(line1="1 Main St", city="Austin", region="TX", country="US"),
            total=usd("60.10"),
            updated_at=NOW,
        )
        assert (event.type, event.subject, event.version) == ("job.updated", f"job/{made['id']}", NOW)

    async def test_that_a_job_is_done_is_one_fact_however_often_it_changes(
        self, connect: Connect, field: Jobber, place: str
    ) -> None:
        made = field.office.add_job({"propertyId": place}, at=NOW)
        field.office.change(made["id"], {"completedAt": "2026-11-24T09:31:00Z"}, at=NOW + timedelta(minutes=1))
        first = (await events(connect()))[0]
        field.office.change(made["id"], {"title": "Done"}, at=NOW + timedelta(minutes=1))
        second = (await events(connect()))[0]
        assert [event.type for event in first] == ["job.updated", "job.completed"]
        assert first[1].time == NOW + timedelta(minutes=1)
        assert first[1].business_key == second[1].business_key
        assert first[0].business_key != second[0].business_key, "two states in one second"

    async def test_pages_are_read_until_what_is_older(self, connect: Connect, field: Jobber, place: str) -> None:
        for number in range(200):
            field.office.add_job({"propertyId": place}, at=NOW - timedelta(days=1, seconds=number))
        made = [field.office.add_job({"propertyId": place}, at=NOW + timedelta(seconds=n)) for n in range(120)]
        found, cursors = await events(connect())
        assert {event.data.id for event in found} == {job["id"] for job in made}
        assert cursors == ["50", "100"]

    async def test_what_changes_while_it_is_read_pushes_nothing_out(
        self, connect: Connect, field: Jobber, place: str
    ) -> None:
        made = [field.office.add_job({"propertyId": place}, at=NOW + timedelta(seconds=n)) for n in range(80)]
        account = connect()
        first = await POLL.page(call(account), NOW, "")
        for job in made[:10]:
            field.office.change(job["id"], {"title": "New"}, at=NOW + timedelta(hours=1))
        rest, _ = await events(account, first.next_cursor)
        again, _ = await events(account)
        ids = {record.id.split("/")[1] for record in first.records} | {event.data.id for event in rest + again}
        assert ids == {job["id"] for job in made}

    async def test_a_cursor_is_good_for_whoever_goes_on_and_one_that_was_forgotten_begins_anew(
        self, connect: Connect, field: Jobber, place: str
    ) -> None:
        for number in range(80):
            field.office.add_job({"propertyId": place}, at=NOW + timedelta(seconds=number))
        first = await POLL.page(call(connect()), NOW, "")
        assert len((await events(connect(), first.next_cursor))[0]) == 30
        anew, _ = await events(connect(), "gone")
        assert len({event.data.id for event in anew}) == 80

    async def test_a_webhook_wakes_the_poll_that_lists_what_it_was_about(
        self, connect: Connect, field: Jobber, place: str
    ) -> None:
        account, made = connect(), field.office.add_job({"propertyId": place}, at=NOW)
        sent = field.webhook("JOB_CREATE", made["id"])
        assert normalise(delivery(sent.body), account).wake == (POLL.name,)
        assert [event.data.id for event in (await events(account))[0]] == [made["id"]]
