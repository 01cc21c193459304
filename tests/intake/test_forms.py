"""Deliveries that are forms, with JSON in one field: signed, checked and kept like any other."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest

from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Connection, FormBody
from bellwire.practice import find_simulator
from tests.connecting import connection
from tests.intake.conftest import Intake, Letter, Sender

FORM = "application/x-www-form-urlencoded"
FIELDS = {
    connector.name: connector.manifest.webhook_body.field
    for connector in all_connectors()
    if isinstance(connector.manifest.webhook_body, FormBody) and connector.manifest.webhook_body.field
}
VENDORS = list(FIELDS)
every_vendor = pytest.mark.parametrize("vendor", VENDORS)


def sender(vendor: str) -> Sender:
    simulator = find_simulator(vendor)
    return Sender(connection(vendor, settings=simulator.settings, credentials=simulator.credentials))


def sample(of: Connection) -> bytes:
    triggers = of.connector.triggers
    assert triggers is not None and triggers.sample is not None
    return triggers.sample(triggers.event_types[0], of)[1]


def letter(given: Sender, body: bytes) -> Letter:
    return given.signed(body).but({"Content-Type": FORM})


def holding(given: Sender, text: str, **fields: str) -> Letter:
    """A form whose field has this text."""
    return letter(given, urlencode({FIELDS[given.connection.connector.name]: text} | fields).encode())


@pytest.fixture
async def intake(narrow: Callable[..., Intake]) -> AsyncIterator[Intake]:
    async with narrow(senders={vendor: sender(vendor) for vendor in VENDORS}).open() as opened:
        yield opened


def test_there_are_vendors_that_send_forms() -> None:
    assert VENDORS


@every_vendor
async def test_a_form_is_kept_as_it_came_and_known_again(intake: Intake, vendor: str) -> None:
    given = intake.senders[vendor]
    sent = letter(given, sample(given.connection))
    answers = [(await intake.send(vendor, sent)).json for _ in range(2)]
    assert answers == [{"delivery": 1, "duplicate": False}, {"delivery": 1, "duplicate": True}]
    assert (await intake.payload())[1] == sent.body
    ((_, delivery),) = intake.arrived
    triggers = given.connection.connector.triggers
    assert triggers is not None
    assert triggers.normalise(delivery, given.connection).events


@every_vendor
async def test_a_changed_form_is_refused(intake: Intake, vendor: str) -> None:
    given = intake.senders[vendor]
    sent = letter(given, sample(given.connection))
    answer = await intake.send(vendor, sent.but(body=sent.body + b"&more=1"))
    assert (answer.status, answer.error) == (401, "signature")
    assert not await intake.stored()


@every_vendor
async def test_something_else_than_a_form_is_refused(intake: Intake, vendor: str) -> None:
    given = intake.senders[vendor]
    sent = letter(given, sample(given.connection))
    answer = await intake.send(vendor, sent.but({"Content-Type": "application/json"}))
    assert (answer.status, answer.error) == (415, "content-type")
    for content_type in (f"{FORM}; charset=utf-8", FORM.title()):
        assert (await intake.send(vendor, sent.but({"Content-Type": content_type}))).status == 200


@every_vendor
async def test_a_form_that_two_readers_could_understand_differently_is_refused(intake: Intake, vendor: str) -> None:
    given = intake.senders[vendor]
    field = FIELDS[vendor]
    bad = [
        *(
            letter(given, body)
            for body in (b"", b"nothing", b"other=1", b"\xff=1", b"%ff=1", b"&".join([b"a=1"] * 101))
        ),
        letter(given, urlencode([(field, "{}"), (field, "[]")]).encode()),
        *(holding(given, text) for text in ("", "{", "{} {}", '{"total": 1, "total": 2}', '{"total": NaN}')),
    ]
    for sent in bad:
        answer = await intake.send(vendor, sent)
        assert (answer.status, answer.error) == (400, "malformed"), sent.body
    assert not await intake.stored()


@every_vendor
async def test_card_numbers_are_taken_out_of_forms_too(intake: Intake, vendor: str) -> None:
    given = intake.senders[vendor]
    field = FIELDS[vendor]
    told: dict[str, Any] = {"id": "é 1", "payment": {"card_number": "4111111111111111"}}
    assert (await intake.send(vendor, holding(given, orjson.dumps(told).decode(), cvv="123", x="a b"))).status == 200
    kept = dict(parse_qsl((await intake.payload())[1].decode()))
    assert orjson.loads(kept[field]) == {"id": "é 1", "payment": {"card_number": "[removed]"}}
    assert (kept["cvv"], kept["x"]) == ("[removed]", "a b")
    on_disk = b"".join(path.read_bytes() for path in intake.path.parent.iterdir())
    assert b"4111111111111111" not in on_disk
    ((_, handed_on),) = intake.arrived
    assert replace(handed_on, received_at=handed_on.received_at).form == kept


EITHER = ["text/plain", "multipart/form-data", "application/xml"]


@pytest.fixture
async def website(narrow: Callable[..., Intake]) -> AsyncIterator[Intake]:
    """What takes forms and JSON."""
    form = Sender(connection("form", credentials={"webhook_secret": "made up"}))
    async with narrow(senders={"form": form}).open() as opened:
        yield opened


async def test_where_both_are_taken_each_is_read_by_its_content_type(website: Intake) -> None:
    given = website.senders["form"]
    as_form = letter(given, b"id=1&name=Robin&card_number=4111111111111111")
    as_json = given.signed({"id": "2", "name": "Robin", "card_number": "4111111111111111"})
    for sent in (as_form, as_json):
        assert [(await website.send("form", sent)).json["duplicate"] for _ in range(2)] == [False, True]
    triggers = given.connection.connector.triggers
    assert triggers is not None
    events = [triggers.normalise(delivery, given.connection).events[0] for _, delivery in website.arrived]
    assert [event.data.id for event in events] == ["1", "2"]
    assert all("[removed]" in event.data.answers[0].answer for event in events)


async def test_where_both_are_taken_nothing_else_is_and_neither_for_the_other(website: Intake) -> None:
    given = website.senders["form"]
    sent = letter(given, b"id=1&name=Robin")
    for content_type in EITHER:
        answer = await website.send("form", sent.but({"Content-Type": content_type}))
        assert (answer.status, answer.error) == (415, "content-type")
    for mixed in (sent.but({"Content-Type": "application/json"}), letter(given, b'{"id": "1"}')):
        answer = await website.send("form", mixed)
        assert (answer.status, answer.error) == (400, "malformed")
