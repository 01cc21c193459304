"""What the connector asks Twilio for, and how it reads the answers."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from bellwire.capabilities.sms import SendSms, Sms
from bellwire.clock import system_clock
from bellwire.connectors.kit import Answer, Call
from bellwire.connectors.twilio import CONNECTOR
from bellwire.connectors.twilio.errors import explain
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.events import Environment
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.twilio import TwilioSimulator
from tests import faults
from tests.connecting import call, connection
from tests.openapi import described
from tests.shared import needs_shared, payload

SEND = CONNECTOR.actions["sms.send_sms"]
ROBIN = "+15125550123"
SETTINGS = TwilioSimulator.settings


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["twilio"]) as running:
        yield running


@pytest.fixture
def twilio(practice: Practice) -> TwilioSimulator:
    simulator = practice.simulators["twilio"]
    assert isinstance(simulator, TwilioSimulator)
    return simulator


@pytest.fixture
async def calling(practice: Practice) -> AsyncIterator[Callable[..., Call]]:
    made = []

    def make(
        environment: Environment = Environment.SANDBOX, settings: dict[str, Any] | None = None, **changes: Any
    ) -> Call:
        made.append(connection("twilio", practice, environment=environment, settings={**SETTINGS, **(settings or {})}))
        return dataclasses.replace(call(made[-1], **changes), clock=system_clock)

    yield make
    for each in made:
        await each.api.close()


async def send(made: Call, to: str = ROBIN, text: str = "Order 1001 is ready") -> Sms:
    result = await SEND(made, SendSms(to=to, text=text))
    assert isinstance(result, Sms)
    return result


async def test_a_message_arrives_as_it_was_written(calling: Callable[..., Call], twilio: TwilioSimulator) -> None:
    text = "Grüße & 2 + 2 = 4\nRobin %20 ✓"
    result = await send(calling(), text=text)
    (sent,) = twilio.sent
    assert (result.id, result.to) == (sent.sid, ROBIN)
    assert (sent.to, sent.sender, sent.body) == (ROBIN, "+15005550006", text)


async def test_a_messaging_service_may_be_the_sender(calling: Callable[..., Call], twilio: TwilioSimulator) -> None:
    service = f"MG{1:032x}"
    await send(calling(settings={"sender": service}))
    assert twilio.sent[0].sender == service
    assert twilio.received[0].answer["status"] == "accepted"


@pytest.mark.parametrize(
    ("to", "text"),
    [
        *((to, "x") for to in ("5125550123", "0015125550123", "+1 512 555 0123", "+05125550123", "+15", "robin")),
        ("+1234567890123456", "x"),
        (f"{ROBIN}\n", "x"),
        (ROBIN, ""),
        (ROBIN, "x" * 1601),
    ],
)
def test_numbers_are_e164_and_texts_no_longer_than_carriers_take(to: str, text: str) -> None:
    with pytest.raises(ValidationError):
        SendSms(to=to, text=text)


@pytest.mark.parametrize("changes", [{"account_sid": "SK" + "0" * 32}, {"sender": "5125550100"}, {"sender": "Tea"}])
def test_settings_are_an_account_and_a_sender(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CONNECTOR.manifest.settings.model_validate({**SETTINGS, **changes})


# A lost answer


async def test_a_lost_answer_leads_to_one_message(calling: Callable[..., Call], twilio: TwilioSimulator) -> None:
    twilio.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST"))
    with pytest.raises(OutcomeUnknown):
        await send(calling())
    again = await send(calling(again=True))
    assert [message.sid for message in twilio.sent] == [again.id]


@pytest.mark.proves("paging")
async def test_the_message_is_found_behind_many_others(calling: Callable[..., Call], twilio: TwilioSimulator) -> None:
    twilio.quotas.clear()
    twilio.page_size = 2
    first = await send(calling())
    made = calling()
    for number in range(5):
        await send(made, text=f"Order {number} is ready")
    assert await send(calling(again=True)) == first
    assert len(twilio.sent) == 6
    assert [request.query.get("Page") for request in twilio.received if request.method == "GET"] == [None, "1", "2"]


@pytest.mark.parametrize("other", [{"to": "+15125550124"}, {"text": "Order 1002 is ready"}])
async def test_another_text_or_number_is_another_message(
    calling: Callable[..., Call], twilio: TwilioSimulator, other: dict[str, str]
) -> None:
    await send(calling(), **other)
    await send(calling(again=True))
    assert len(twilio.sent) == 2


async def test_what_is_older_than_the_first_attempt_is_another_message(
    calling: Callable[..., Call], twilio: TwilioSimulator
) -> None:
    """The same words, sent before on purpose."""
    twilio.page_size = 1
    for hours in (2, 1):
        await send(calling())
        twilio.sent[-1] = dataclasses.replace(twilio.sent[-1], created=system_clock() - timedelta(hours=hours))
    began = system_clock() - timedelta(minutes=1)
    await send(dataclasses.replace(calling(again=True), since=began))
    assert len(twilio.sent) == 3
    assert sum(request.method == "GET" for request in twilio.received) == 1
    await send(dataclasses.replace(calling(again=True), since=began))
    assert len(twilio.sent) == 3


async def test_an_outage_while_looking_is_not_taken_for_a_no(
    calling: Callable[..., Call], twilio: TwilioSimulator
) -> None:
    await send(calling())
    twilio.faults.add(Fault(kind=FaultKind.FAILED, match="GET"))
    with pytest.raises(Transient):
        await send(calling(again=True))
    assert len(twilio.sent) == 1


async def test_with_test_credentials_nothing_can_be_looked_for_and_it_is_sent_again(
    calling: Callable[..., Call], twilio: TwilioSimulator
) -> None:
    twilio.test = True
    await send(calling(again=True))
    assert len(twilio.sent) == 1


# Errors


@pytest.mark.proves("errors")
@faults.each_of_a_write
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    calling: Callable[..., Call], twilio: TwilioSimulator, kind: FaultKind, error: type[VendorError]
) -> None:
    twilio.faults.add(Fault(kind=kind, seconds=0))
    with pytest.raises(error):
        await send(calling())
    await send(calling(again=True))
    assert len(twilio.sent) == 1


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("to", "cause"), [("+15005550001", "bad-number"), ("+15005550009", "bad-number"), (ROBIN, "opted-out")]
)
async def test_a_number_that_takes_nothing_is_said(
    calling: Callable[..., Call], twilio: TwilioSimulator, to: str, cause: str
) -> None:
    twilio.opted_out.add(ROBIN)
    with pytest.raises(Refused) as caught:
        await send(calling(), to)
    assert caught.value.cause == cause and caught.value.remedy
    assert not twilio.sent


@pytest.mark.proves("errors")
async def test_a_sender_of_somebody_else_is_said(calling: Callable[..., Call]) -> None:
    with pytest.raises(Refused, match="can't send from the number in the settings"):
        await send(calling(settings={"sender": "+15125550199"}))


@pytest.mark.proves("errors")
async def test_another_account_is_said(calling: Callable[..., Call]) -> None:
    with pytest.raises(Refused, match="doesn't know the account"):
        await send(calling(settings={"account_sid": f"AC{9:032x}"}))


def answer(status: int, code: int) -> Answer:
    body = orjson.dumps({"code": code, "message": "No.", "more_info": "", "status": status})
    return Answer(status, {}, body, "POST", "Messages.json")


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (21211, "bad-number"),
        (21614, "bad-number"),
        (21212, "bad-sender"),
        (21606, "bad-sender"),
        (21408, "country-not-allowed"),
        (21608, "trial-account"),
        (21610, "opted-out"),
        (21617, "too-long"),
        (20404, "no-account"),
        (29999, "refused-29999"),
    ],
)
def test_each_code_has_its_cause_and_its_sentence(code: int, cause: str) -> None:
    found = explain(answer(400, code))
    assert isinstance(found, Refused)
    assert found.cause == cause and str(code) in found.detail and found.sentence.endswith(".")


@pytest.mark.parametrize("status", [201, 401, 429, 500, 503])
def test_what_the_status_says_already_is_left_to_it(status: int) -> None:
    assert explain(answer(status, 20003)) is None


def test_an_answer_that_isnt_twilios_is_refused_all_the_same() -> None:
    found = explain(Answer(403, {}, b"<html>Forbidden", "POST", "Messages.json"))
    assert found is not None and (found.cause, found.sentence) == ("refused-403", "Twilio refused it: <html>Forbidden")


# Signing in


@pytest.mark.proves("version")
async def test_the_version_is_on_every_call_and_another_in_an_answer_is_noticed(
    calling: Callable[..., Call], twilio: TwilioSimulator
) -> None:
    made = calling()
    await send(made)
    await sign_in(made)
    assert {request.path[:12] for request in twilio.received} == {"/2010-04-01/"}
    assert made.api.notices == {}
    twilio.version = "2028-01-01"
    await send(made, text="Another")
    assert "2028-01-01" in made.api.notices["api_version"]


@pytest.mark.parametrize("sender", ["+15005550006", f"MG{1:032x}"])
async def test_each_message_says_where_reports_about_it_go(
    calling: Callable[..., Call], twilio: TwilioSimulator, sender: str
) -> None:
    await send(calling(settings={"sender": sender, "reports_to": "https://bellwire.example/hooks/sms"}))
    assert twilio.sent[0].report_to == "https://bellwire.example/hooks/sms"
    await send(calling(settings={"sender": sender}), text="Another")
    assert twilio.sent[1].report_to == ""


async def sign_in(made: Call) -> tuple[str, tuple[str, ...]]:
    assert CONNECTOR.sign_in is not None
    account = await CONNECTOR.sign_in(made)
    return account.name, account.warnings


async def test_signing_in_shows_the_account(calling: Callable[..., Call]) -> None:
    assert await sign_in(calling(Environment.PRODUCTION)) == ("Practice Tea Ltd", ())


@pytest.mark.proves("environments")
async def test_signing_in_warns_of_trial_accounts_suspended_ones_and_real_ones_in_the_sandbox(
    calling: Callable[..., Call], twilio: TwilioSimulator
) -> None:
    twilio.kind, twilio.status = "Trial", "suspended"
    _, (status, trial, real) = await sign_in(calling())
    assert "suspended" in status and "trial account" in trial and "real account" in real


@pytest.mark.proves("environments")
async def test_test_credentials_are_for_the_sandbox_only(calling: Callable[..., Call], twilio: TwilioSimulator) -> None:
    twilio.test = True
    assert await sign_in(calling()) == ("the test credentials of Twilio", ())
    assert CONNECTOR.sign_in is not None
    assert (await CONNECTOR.sign_in(calling())).environment is Environment.SANDBOX
    with pytest.raises(Refused, match="These are test credentials"):
        await sign_in(calling(Environment.PRODUCTION))


@pytest.mark.proves("errors")
async def test_a_wrong_key_is_signed_out(practice: Practice) -> None:
    made = connection("twilio", practice, credentials={"api_key": "SK1", "api_key_secret": "old"})
    with pytest.raises(SignedOut, match="no longer accepts the sign-in"):
        await send(call(made))
    await made.api.close()


# Against Twilio's own description, example and SDK


@pytest.mark.proves("spec")
@needs_shared
async def test_requests_and_answers_are_as_twilio_describes(
    calling: Callable[..., Call], twilio: TwilioSimulator
) -> None:
    twilio.page_size = 1
    await sign_in(calling())
    await send(calling(settings={"reports_to": "https://bellwire.example/hooks/sms"}))
    await send(calling(settings={"sender": f"MG{1:032x}"}), text="Another")
    await send(calling(again=True))
    assert {(request.method, request.status) for request in twilio.received} == {("GET", 200), ("POST", 201)}
    triggers, made = CONNECTOR.triggers, calling()
    assert triggers is not None and triggers.subscribing is not None
    await triggers.polls[0].page(made, system_clock() - timedelta(hours=1), "")
    await triggers.subscribing.create(made, "https://bellwire.example/hooks/sms", ("message",))
    for request in twilio.received:
        assert described("twilio_api_v2010").problems(request) == []


@needs_shared
def test_a_practice_message_has_the_fields_of_twilios_own_example() -> None:
    example = orjson.loads(payload("twilio", "message_created_response.json"))
    assert explain(Answer(201, {}, payload("twilio", "message_created_response.json"), "POST", "Messages.json")) is None
    assert {"sid", "to", "body", "direction", "date_created"} <= example.keys()
    assert example["direction"] == "outbound-api"


@pytest.mark.proves("sdk")
async def test_twilios_own_sdk_is_at_home_in_practice(practice: Practice, twilio: TwilioSimulator) -> None:
    twilio.page_size = 2
    key, secret = twilio.credentials["api_key"], twilio.credentials["api_key_secret"]

    def drive() -> tuple[Any, list[str], str, int]:
        client = Client(key, secret, SETTINGS["account_sid"])
        client.api.base_url = practice.base_url("twilio")
        made = [client.messages.create(to=ROBIN, from_="+15005550006", body=f"Order {n} is ready") for n in range(3)]
        listed = [message.body for message in client.messages.list(to=ROBIN, page_size=2)]
        account = client.api.accounts(SETTINGS["account_sid"]).fetch()
        with pytest.raises(TwilioRestException) as caught:
            client.messages.create(to="+15005550001", from_="+15005550006", body="x")
        return client.messages(made[0].sid).fetch(), listed, account.friendly_name, caught.value.code

    message, listed, name, code = await asyncio.to_thread(drive)
    assert (message.body, message.status, message.date_created.tzinfo is not None) == (
        "Order 0 is ready",
        "queued",
        True,
    )
    assert listed == ["Order 2 is ready", "Order 1 is ready", "Order 0 is ready"]
    assert (name, code) == ("Practice Tea Ltd", 21211)
