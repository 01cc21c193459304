"""What HubSpot's webhooks are signed with, and what they come to."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hubspot.utils.signature import Signature

from bellwire.clock import system_clock
from bellwire.connectors.hubspot.signature import SignatureV3
from bellwire.connectors.hubspot.triggers import TRIGGERS, normalise
from bellwire.connectors.kit import BadSignature, Connection
from bellwire.errors import CannotNormalise
from bellwire.events import Contact, Deal, Delivery
from bellwire.practice.hubspot import HubSpot
from tests.connecting import connection
from tests.samples import NOW
from tests.shared import FOLDER, needs_shared, payload

URL = "https://hooks.example.com/hooks/crm"
SECRET = HubSpot.credentials["webhook_secret"]
SCHEME = SignatureV3()


def crm(portal_id: str = "62515") -> Connection:
    return connection("hubspot", name="crm", settings={"portal_id": portal_id, "currency": "USD"})


def delivery(body: bytes, url: str = URL, **headers: str) -> Delivery:
    return Delivery("crm", headers, body, NOW, url)


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "eventId": 1,
        "subscriptionId": 12345,
        "portalId": 62515,
        "appId": 54321,
        "occurredAt": 1564113600000,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": 123,
        "changeSource": "CRM",
        "propertyName": "phone",
        "propertyValue": "1",
        **changes,
    }


def vectors() -> list[Any]:
    known = json.loads((FOLDER / "payloads/signature_vectors_business.json").read_bytes())
    return [each for each in known if each["vendor"] == "hubspot" and each["name"].startswith("v3")]


@pytest.mark.proves("signatures")
class TestSignatures:
    @needs_shared
    def test_the_vectors_fit_and_a_changed_byte_does_not(self) -> None:
        assert len(vectors()) == 2
        for vector in vectors():
            headers = {name.lower(): value for name, value in vector["headers"].items()}
            at = datetime.fromtimestamp(int(headers["x-hubspot-request-timestamp"]) / 1000, UTC)
            sent = delivery(vector["body"].encode(), vector["url"], **headers)
            SCHEME.verify(sent, ["the next secret", vector["secret"]], at + timedelta(minutes=4))
            for wrong in (
                delivery(sent.body + b" ", sent.url, **headers),
                delivery(sent.body, sent.url + "x", **headers),
                delivery(sent.body, sent.url, **headers | {"x-hubspot-request-timestamp": "1710000000001"}),
                delivery(sent.body, sent.url, **headers | {"x-hubspot-signature-v3": "A" * 43 + "="}),
            ):
                with pytest.raises(BadSignature):
                    SCHEME.verify(wrong, [vector["secret"]], at)
            with pytest.raises(BadSignature):
                SCHEME.verify(sent, ["another"], at)
            for late in (timedelta(minutes=5, milliseconds=1), -timedelta(minutes=6)):
                with pytest.raises(BadSignature) as refused:
                    SCHEME.verify(sent, [vector["secret"]], at + late)
                assert refused.value.reason == "timestamp"

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-hubspot-signature-v3": "x"},
            {"x-hubspot-signature": "232db2", "x-hubspot-signature-version": "v1"},
            {"x-hubspot-signature-v3": "x", "x-hubspot-request-timestamp": "soon"},
        ],
    )
    def test_the_older_signatures_do_not_count(self, headers: dict[str, str]) -> None:
        with pytest.raises(BadSignature):
            SCHEME.verify(delivery(b"[]", **headers), [SECRET], NOW)

    @pytest.mark.parametrize(
        ("sent", "signed"), [("%3a%2F%3F%40%21%24%27%28%29%2A%2C%3B", ":/?@!$'()*,;"), ("%20%2B%25", "%20%2B%25")]
    )
    def test_only_what_hubspot_lists_is_decoded(self, sent: str, signed: str) -> None:
        raw = SCHEME.sign(b"[]", SECRET, delivery_id="", now=NOW, url=f"{URL}?q={sent}")
        assert raw == SCHEME.sign(b"[]", SECRET, delivery_id="", now=NOW, url=f"{URL}?q={signed}")

    @pytest.mark.proves("sdk")
    def test_hubspots_own_library_agrees(self) -> None:
        now, body = system_clock(), orjson.dumps([entry()])
        signed = SCHEME.sign(body, SECRET, delivery_id="", now=now, url=URL)
        timestamp = signed["X-HubSpot-Request-Timestamp"]
        given = {"http_uri": URL, "signature_version": "v3", "timestamp": timestamp}
        assert Signature.is_valid(signed["X-HubSpot-Signature-v3"], SECRET, body.decode(), **given)
        theirs = Signature.get_signature(SECRET, body.decode(), "v3", URL, "POST", timestamp)
        headers = {"x-hubspot-signature-v3": theirs, "x-hubspot-request-timestamp": timestamp}
        SCHEME.verify(delivery(body, **headers), [SECRET], now)

    def test_what_practice_sends_is_signed_rightly_and_a_second_attempt_is_the_same_delivery(self) -> None:
        portal = HubSpot()
        portal.crm.add("contacts", {"email": "robin@example.com"})
        (kept,) = portal.crm.untold
        first = portal.webhook(URL)
        portal.crm.untold.append(kept)
        second = portal.webhook(URL, attempt=1)
        ids = set()
        for sent in (first, second):
            made = delivery(sent.body, **{name.lower(): value for name, value in sent.headers.items()})
            SCHEME.verify(made, [SECRET], system_clock())
            ids.add(SCHEME.delivery_id(made))
        assert len(ids) == 1 and first.body != second.body


class TestWebhooks:
    def test_what_changed_is_found_out_by_the_polls(self) -> None:
        body = [entry(), entry(subscriptionType="deal.creation"), entry(subscriptionType="contact.merge")]
        made = normalise(delivery(orjson.dumps(body)), crm())
        assert (made.events, made.wake) == ((), ("contacts", "deals"))

    @needs_shared
    def test_hubspots_own_example_is_read(self) -> None:
        assert normalise(delivery(payload("hubspot", "contact_creation.json")), crm()).wake == ("contacts",)

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ({"subscriptionType": "contact.deletion"}, Contact),
            ({"subscriptionType": "contact.privacyDeletion"}, Contact),
            ({"subscriptionType": "deal.deletion"}, Deal),
            ({"subscriptionType": "object.deletion", "objectTypeId": "0-3"}, Deal),
        ],
    )
    def test_what_was_deleted_is_told_at_once(self, said: dict[str, str], kind: type[Contact | Deal]) -> None:
        (event,) = normalise(delivery(orjson.dumps([entry(**said)])), crm()).events
        assert isinstance(event.data, kind)
        assert (event.data.id, event.data.deleted) == ("123", True)
        assert event.time == datetime(2019, 7, 26, 4, 0, tzinfo=UTC)
        (again,) = normalise(delivery(orjson.dumps([entry(**said, eventId=2, attemptNumber=3)])), crm()).events
        assert again.business_key == event.business_key

    @pytest.mark.parametrize(("said", "gone"), [({}, ["2", "3"]), ({"newObjectId": 4}, ["1", "2", "3"])])
    def test_of_those_that_were_merged_all_but_one_are_gone(self, said: dict[str, int], gone: list[str]) -> None:
        merged = entry(subscriptionType="contact.merge", primaryObjectId=1, mergedObjectIds=[3, 2], **said)
        made = normalise(delivery(orjson.dumps([merged])), crm())
        assert [event.data.id for event in made.events if event.data.deleted] == gone
        assert made.wake == ("contacts",)

    def test_the_newer_platforms_events_are_understood(self) -> None:
        changed = entry(subscriptionType="object.propertyChange", objectTypeId="0-1")
        assert normalise(delivery(orjson.dumps([changed])), crm()).wake == ("contacts",)

    @pytest.mark.proves("environments")
    def test_what_is_another_accounts_is_left_out_and_not_refused(self) -> None:
        """One address gets the events of all accounts of the app; HubSpot would send again what was refused."""
        theirs = delivery(orjson.dumps([entry(portalId=1)]))
        assert "another HubSpot account" in normalise(theirs, crm()).reason
        assert TRIGGERS.belongs(theirs, crm()) == ""
        mixed = delivery(orjson.dumps([entry(portalId=1, subscriptionType="deal.creation"), entry()]))
        assert normalise(mixed, crm()).wake == ("contacts",)

    def test_what_nobody_needs_has_a_reason(self) -> None:
        made = normalise(delivery(orjson.dumps([entry(subscriptionType="company.creation")])), crm())
        assert (made.wake, made.reason) == ((), "Bellwire has no use for HubSpot's company.creation.")

    @pytest.mark.parametrize("body", [b"{}", b"[1]", b'[{"portalId": 62515}]', b"null"])
    def test_what_cannot_be_read_is_said(self, body: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what HubSpot describes"):
            normalise(delivery(body), crm())
