"""Requests to an API of somebody's own, and that they stay below its address."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bellwire.capabilities.requests import GetRequest, HttpAnswer, SendRequest
from bellwire.connectors.http import CONNECTOR
from bellwire.connectors.kit import Account, ByKey, Call, Unkeyed
from bellwire.errors import MissingCredential, OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.events import Customer
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.http import HttpSimulator
from tests.connecting import call, connection

pytestmark = pytest.mark.asyncio(loop_scope="module")
Calling = Callable[..., Call]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["http"]) as running:
        yield running


@pytest.fixture
def system(practice: Practice) -> HttpSimulator:
    simulator = practice.simulators["http"]
    assert isinstance(simulator, HttpSimulator)
    simulator.faults.clear()
    simulator.records.clear()
    simulator.answers.clear()
    simulator.received.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def calling(practice: Practice) -> AsyncIterator[Calling]:
    made: list[Call] = []

    def make(credentials: dict[str, str] | None = None, *, key: str = "0" * 32, **settings: Any) -> Call:
        values = {**HttpSimulator.settings, **settings}
        made.append(call(connection("http", practice, settings=values, credentials=credentials), key=key))
        return made[-1]

    yield make
    for each in made:
        await each.connection.api.close()


async def send(at: Call, **wanted: Any) -> HttpAnswer:
    result = await at.connection.connector.actions["requests.send"](at, SendRequest(**wanted))
    assert isinstance(result, HttpAnswer)
    return result


async def get(at: Call, path: str, **params: str) -> HttpAnswer:
    result = await at.connection.connector.actions["requests.get"](at, GetRequest(path=path, params=params))
    assert isinstance(result, HttpAnswer)
    return result


async def test_records_are_made_read_changed_and_taken_away(calling: Calling, system: HttpSimulator) -> None:
    at = calling()
    made = await send(at, path="customers", body={"name": "Robin"})
    assert made == HttpAnswer(status=201, body={"id": 1, "name": "Robin"})
    assert (await get(at, "/customers/1")).body == {"id": 1, "name": "Robin"}
    await send(at, method="PATCH", path="customers/1", body={"city": "Austin"})
    assert (await get(at, "customers", city="Austin")).body == [{"id": 1, "name": "Robin", "city": "Austin"}]
    await send(at, method="PUT", path="customers/1", body={"name": "Kim"})
    assert (await get(at, "customers/1")).body == {"id": 1, "name": "Kim"}
    assert await send(at, method="DELETE", path="customers/1") == HttpAnswer(status=204, body=None)
    assert system.records == {}
    assert (await get(at, "hello")).body == "Hello", "what isn't JSON is text"


async def test_what_events_hold_is_sent_as_json(calling: Calling, system: HttpSimulator) -> None:
    await send(calling(), path="customers", body={"who": Customer(name="Robin")})
    assert system.records["customers/1"]["who"]["name"] == "Robin"


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"sign_in": "bearer"}, "authorization"),
        ({"sign_in": "basic"}, "authorization"),
        ({"sign_in": "header", "token_header": "X-Api-Key"}, "x-api-key"),
    ],
)
@pytest.mark.proves("sign-in")
async def test_each_way_to_sign_in_works_and_wrong_credentials_do_not(
    calling: Calling, system: HttpSimulator, settings: dict[str, Any], header: str
) -> None:
    assert CONNECTOR.sign_in is not None
    at = calling(check_path="me", **settings)
    assert await CONNECTOR.sign_in(at) == Account(at.connection.base_url.split("/")[2])
    wrong = {"access_token": "old", "username": "practice", "password": "old"}
    with pytest.raises(SignedOut):
        await CONNECTOR.sign_in(calling(wrong, check_path="me", **settings))
    with pytest.raises(MissingCredential):
        await CONNECTOR.sign_in(calling({}, check_path="me", **settings))


@pytest.mark.proves("sign-in")
async def test_without_sign_in_nothing_is_sent_along(calling: Calling, system: HttpSimulator) -> None:
    with pytest.raises(SignedOut):
        await get(calling(sign_in="none"), "customers")


@pytest.mark.proves("sign-in")
async def test_without_a_path_to_check_it_is_said_that_the_sign_in_isnt_known(
    calling: Calling, system: HttpSimulator
) -> None:
    assert CONNECTOR.sign_in is not None
    (warning,) = (await CONNECTOR.sign_in(calling())).warnings
    assert "check_path" in warning
    with pytest.raises(Refused, match=r"\(404\)"):
        await CONNECTOR.sign_in(calling(check_path="customers/7"))


async def test_a_lost_answer_makes_no_second_record_where_keys_are_known(
    calling: Calling, system: HttpSimulator
) -> None:
    at = calling()
    assert isinstance(at.connection.connector.actions["requests.send"].repeat, ByKey)
    system.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST"))
    with pytest.raises(OutcomeUnknown):
        await send(at, path="customers", body={"name": "Robin"})
    assert (await send(at, path="customers", body={"name": "Robin"})).body["id"] == 1
    assert len(system.records) == 1


async def test_where_keys_arent_known_a_repeat_isnt_safe(calling: Calling) -> None:
    actions = calling(knows_keys=False).connection.connector.actions
    assert isinstance(actions["requests.send"].repeat, Unkeyed)
    assert not actions["requests.send"].repeatable
    assert actions["requests.send"].announced
    assert actions["requests.get"].repeatable


@pytest.mark.parametrize(
    "path",
    [
        "../admin",
        "a/../../b",
        "a/%2e%2e/b",
        "a/%252e%252e/b",
        "..",
        "a\\..\\b",
        "a?x=1",
        "a#b",
        "a/\nb",
        "a%0d%0ab",
        "./",
    ],
)
async def test_a_path_that_might_lead_elsewhere_is_refused(calling: Calling, system: HttpSimulator, path: str) -> None:
    with pytest.raises(Refused, match="isn't a path below") as caught:
        await get(calling(), path)
    assert caught.value.remedy
    assert not system.received


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "https://elsewhere.example/x", "mailto:x/y"])
async def test_another_host_is_only_a_strange_path(calling: Calling, system: HttpSimulator, path: str) -> None:
    with pytest.raises(Refused, match=r"refused it \(404\)"):
        await get(calling(), path)
    assert len(system.received) == 1


@pytest.mark.proves("errors")
async def test_an_answer_that_is_too_large_is_not_read(calling: Calling, system: HttpSimulator) -> None:
    with pytest.raises(Refused, match="more than 1,000,000 bytes") as caught:
        await get(calling(), "large")
    assert (caught.value.cause, bool(caught.value.remedy)) == ("answer-too-large", True)


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("kind", "reading", "writing"),
    [
        (FaultKind.FAILED, Transient, OutcomeUnknown),
        (FaultKind.LOST_ANSWER, Transient, OutcomeUnknown),
        (FaultKind.SIGNED_OUT, SignedOut, SignedOut),
    ],
)
async def test_what_fails_is_told_by_what_may_have_happened(
    calling: Calling, system: HttpSimulator, kind: FaultKind, reading: type[Exception], writing: type[Exception]
) -> None:
    system.faults.add(Fault(kind=kind, times=2))
    with pytest.raises(reading):
        await get(calling(), "customers")
    system.faults.clear()
    system.faults.add(Fault(kind=kind, times=2))
    with pytest.raises(writing):
        await send(calling(), path="customers", body={})


@pytest.mark.proves("errors")
async def test_a_write_waits_when_it_is_asked_to_slow_down(calling: Calling, system: HttpSimulator) -> None:
    system.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=60))
    with pytest.raises(Transient) as caught:
        await send(calling(), path="customers", body={})
    assert caught.value.retry_after is not None and caught.value.retry_after.total_seconds() == 60
