"""What people fill in on a website, as enquiries and bookings."""

import hashlib
import hmac
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.connectors.form import CONNECTOR
from bellwire.connectors.form.fields import delivery_id
from bellwire.connectors.kit import BadSignature, Connection
from bellwire.errors import CannotNormalise
from bellwire.events import Address, Answer, Booking, Condition, Customer, Delivery, Event, Lead, Return, ReturnLine
from tests.connecting import connection
from tests.samples import NOW

SECRET = "5up3r"
FORM = "application/x-www-form-urlencoded"
DOCS = Path(__file__).parents[3] / "docs" / "forms.md"
ENQUIRY = {"id": "0f3a", "name": "Robin Hill", "email": "robin@example.com", "message": "Please call me"}
BOOKING = {"id": "b7", "type": "booking.created", "service": "Boiler service", "start": "2026-12-01T09:30"}

RETURN = {
    "id": "f1",
    "type": "return.created",
    "order_number": "#1001",
    "name": "Robin Hill",
    "email": "robin@example.com",
    "sku_1": "TEA-100",
    "quantity_1": "2",
    "reason_1": "Too green",
    "product_2": "The blue pot",
}
BACK = {"id": "f2", "type": "return.received", "return_id": "R-7", "order_id": "42", "sku": "A", "condition": "Damaged"}


def website(secret: str = SECRET, **settings: Any) -> Connection:
    return connection("form", name="website", settings=settings, credentials={"webhook_secret": secret})


def delivered(filled: Any, *, as_json: bool = False) -> Delivery:
    body = orjson.dumps(filled) if as_json else urlencode(filled).encode()
    content_type = "application/json" if as_json else f"{FORM}; charset=utf-8"
    return Delivery("website", {"content-type": content_type}, body, NOW)


def event_of(filled: Any, *, as_json: bool = False, **settings: Any) -> Event:
    assert CONNECTOR.triggers is not None
    (event,) = CONNECTOR.triggers.normalise(delivered(filled, as_json=as_json), website(**settings)).events
    return event


@pytest.mark.parametrize("as_json", [False, True])
def test_an_enquiry_is_a_lead(as_json: bool) -> None:
    event = event_of({**ENQUIRY, "city": " Bern ", "phone": "", "Which boiler?": "A big one"}, as_json=as_json)
    assert event.data == Lead(
        id="0f3a",
        name="Robin Hill",
        email="robin@example.com",
        message="Please call me",
        address=Address(city="Bern"),
        source="website",
        answers=(Answer(question="Which boiler?", answer="A big one"),),
        created_at=NOW,
    )
    assert (event.type, event.subject, event.time) == ("lead.created", "lead/0f3a", NOW)
    assert event.business_key == "website/lead/0f3a/created"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_booking_is_in_the_zone_of_the_customer_or_of_the_settings(as_json: bool) -> None:
    event = event_of({**BOOKING, "name": "Robin", "staff": "Kim"}, as_json=as_json, zone="Europe/Zurich", minutes=90)
    start = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    assert event.data == Booking(
        id="b7",
        service="Boiler service",
        start=start,
        end=start + timedelta(minutes=90),
        zone="Europe/Zurich",
        customer=Customer(name="Robin"),
        staff=("Kim",),
        updated_at=NOW,
    )
    there = event_of({**BOOKING, "zone": "America/Chicago", "end": "2026-12-01T10:00"}, zone="Europe/Zurich").data
    assert (there.start.hour, there.end.hour, there.zone) == (15, 16, "America/Chicago")
    assert event_of({**BOOKING, "start": "2026-12-01T09:30+09:00"}).data.start.hour == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_a_customer_announces_what_comes_back(as_json: bool) -> None:
    event = event_of({**RETURN, "quantity_3": "1", "notes": "By post", "Picture": "a.png"}, as_json=as_json)
    assert event.data == Return(
        id="f1",
        number="f1",
        order_number="1001",
        customer=Customer(name="Robin Hill", email="robin@example.com"),
        lines=(
            ReturnLine(sku="TEA-100", quantity=2, reason="Too green"),
            ReturnLine(name="The blue pot", quantity=1),
        ),
        notes="By post\nPicture: a.png",
        updated_at=NOW,
    )
    assert (event.type, event.subject, event.business_key) == (
        "return.created",
        "return/f1",
        "website/return/f1/created",
    )


