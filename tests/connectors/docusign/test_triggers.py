"""What Connect's deliveries and the list of envelopes become, and how Connect is set up."""

import base64
import hmac
from datetime import timedelta
from typing import Any

import orjson
import pytest

from bellwire.capabilities.esign import SendContract, SentContract, WithdrawContract
from bellwire.connectors.docusign.actions import send_contract, withdraw_contract
from bellwire.connectors.docusign.signature import SIGNATURE
from bellwire.connectors.docusign.triggers import TRIGGERS
from bellwire.connectors.kit import POLLED, BadSignature, Connection, Page, repair, standing
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Contract, Delivery, Environment, Event
from bellwire.practice import Webhook
from bellwire.practice.docusign import DocuSign
from tests.connecting import call
from tests.connectors.docusign.conftest import ACCOUNT, Connect
from tests.connectors.docusign.described import MODELS, delivery_sample, differences, unknown
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

(POLL,) = TRIGGERS.polls
SUBSCRIBING = TRIGGERS.subscribing
ADDRESS = "https://bellwire.example/hooks/contracts"
VECTOR_KEY = "docusign-connect-key-0001"
VECTOR_BODY = (
    b'{"event":"envelope-completed","apiVersion":"v2.1","uri":"/restapi/v2.1/accounts/a/envelopes/e","retryCount":0,'
    b'"configurationId":1,"generatedDateTime":"2026-01-31T10:00:00.0000000Z","data":{"accountId":"a","userId":"u",'
    b'"envelopeId":"e"}}'
)
VECTOR = "i38lWyRCtpUpxSnbeSWJ+bjkYlNJYMZVN7NPsi4IcQQ="


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("contracts", {name.lower(): value for name, value in webhook.headers.items()}, webhook.body, NOW)


def signed(body: bytes, *values: str) -> Delivery:
    headers = {f"x-docusign-signature-{number}": value for number, value in enumerate(values, 1)}
    return Delivery("contracts", headers, body, NOW)


def event_of(delivery: Delivery, contracts: Connection) -> Event:
    (event,) = TRIGGERS.normalise(delivery, contracts).events
    return event


async def sent(contracts: Connection, name: str = "one") -> str:
    given = SendContract(template="Service contract", name="Robin", email="robin@example.com", reference=name)
    made = await send_contract(call(contracts).part(name), given)
    assert isinstance(made, SentContract)
    return made.id


async def ended(contracts: Connection, docusign: DocuSign) -> tuple[str, str, str]:
    """A contract of each kind: signed, declined, withdrawn."""
    first, second, third = [await sent(contracts, name) for name in ("one", "two", "three")]
    docusign.sign(first)
    docusign.decline(second, "Too dear")
    await withdraw_contract(call(contracts), WithdrawContract(contract_id=third, reason="Called off"))
    return first, second, third


async def pages(contracts: Connection, cursor: str = "") -> list[Page]:
    found = [await POLL.page(call(contracts), NOW - timedelta(days=1), cursor)]
    while found[-1].next_cursor:
        found.append(await POLL.page(call(contracts), NOW - timedelta(days=1), found[-1].next_cursor))
    return found


def events(found: list[Page], contracts: Connection) -> list[Event]:
    bodies = (each.body for page in found for each in page.records)
    return [event_of(Delivery("contracts", {POLLED: POLL.name}, body, NOW), contracts) for body in bodies]


# Signatures


@pytest.mark.proves("signatures")
async def test_the_vector() -> None:
    SIGNATURE.verify(signed(VECTOR_BODY, VECTOR), [VECTOR_KEY], NOW)
    assert SIGNATURE.sign(VECTOR_BODY, VECTOR_KEY, delivery_id="", now=NOW) == {"X-DocuSign-Signature-1": VECTOR}
    with pytest.raises(BadSignature, match="None of the secrets"):
        SIGNATURE.verify(signed(VECTOR_BODY + b"\n", VECTOR), [VECTOR_KEY], NOW)


@pytest.mark.proves("signatures")
async def test_any_of_several_signatures_and_of_several_keys_is_enough(connect: Connect, docusign: DocuSign) -> None:
    other = base64.b64encode(hmac.digest(b"other", VECTOR_BODY, "sha256")).decode()
    SIGNATURE.verify(signed(VECTOR_BODY, other, VECTOR), ["newer", VECTOR_KEY], NOW)
    with pytest.raises(BadSignature):
        SIGNATURE.verify(signed(VECTOR_BODY, other, "mud"), [VECTOR_KEY], NOW)
    delivery = arrived(docusign.webhook(await sent(connect())))
    SIGNATURE.verify(delivery, ["other", docusign.credentials["webhook_secret"]], NOW)


