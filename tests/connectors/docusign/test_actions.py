"""What is asked of DocuSign, and what comes of it."""

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest

from bellwire.capabilities.esign import (
    ContractStatus,
    FoundContract,
    ReadContract,
    SendContract,
    SentContract,
    WithdrawContract,
)
from bellwire.connectors.docusign.actions import (
    find_sent,
    read_contract,
    send_contract,
    sign_in,
    withdraw_contract,
)
from bellwire.connectors.kit import Call
from bellwire.errors import OutcomeUnknown, Refused, SignedOut
from bellwire.events import Contract, Environment, Signer
from bellwire.practice import Fault, FaultKind
from bellwire.practice.docusign import DocuSign
from tests.connecting import call
from tests.connectors.docusign.conftest import ACCOUNT, Connect
from tests.connectors.docusign.described import MODELS, differences
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "0123456789abcdef" * 2


def service(**changes: Any) -> SendContract:
    values = {"template": "Service contract", "name": "Robin Hill", "email": "robin@example.com", "reference": "1001"}
    return SendContract(**{**values, **changes})


async def send(at: Call, given: SendContract) -> SentContract:
    sent = await send_contract(at, given)
    assert isinstance(sent, SentContract)
    return sent


async def read(at: Call, contract_id: str) -> FoundContract:
    found = await read_contract(at, ReadContract(contract_id=contract_id))
    assert isinstance(found, FoundContract)
    return found


async def test_a_contract_is_sent_from_a_template(connect: Connect, docusign: DocuSign) -> None:
    given = service(subject="Your contract", message="Please sign.", fields={"Price": "120.00"})
    sent = await send(call(connect(), key=KEY), given)
    (envelope,) = docusign.envelopes.values()
    assert sent.id == envelope["envelopeId"]
    assert sent.url == f"https://apps-d.docusign.com/send/documents/details/{sent.id}"
    assert (envelope["emailSubject"], envelope["emailBlurb"]) == ("Your contract", "Please sign.")
    (signer,) = envelope["recipients"]["signers"]
    assert signer["tabs"] == {"textTabs": [{"tabLabel": "Price", "value": "120.00"}]}
    fields = {each["name"]: (each["value"], each["show"]) for each in envelope["customFields"]["textCustomFields"]}
    assert fields == {"bellwireReference": ("1001", "true"), "bellwireKey": (KEY, "false")}


async def test_a_template_may_be_named_by_its_id(connect: Connect, docusign: DocuSign) -> None:
    (template,) = docusign.templates
    await send(call(connect()), service(template=template))
    assert not [request for request in docusign.received if "templates" in request.path]
    with pytest.raises(Refused, match="no such template"):
        await send(call(connect()), service(template="00000000-0000-4000-8000-000000000000"))


@pytest.mark.parametrize(("name", "said"), [("Contract", "no template"), ("Twice", "2 templates")])
async def test_a_name_has_to_be_of_one_template(connect: Connect, docusign: DocuSign, name: str, said: str) -> None:
    docusign.templates |= {"t1": "Twice", "t2": "Twice"}
    with pytest.raises(Refused, match=said):
        await send(call(connect()), service(template=name))


@pytest.mark.proves("paging")
async def test_templates_are_looked_through_to_the_last_page(connect: Connect, docusign: DocuSign) -> None:
    docusign.templates = {f"t{number}": f"Service contract {number}" for number in range(5)} | docusign.templates
    docusign.page_size = 2
    assert (await send(call(connect()), service())).id in docusign.envelopes
    assert [request.query.get("start_position") for request in docusign.received][1:-1] == ["0", "2", "4"]


@pytest.mark.parametrize("within_a_week", [True, False])
async def test_what_was_sent_is_found_by_its_transaction_for_a_week_and_then_by_its_key(
    connect: Connect, docusign: DocuSign, within_a_week: bool
) -> None:
    began = NOW - (timedelta(hours=1) if within_a_week else timedelta(days=20))
    at = dataclasses.replace(call(connect(), key=KEY), since=began)
    docusign.clock = lambda: began
    sent = await send(at, service())
    await send(call(connect(), key="f" * 32), service())
    docusign.forgotten = not within_a_week
    docusign.received.clear()
    assert await find_sent(at, service()) == sent
    asked = docusign.received[-1].query
    assert ("transaction_ids" in asked, "custom_field" in asked) == (within_a_week, not within_a_week)
    assert await find_sent(at.part("another"), service()) is None