def test_the_warehouse_says_what_came_back_in_which_condition() -> None:
    rows = {"sku_2": "A", "condition_2": "sellable", "quantity_2": "3", "sku_3": "B", "quantity_3": "0"}
    event = event_of({**BACK, **rows, "refund_shipping": "Yes", "payment_id": "pay_7"})
    found = event.data
    assert [(line.sku, line.quantity, line.condition) for line in found.lines] == [
        ("A", 1, Condition.DAMAGED),
        ("A", 3, Condition.SELLABLE),
    ]
    assert (found.id, found.order_id, found.payment_id, found.refund_shipping) == ("R-7", "42", "pay_7", True)
    assert found.received_at == event.time == NOW
    assert found.customer is None
    assert event_of({**BACK, "refund_shipping": "no"}).data.refund_shipping is False


def test_a_return_is_announced_once_and_received_once_or_by_parcel() -> None:
    announced = event_of({**RETURN, "return_id": "R-7"})
    back, again = event_of(BACK), event_of({**BACK, "id": "f3"})
    assert announced.subject == back.subject == "return/R-7"
    assert back.business_key == again.business_key == "website/return/R-7/received"
    second = event_of({**BACK, "id": "f3", "parcel": "2"})
    assert (second.subject, second.business_key) == (back.subject, f"{back.business_key}/2")
    assert (back.data.number, second.data.number) == ("R-7", "R-7/2"), "each has a credit memo of its own"


def test_the_settings_say_what_a_form_is_and_what_is_booked() -> None:
    event = event_of({"id": "1", "start": "2026-12-01T09:30"}, event_type="booking.created", service="Haircut")
    assert (event.type, event.data.service) == ("booking.created", "Haircut")
    assert event_of(ENQUIRY, source="fair").data.source == "fair"
    assert event_of({**ENQUIRY, "source": "ad"}, source="fair").data.source == "ad"


def test_when_it_was_filled_in_may_be_said() -> None:
    assert event_of({**ENQUIRY, "created_at": "2026-11-24T08:00:00Z"}).time == datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_json_may_hold_more_than_texts() -> None:
    answers = event_of({**ENQUIRY, "a": 7, "b": True, "c": None, "d": ["x", "y"], "e": 1.5}, as_json=True).data.answers
    assert {each.question: each.answer for each in answers} == {"a": "7", "b": "yes", "d": "x, y", "e": "1.5"}


def test_a_form_that_is_sent_twice_is_one_fact() -> None:
    again = {**ENQUIRY, "message": "Please call me!"}
    assert delivery_id(delivered(ENQUIRY)) == delivery_id(delivered(again, as_json=True))
    assert event_of(ENQUIRY).business_key == event_of(again, as_json=True).business_key
    assert delivery_id(delivered({**BOOKING, "id": "0f3a"})) != delivery_id(delivered(ENQUIRY))


def test_without_an_id_the_content_tells() -> None:
    without = {name: text for name, text in ENQUIRY.items() if name != "id"}
    other = {**without, "message": "Other"}
    assert delivery_id(delivered(without)) == delivery_id(delivered(dict(without))) != delivery_id(delivered(other))
    assert event_of(without).business_key == event_of(dict(without)).business_key != event_of(other).business_key


