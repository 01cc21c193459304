"""What Xero's webhooks are signed with, and what they come to."""

from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import POLLED, BadSignature, Connection
from bellwire.connectors.xero.triggers import TRIGGERS, normalise
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery
from bellwire.practice.xero import Xero
from tests.connecting import connection
from tests.samples import NOW
from tests.shared import needs_shared, payload

TENANT = "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"
KEY = "xero-webhook-key-0001"
TESTED = b'{"events":[],"firstEventSequence": 0,"lastEventSequence": 0,"entropy": "S0m3r4Nd0mt3xt"}'


def books(tenant_id: str = TENANT) -> Connection:
    settings = {"tenant_id": tenant_id, "base_currency": "USD", "deposit_account": "090"}
    return connection("xero", name="books", settings=settings)


def delivery(body: bytes, **headers: str) -> Delivery:
    return Delivery("books", headers, body, NOW)


def event(**changes: Any) -> dict[str, Any]:
    return {
        "resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/717f2bfc-c6d4-41fd-b238-3f2f0c0cf777",
        "resourceId": "717f2bfc-c6d4-41fd-b238-3f2f0c0cf777",
        "eventDateUtc": "2026-06-21T01:15:39.902",
        "eventType": "UPDATE",
        "eventCategory": "INVOICE",
        "tenantId": TENANT,
        "tenantType": "ORGANISATION",
        **changes,
    }


def body(*events: Any) -> bytes:
    return orjson.dumps({"events": events, "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "X"})


@pytest.mark.proves("signatures")
class TestSignatures:
    def verify(self, signature: str | None, text: bytes = TESTED, *secrets: str) -> None:
        scheme = books().webhook
        assert scheme is not None
        headers = {} if signature is None else {"x-xero-signature": signature}
        scheme.verify(delivery(text, **headers), secrets or (KEY,), NOW)

    def test_the_intent_to_receive_is_accepted_when_it_is_rightly_signed(self) -> None:
        self.verify("/Qg71QNsHUyFtvaT+9OrN39f4bpHP/iQUtACpp3BYjI=")
        self.verify("/Qg71QNsHUyFtvaT+9OrN39f4bpHP/iQUtACpp3BYjI=", TESTED, "the next key", KEY)

    @pytest.mark.parametrize(
        ("signature", "text", "secret"),
        [
            ("/Qg71QNsHUyFtvaT+9OrN39f4bpHP/iQUtACpp3BYjI=", TESTED + b" ", KEY),
            ("/Qg71QNsHUyFtvaT+9OrN39f4bpHP/iQUtACpp3BYjI=", TESTED, "another"),
            ("/Qg71QNsHUyFtvaT+9OrN39f4bpHP/iQUtACpp3BYjJ=", TESTED, KEY),
            ("", TESTED, KEY),
            (None, TESTED, KEY),
        ],
    )
    def test_anything_else_is_refused(self, signature: str | None, text: bytes, secret: str) -> None:
        with pytest.raises(BadSignature):
            self.verify(signature, text, secret)

    def test_what_the_practice_organisation_sends_is_signed_as_we_would_sign_it(self) -> None:
        xero, scheme = Xero(), books().webhook
        assert scheme is not None
        xero.books.contact({"Name": "Jo"})
        sent = xero.webhook()
        key = xero.credentials["webhook_secret"]
        ours = scheme.sign(sent.body, key, delivery_id="", now=NOW)
        assert ours["x-xero-signature"] == sent.headers["x-xero-signature"]


class TestEvents:
    def test_a_webhook_has_the_lists_read_of_what_it_is_about(self) -> None:
        both = body(event(), event(eventCategory="CONTACT", eventType="CREATE"), event())
        told = normalise(delivery(both), books())
        assert (told.events, told.wake) == ((), ("invoices", "contacts"))

    @needs_shared
    def test_xeros_own_examples_are_understood(self) -> None:
        assert normalise(delivery(payload("xero", "contact_updated.json")), books()).wake == ("contacts",)
        other = "aef86862-2015-4b6b-88bc-d89032cecc50"
        assert normalise(delivery(payload("xero", "creditnote_created.json")), books(other)).wake == ("credit-notes",)

    def test_what_is_another_organisations_is_left_out_and_not_refused(self) -> None:
        """One address gets the events of all organisations of the app; if it refused one, Xero would stop sending."""
        mixed = delivery(body(event(tenantId="aef86862-2015-4b6b-88bc-d89032cecc50"), event()))
        assert normalise(mixed, books()).wake == ("invoices",)
        theirs = delivery(body(event(tenantId="aef86862-2015-4b6b-88bc-d89032cecc50")))
        told = normalise(theirs, books())
        assert ("another organisation" in told.reason, told.wake) == (True, ())
        assert TRIGGERS.belongs(theirs, books()) == ""

    def test_a_test_of_the_address_and_the_apps_own_events_have_a_reason(self) -> None:
        assert "tried the address" in normalise(delivery(TESTED), books()).reason
        assert "SUBSCRIPTION" in normalise(delivery(body(event(eventCategory="SUBSCRIPTION"))), books()).reason

    @pytest.mark.parametrize("text", [b"[]", b"{}", body({})])
    def test_what_cannot_be_read_is_said(self, text: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Xero describes"):
            normalise(delivery(text), books())

    @pytest.mark.parametrize("record", [{}, {"ContactID": "1"}, {"ContactID": "1", "UpdatedDateUTC": "today"}])
    def test_a_record_that_cannot_be_read_is_said(self, record: dict[str, str]) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Xero describes"):
            normalise(delivery(orjson.dumps(record), **{POLLED: "contacts"}), books())