@pytest.mark.proves("signatures")
async def test_without_a_signature_the_tick_that_is_missing_is_named() -> None:
    with pytest.raises(BadSignature) as caught:
        SIGNATURE.verify(signed(VECTOR_BODY), [VECTOR_KEY], NOW)
    assert "Include HMAC Signature" in caught.value.remedy


async def test_a_repeat_is_known_by_what_happened_and_not_by_its_body(connect: Connect, docusign: DocuSign) -> None:
    known = await sent(connect())
    docusign.sign(known)
    first, repeat = arrived(docusign.webhook(known)), arrived(docusign.webhook(known, retries=3))
    assert first.body != repeat.body
    assert SIGNATURE.delivery_id(first) == SIGNATURE.delivery_id(repeat)
    assert SIGNATURE.delivery_id(signed(b"mud")) != SIGNATURE.delivery_id(signed(b"dirt"))


# Deliveries


async def test_each_end_of_a_contract_is_an_event(connect: Connect, docusign: DocuSign) -> None:
    contracts = connect()
    known = await ended(contracts, docusign)
    told = [event_of(arrived(docusign.webhook(each)), contracts) for each in known]
    assert [(event.type, event.business_key) for event in told] == [
        ("contract.signed", f"contracts/contract/{known[0]}/signed"),
        ("contract.declined", f"contracts/contract/{known[1]}/declined"),
        ("contract.declined", f"contracts/contract/{known[2]}/withdrawn"),
    ]
    data = [event.data for event in told]
    assert all(isinstance(each, Contract) for each in data)
    assert [(each.reference, each.reason) for each in data] == [
        ("one", ""), ("two", "Too dear"), ("three", "Called off"),
    ]  # fmt: skip
    assert (data[0].signers[0].signed_at, told[0].time, told[0].environment) == (NOW, NOW, Environment.SANDBOX)


async def test_a_delivery_without_details_wakes_the_poll(connect: Connect, docusign: DocuSign) -> None:
    known = await sent(connect())
    docusign.sign(known)
    found = TRIGGERS.normalise(arrived(docusign.webhook(known, details=False)), connect())
    assert (found.events, found.wake) == ((), (POLL.name,))


async def test_what_means_nothing_here_is_left_out_with_its_reason(connect: Connect, docusign: DocuSign) -> None:
    found = TRIGGERS.normalise(arrived(docusign.webhook(await sent(connect()))), connect())
    assert found.reason == "Bellwire has no use for DocuSign's envelope-sent."


@pytest.mark.parametrize(
    "change",
    [
        {"event": None},
        {"data": {"envelopeSummary": {"status": "completed"}}},
        {"data": {"envelopeId": "e", "envelopeSummary": {"statusChangedDateTime": "soon"}}},
    ],
)
async def test_what_cannot_be_read_is_kept(connect: Connect, change: dict[str, Any]) -> None:
    body = orjson.dumps({**orjson.loads(VECTOR_BODY), **change})
    with pytest.raises(CannotNormalise, match="isn't what DocuSign describes"):
        TRIGGERS.normalise(signed(body), connect())


@pytest.mark.proves("environments")
async def test_a_delivery_of_another_account_does_not_belong_here(connect: Connect, docusign: DocuSign) -> None:
    """A demo account is one of its own, so that what it sends doesn't get into production."""
    delivery = arrived(docusign.webhook(await sent(connect())))
    assert TRIGGERS.belongs(delivery, connect()) == ""
    assert TRIGGERS.belongs(delivery, connect(account_id=ACCOUNT.upper())) == ""
    other = connect(account_id="00000000-0000-0000-0000-000000000000")
    assert "another account" in TRIGGERS.belongs(delivery, other)
    assert TRIGGERS.belongs(signed(b'{"event":"x"}'), connect()) == "", "what can't be read is told by who reads it"


@needs_shared
@pytest.mark.proves("spec")
async def test_what_practice_sends_is_like_docusigns_sample(connect: Connect, docusign: DocuSign) -> None:
    contracts = connect()
    for known in await ended(contracts, docusign):
        assert list(unknown(orjson.loads(docusign.webhook(known).body), delivery_sample())) == []
    assert TRIGGERS.sample is not None
    assert list(unknown(orjson.loads(TRIGGERS.sample("contract.signed", contracts)[1]), delivery_sample())) == []


# The list


@pytest.mark.proves("reconcile")
async def test_the_list_gives_the_same_keys_as_the_deliveries(connect: Connect, docusign: DocuSign) -> None:
    contracts = connect()
    known = await ended(contracts, docusign)
    await sent(contracts, "still open")
    told = [event_of(arrived(docusign.webhook(each)), contracts) for each in known]
    assert events(await pages(contracts), contracts) == told