@pytest.mark.parametrize(
    ("filled", "says"),
    [
        ({**ENQUIRY, "type": "order.paid"}, "may be lead.created, booking.created, return.created, return.received"),
        ({**RETURN, "sku_1": "", "product_2": ""}, "'sku' is missing"),
        ({**RETURN, "order_number": ""}, "'order_id' is missing"),
        ({**RETURN, "quantity_1": "some"}, "'some'"),
        ({**RETURN, "quantity_1": "-1", "product_2": ""}, "quantity"),
        ({**RETURN, "quantity_1": "0", "product_2": ""}, "lines"),
        ({**RETURN, "refund_shipping": "perhaps"}, "perhaps"),
        ({**BACK, "return_id": ""}, "'return_id' is missing"),
        ({**BACK, "condition": ""}, "'condition' is missing"),
        ({**BACK, "condition": "shiny"}, "shiny"),
        ({**BOOKING, "start": "tomorrow"}, "tomorrow"),
        ({**BOOKING, "start": ""}, "'start' is missing"),
        ({**BOOKING, "service": ""}, "'service' is missing"),
        ({**BOOKING, "end": "2026-12-01T09:30"}, "`end` isn't after `start`"),
        ({**BOOKING, "zone": "Mars/Base"}, "Mars/Base"),
        ({**BOOKING, "zone": "../../etc/passwd"}, "passwd"),
        ({**BOOKING, "start": "0001-01-01T00:00", "zone": "Asia/Tokyo"}, "range"),
        ({**ENQUIRY, "address": {"city": "Bern"}}, "'address' has fields of its own"),
        ([1], "isn't an object"),
    ],
)
def test_what_is_wrong_is_said_with_the_field(filled: Any, says: str) -> None:
    with pytest.raises(CannotNormalise, match=re.escape(says)) as caught:
        event_of(filled, as_json=True)
    assert "docs/forms.md" in caught.value.remedy


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=20))
def test_every_form_is_an_event_or_said_to_be_none(filled: dict[str, str]) -> None:
    try:
        event_of(filled)
    except CannotNormalise as error:
        assert error.remedy


@pytest.mark.proves("signatures")
def test_what_the_documented_python_sends_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    sent: list[Any] = []
    monkeypatch.setattr("urllib.request.urlopen", lambda request, timeout: sent.append(request))
    spoken: dict[str, Any] = {}
    exec(example, spoken)  # noqa: S102 - it is our own documentation
    spoken["pass_on"]({**ENQUIRY, "name": "Zoë"}, "https://bellwire.example/hooks/website", SECRET)
    (request,) = sent
    headers = {name.lower(): value for name, value in request.header_items()}
    site = website(f"older {SECRET}")
    assert site.webhook is not None and CONNECTOR.triggers is not None
    delivery = Delivery("website", headers, request.data, NOW)
    site.webhook.verify(delivery, site.secrets, NOW)
    (event,) = CONNECTOR.triggers.normalise(delivery, site).events
    assert event.data.name == "Zoë"
    with pytest.raises(BadSignature):
        site.webhook.verify(Delivery("website", headers, request.data + b" ", NOW), site.secrets, NOW)


@pytest.mark.proves("signatures")
def test_the_documented_shell_line_signs_as_we_do() -> None:
    shell = next(
        block for block in re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL) if "signature=" in block
    )
    lines = shell.replace("curl -s", "printf '%s\\n'")
    told = subprocess.run(
        [shutil.which("bash") or "bash", "-c", lines],
        env={"SECRET": SECRET, "URL": "x", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    _, header, _, body, _ = told
    assert header == f"X-Form-Signature: {hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()}"
    site = website()
    assert site.webhook is not None
    headers = {"x-form-signature": header.partition(": ")[2], "content-type": FORM}
    site.webhook.verify(Delivery("website", headers, body.encode(), NOW), site.secrets, NOW)


@pytest.mark.proves("signatures")
def test_either_secret_is_accepted_while_one_is_changed_and_no_other() -> None:
    site = website("old new")
    assert site.webhook is not None
    body = urlencode(ENQUIRY).encode()
    for secret in ("old", "new"):
        headers = {n.lower(): v for n, v in site.webhook.sign(body, secret, delivery_id="", now=NOW).items()}
        site.webhook.verify(Delivery("website", headers, body, NOW), site.secrets, NOW)
    headers = {n.lower(): v for n, v in site.webhook.sign(body, "older", delivery_id="", now=NOW).items()}
    with pytest.raises(BadSignature):
        site.webhook.verify(Delivery("website", headers, body, NOW), site.secrets, NOW)
