"""Certificates: fetched when deliveries have named them, looked at, and kept."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from bellwire.connectors.kit import Call
from bellwire.connectors.paypal.certificates import learn, trusted
from bellwire.connectors.paypal.polling import EVENTS
from bellwire.connectors.paypal.signature import TransmissionSignature
from bellwire.connectors.paypal.words import read_words
from bellwire.errors import Refusal, Transient
from bellwire.events import Delivery, Environment
from bellwire.practice import Fault, FaultKind
from bellwire.practice.paypal import PayPalSimulator
from bellwire.practice.paypal.keys import OWNER, Identity, make_identity, practice_identity
from tests.connectors.paypal.conftest import Calling, kept
from tests.samples import usd

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("signatures")]

BARE = {"webhook_secret": "1PRACTICE00000001"}
URL = "https://api.sandbox.paypal.com/v1/notifications/certs/"


def delivered(call: Call, paypal: PayPalSimulator) -> None:
    """What the intake does with the newest payment. Raises Refusal."""
    sent = paypal.webhook("PAYMENT.CAPTURE.COMPLETED")
    headers = {name.lower(): value for name, value in sent.headers.items()}
    now = datetime.now(UTC)
    assert call.connection.webhook is not None
    call.connection.webhook.verify(Delivery("pay", headers, sent.body, now), call.connection.secrets, now)


async def test_the_first_delivery_waits_for_the_next_poll_and_then_every_process_knows(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    paypal.take(usd("24.40"))
    call = calling(credentials=BARE)
    with pytest.raises(Refusal) as caught:
        delivered(call, paypal)
    assert caught.value.status == 503
    await EVENTS.page(call, datetime.now(UTC) - timedelta(hours=1), "")
    delivered(call, paypal)
    delivered(calling(credentials={"webhook_secret": kept(call).values["webhook_secret"]}), paypal)
    await learn(call)
    assert [request.path for request in paypal.received].count("/v1/notifications/certs/CERT-PRACTICE") == 1


async def test_a_new_certificate_comes_beside_the_old_one(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.take(usd("24.40"))
    call = calling()
    delivered(call, paypal)
    paypal.identity = make_identity("CERT-NEXT")
    with pytest.raises(Refusal):
        delivered(call, paypal)
    await learn(call)
    delivered(call, paypal)
    paypal.identity = practice_identity()
    delivered(call, paypal)


async def test_the_owner_may_name_it(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.take(usd("24.40"))
    call = calling(credentials=BARE, connected={"settings": {"certificates": [URL + "CERT-PRACTICE"]}})
    for _ in range(2):
        await learn(call)
    delivered(call, paypal)
    assert [request.path for request in paypal.received].count("/v1/notifications/certs/CERT-PRACTICE") == 1


async def test_an_id_that_is_new_meanwhile_stays(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.take(usd("24.40"))
    call = calling(credentials=BARE)
    with pytest.raises(Refusal):
        delivered(call, paypal)

    def later() -> datetime:
        """It asks what time it is once it has the certificate."""
        call.connection.credentials.store({"webhook_secret": "NEWWEBHOOK"})
        return datetime.now(UTC)

    await learn(dataclasses.replace(call, clock=later))
    known = read_words(call.connection.secrets)
    assert (known.webhooks, list(known.certificates)) == (["NEWWEBHOOK"], ["CERT-PRACTICE"])


async def test_no_more_are_kept_than_are_needed(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling()
    for number in range(8):
        paypal.identity = Identity(f"CERT-{number}", practice_identity().key, practice_identity().certificate)
        paypal.take(usd("1"))
        with pytest.raises(Refusal):
            delivered(call, paypal)
        await learn(call)
    known = read_words(call.connection.secrets)
    assert list(known.certificates) == [f"CERT-{number}" for number in range(2, 8)]
    assert known.webhooks == ["1PRACTICE00000001"]


@pytest.mark.proves("environments")
async def test_one_of_the_other_environment_is_not_taken(calling: Calling, paypal: PayPalSimulator) -> None:
    for environment, host in ((Environment.SANDBOX, "api"), (Environment.PRODUCTION, "api.sandbox")):
        address = f"https://{host}.paypal.com/v1/notifications/certs/CERT-PRACTICE"
        settings = {"settings": {"certificates": [address]}, "environment": environment}
        call = calling(credentials=BARE, connected=settings)
        await learn(call)
        assert kept(call).stored == 0
        assert f"PayPal's {environment}" in call.api.notices["PAYPAL-CERT-URL"]


@pytest.mark.parametrize("setting", ["https://evil.example/v1/notifications/certs/CERT-1", "CERT-1"])
async def test_an_address_that_is_not_paypals_is_not_asked(
    calling: Calling, paypal: PayPalSimulator, setting: str
) -> None:
    call = calling(credentials=BARE, connected={"settings": {"certificates": [setting]}})
    await learn(call)
    assert not paypal.received and call.api.notices


async def test_one_that_does_not_exist_is_forgotten_and_told(calling: Calling, paypal: PayPalSimulator) -> None:
    call = calling()
    scheme = call.connection.webhook
    assert isinstance(scheme, TransmissionSignature)
    scheme.wanted[URL + "CERT-MADE-UP"] = None
    await learn(call)
    assert not scheme.wanted and "CERT-MADE-UP" in call.api.notices["PAYPAL-CERT-URL"]


@pytest.mark.proves("errors")
async def test_on_a_bad_day_it_is_tried_again_later(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.take(usd("24.40"))
    call = calling(credentials=BARE)
    with pytest.raises(Refusal):
        delivered(call, paypal)
    paypal.faults.add(Fault(kind=FaultKind.FAILED, match="certs"))
    with pytest.raises(Transient):
        await learn(call)
    await learn(call)
    delivered(call, paypal)


async def test_only_a_valid_one_of_paypals_in_an_unbroken_chain_is_trusted() -> None:
    good, now = practice_identity(), datetime.now(UTC)
    assert trusted(good.pem, now) == good.certificate
    assert trusted(good.pem + good.pem, now) == good.certificate, "it is its own issuer"
    stranger = make_identity("CERT-X", "evil.example")
    old = make_identity("CERT-X", OWNER, valid_from=now - timedelta(days=30), valid_for=timedelta(days=20))
    for pem, said in (
        (stranger.pem, "evil.example"),
        (make_identity("CERT-X", "messageverificationcerts.paypal.com.evil.example").pem, "evil.example"),
        (old.pem, "valid"),
        (good.pem + stranger.pem, "chain"),
        (b"<html>", "PEM"),
        (good.certificate.public_bytes(Encoding.DER), "PEM"),
    ):
        with pytest.raises(ValueError, match=said):
            trusted(pem, now)