@pytest.mark.proves("paging", "reconcile")
async def test_the_list_is_read_to_its_last_page_even_by_another_process(connect: Connect, docusign: DocuSign) -> None:
    contracts = connect()
    for number in range(5):
        docusign.sign(await sent(contracts, f"no {number}"))
    docusign.page_size = 2
    whole = events(await pages(contracts), contracts)
    assert len({event.business_key for event in whole}) == 5
    first = await POLL.page(call(contracts), NOW - timedelta(days=1), "")
    other = connect()
    assert events([first, *await pages(other, first.next_cursor)], other) == whole


@pytest.mark.proves("reconcile")
async def test_a_position_beyond_the_end_is_an_end_and_the_next_poll_goes_by_time(
    connect: Connect, docusign: DocuSign
) -> None:
    """A position can't be forgotten: the list may only have grown shorter."""
    contracts = connect()
    docusign.sign(await sent(contracts))
    page = await POLL.page(call(contracts), NOW - timedelta(days=1), "700")
    assert (page.records, page.next_cursor, page.resume) == ((), "", "")
    later = await POLL.page(call(contracts), NOW + timedelta(seconds=1), "")
    assert later.records == ()


# Connect


@pytest.mark.proves("subscriptions")
async def test_connect_is_set_up_once_and_what_it_sends_is_verified(connect: Connect, docusign: DocuSign) -> None:
    contracts = connect()
    assert SUBSCRIBING is not None
    for _ in range(2):
        assert await repair(SUBSCRIBING, call(contracts), ADDRESS, TRIGGERS.topics) == {}
    (made,) = docusign.configurations.values()
    assert (made["urlToPublishTo"], made["includeHMAC"], made["deliveryMode"]) == (ADDRESS, "true", "SIM")
    assert made["events"] == ["envelope-completed", "envelope-declined", "envelope-voided"]
    delivery = arrived(docusign.webhook(await sent(contracts)))
    SIGNATURE.verify(delivery, contracts.secrets, NOW)


@pytest.mark.proves("subscriptions")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"allowEnvelopePublish": "false"}, "turned off"),
        ({"includeHMAC": "false"}, "doesn't sign"),
        ({"eventData": {"version": "restv2", "format": "json"}}, "sends it as json restv2."),
        ({"eventData": None}, "sends it as XML."),
    ],
)
async def test_what_was_changed_is_made_anew_and_others_are_left_alone(
    connect: Connect, docusign: DocuSign, change: dict[str, Any], said: str
) -> None:
    at = call(connect())
    assert SUBSCRIBING is not None
    await repair(SUBSCRIBING, at, ADDRESS, TRIGGERS.topics)
    (ours,) = docusign.configurations
    docusign.configurations[ours] |= change
    docusign.configurations["7"] = {**docusign.configurations[ours], "connectId": "7", "urlToPublishTo": "https://x"}
    docusign.configurations["8"] = {"connectId": "8", "configurationType": "salesforce"}
    (broken,) = standing(await SUBSCRIBING.listing(at), ADDRESS, TRIGGERS.topics).broken
    assert said in broken.trouble
    await repair(SUBSCRIBING, at, ADDRESS, TRIGGERS.topics)
    assert ours not in docusign.configurations and {"7", "8"} < docusign.configurations.keys()
    assert standing(await SUBSCRIBING.listing(at), ADDRESS, TRIGGERS.topics).well
    await SUBSCRIBING.remove(at, broken)


async def test_who_may_not_set_up_connect_is_told(connect: Connect, docusign: DocuSign) -> None:
    at = call(connect())
    assert SUBSCRIBING is not None
    await repair(SUBSCRIBING, at, ADDRESS, TRIGGERS.topics)
    (ours,) = await SUBSCRIBING.listing(at)
    docusign.administers = False
    with pytest.raises(Refused, match="isn't allowed"):
        await SUBSCRIBING.remove(at, ours)


@pytest.mark.proves("spec")
async def test_connect_and_the_list_are_as_docusigns_library_knows_them(connect: Connect, docusign: DocuSign) -> None:
    contracts = connect()
    assert SUBSCRIBING is not None
    await ended(contracts, docusign)
    docusign.received.clear()
    await pages(contracts)
    await repair(SUBSCRIBING, call(contracts), ADDRESS, TRIGGERS.topics)
    for each in docusign.received:
        request, answer = MODELS[each.method, each.path.rpartition("/")[2]]
        assert not request or list(differences(request, each.body)) == []
        assert list(differences(answer, each.answer)) == []
    assert len(docusign.received) == 3
