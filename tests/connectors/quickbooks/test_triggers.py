"""What Intuit's webhooks are signed with, and what they come to: that it is time to look."""

from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import BadSignature, Connection, Normalised
from bellwire.connectors.quickbooks.triggers import TRIGGERS, normalise
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import connection
from tests.samples import NOW
from tests.shared import needs_shared, payload

REALM = QuickBooks.settings["realm_id"]
OFFICIAL = (
    b'{"eventNotifications":[{"realmId":"1185883450","dataChangeEvent":{"entities":'
    b'[{"name":"Customer","id":"1","operation":"Create","lastUpdated":"2015-10-05T14:42:19-0700"}]}}]}'
)
"""Of Intuit's library for Java."""


def books(realm_id: str = REALM) -> Connection:
    return connection("quickbooks", name="books", settings={"realm_id": realm_id, "home_currency": "USD"})


def delivery(body: Any, **headers: str) -> Delivery:
    return Delivery("books", headers, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def told(body: Any, realm_id: str = REALM) -> Normalised:
    return normalise(delivery(body), books(realm_id))


def event(kind: str = "qbo.invoice.updated.v1", realm: str = REALM) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "type": kind, "intuitentityid": "7", "intuitaccountid": realm, "data": {}}


def verify(signature: str | None, body: bytes, *secrets: str) -> None:
    scheme = books().webhook
    assert scheme is not None
    headers = {} if signature is None else {"intuit-signature": signature}
    scheme.verify(delivery(body, **headers), secrets, NOW)


@pytest.mark.proves("signatures")
def test_the_official_vector() -> None:
    secret, signature = "b5771f19b12ddb4bcdb9f08bdc50bc63878a", "JC2GUwciPmRBwEO7WvrRmKqu9tGOKL8FFallocTFi8Q="
    verify(signature, OFFICIAL, secret)
    verify(signature, OFFICIAL, "the next one", secret)
    for wrong in (OFFICIAL.replace(b'"id":"1"', b'"id":"2"'), OFFICIAL + b"\n"):
        with pytest.raises(BadSignature):
            verify(signature, wrong, secret)
    with pytest.raises(BadSignature):
        verify(signature, OFFICIAL, "another")
    with pytest.raises(BadSignature, match="intuit-signature is missing"):
        verify(None, OFFICIAL, secret)


@needs_shared
@pytest.mark.proves("signatures")
def test_the_vector_of_cloud_events() -> None:
    body = payload("quickbooks", "cloudevents_account_created.json")
    verify("OkAk0Kn3nKN0jEwPtgGI6DnZW3+G1t4W06a5CSr42/g=", body, "qbo-verifier-token-0001")


@needs_shared
def test_the_official_examples_are_understood() -> None:
    assert told(payload("quickbooks", "legacy_customer_create.json"), "1185883450").wake == ("changes",)
    other = told(payload("quickbooks", "cloudevents_account_created.json"), "310687")
    assert (other.events, other.wake, other.reason) == (
        (),
        (),
        "Bellwire has no use for changes of this kind: account.",
    )


@pytest.mark.parametrize("legacy", [False, True])
def test_practice_sends_what_is_understood(legacy: bool) -> None:
    company = QuickBooks()
    company.books.add("Customer", DisplayName="Jo")
    sent = company.webhook(legacy=legacy)
    verify(sent.headers["intuit-signature"], sent.body, company.credentials["webhook_secret"])
    assert told(sent.body).wake == ("changes",)


@pytest.mark.parametrize("kind", ["customer.created", "invoice.voided", "invoice.emailed", "creditmemo.deleted"])
def test_whatever_happens_to_what_is_listed_it_is_time_to_look(kind: str) -> None:
    assert told([event("qbo.account.created.v1"), event(f"qbo.{kind}.v1")]).wake == ("changes",)


@pytest.mark.proves("environments")
def test_what_is_about_another_company_changes_nothing() -> None:
    found = told([event(realm="1")])
    assert (found.events, found.wake) == ((), ())
    assert found.reason == f"It is about another company than {REALM}."
    assert told([event(realm="1"), event()]).wake == ("changes",)


@pytest.mark.parametrize("body", [{}, [{}], [event(kind="invoice")], "invoice", [7], {"eventNotifications": [{}]}])
def test_what_cant_be_read_is_kept_for_a_person(body: Any) -> None:
    with pytest.raises(CannotNormalise, match="isn't what Intuit describes"):
        told(body)


def test_every_entity_that_it_is_to_be_told_of_is_listed() -> None:
    assert set(TRIGGERS.topics) == {"Customer", "Invoice", "CreditMemo"}
    assert TRIGGERS.event_types == TRIGGERS.polls[0].event_types