async def test_an_answer_that_is_lost_sends_nothing_twice(connect: Connect, docusign: DocuSign) -> None:
    at = dataclasses.replace(call(connect()), since=NOW - timedelta(minutes=1))
    docusign.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST .*/envelopes"))
    with pytest.raises(OutcomeUnknown):
        await send(at, service())
    await send(dataclasses.replace(at, again=True), service())
    assert len(docusign.envelopes) == 1


async def test_a_contract_is_read_at_each_of_its_stages(connect: Connect, docusign: DocuSign) -> None:
    at = call(connect())
    sent = (await send(at, service(subject="Your contract"))).id
    found = await read(at, sent)
    robin = Signer(name="Robin Hill", email="robin@example.com")
    assert found == FoundContract(
        contract=Contract(id=sent, title="Your contract", reference="1001", signers=(robin,), updated_at=NOW),
        status=ContractStatus.SENT,
    )
    docusign.sign(sent)
    signed = await read(at, sent)
    assert (signed.status, signed.contract.signers[0].signed_at) == (ContractStatus.SIGNED, NOW)
    docusign.decline(sent, "Too dear")
    declined = await read(at, sent)
    assert (declined.status, declined.contract.reason) == (ContractStatus.DECLINED, "Too dear")


async def test_a_contract_is_withdrawn_while_it_is_open(connect: Connect, docusign: DocuSign) -> None:
    at = call(connect())
    first, second = [await send(at.part(name), service()) for name in ("first", "second")]
    await withdraw_contract(at, WithdrawContract(contract_id=first.id, reason="Called off"))
    found = await read(at, first.id)
    assert (found.status, found.contract.reason) == (ContractStatus.WITHDRAWN, "Called off")
    docusign.sign(second.id)
    with pytest.raises(Refused, match="can't be withdrawn any more"):
        await withdraw_contract(at, WithdrawContract(contract_id=second.id, reason="Called off"))


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("base_uri", "environment"),
    [
        ("https://demo.docusign.net", Environment.SANDBOX),
        ("https://eu.docusign.net", Environment.PRODUCTION),
        ("https://na3.docusign.net", Environment.PRODUCTION),
    ],
)
async def test_the_server_that_an_account_lives_on_tells_its_environment(
    connect: Connect, docusign: DocuSign, base_uri: str, environment: Environment
) -> None:
    docusign.base_uri = base_uri
    account = await sign_in(call(connect()))
    assert (account.name, account.environment) == ("Practice Tea Ltd", environment)
    assert account.detail == f"account {ACCOUNT} on {base_uri.removeprefix('https://')}"


@pytest.mark.proves("environments")
async def test_each_environment_signs_in_at_its_own_host(connect: Connect) -> None:
    urls = connect().manifest.base_urls
    assert urls[Environment.SANDBOX] == "https://account-d.docusign.com"
    assert urls[Environment.PRODUCTION] == "https://account.docusign.com"
    sent = await send(call(connect(environment=Environment.PRODUCTION)), service())
    assert re.match(r"https://apps\.docusign\.com/", sent.url)


async def test_an_account_that_is_not_reached_is_told_with_those_that_are(connect: Connect) -> None:
    with pytest.raises(SignedOut, match=f"It reaches: Practice Tea Ltd .{ACCOUNT}") as caught:
        await sign_in(call(connect(account_id="00000000-0000-0000-0000-000000000000")))
    assert "[contracts.settings]" in caught.value.remedy


async def test_where_an_account_lives_is_asked_once(connect: Connect, docusign: DocuSign) -> None:
    at = call(connect())
    await read(at, (await send(at, service())).id)
    assert [each.path for each in docusign.received].count("/oauth/userinfo") == 1


@pytest.mark.proves("spec", "version")
async def test_all_that_is_asked_and_answered_is_as_docusigns_library_knows_it(
    connect: Connect, docusign: DocuSign
) -> None:
    at = call(connect())
    sent = (await send(at, service(subject="Contract", message="Please", fields={"Price": "1"}))).id
    await read(at, sent)
    await find_sent(at, service())
    await withdraw_contract(at, WithdrawContract(contract_id=sent, reason="Called off"))
    calls = [each for each in docusign.received if each.path.startswith("/restapi/")]
    assert len(calls) == len(docusign.received) - 1 == 5
    for each in calls:
        below = each.path.removeprefix(f"/restapi/v2.1/accounts/{ACCOUNT}/")
        assert below != each.path, "the version is in the path"
        request, answer = MODELS[each.method, below.replace(sent, "id")]
        assert not request or list(differences(request, each.body)) == []
        assert list(differences(answer, each.answer)) == []
