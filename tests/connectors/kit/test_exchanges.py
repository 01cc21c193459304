"""What is kept of requests and answers, and what never is."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Bearer
from bellwire.connectors.kit.exchanges import LONGEST, MOST, Exchange, Exchanges, collecting, unpacked
from bellwire.errors import Refused, VendorError
from tests.connecting import Secrets
from tests.connectors.kit.acme import Acme, lost, reply

TOKEN = "tok/en+4711"


@pytest.fixture
async def acme() -> AsyncIterator[Acme]:
    async with Acme() as vendor:
        yield vendor


def api(acme: Acme, **secrets: str) -> Any:
    return acme.connection(Bearer(), Secrets({"access_token": TOKEN, **secrets})).api


def kept(exchanges: Exchanges) -> Sequence[Exchange]:
    packed = exchanges.packed()
    assert packed is not None
    return unpacked(packed)[0]


async def test_a_request_and_its_answer_are_kept_as_they_were(acme: Acme) -> None:
    found = Exchanges()
    token = collecting.set(found)
    acme.script = [reply(201, {"id": "i7"}, Content_Type="application/json", X_Request_Id="r9", X_Other="x")]
    await api(acme).post("invoices", {"number": "1001"}, params={"minor": "7"}, headers={"Idempotency-Key": "k1"})
    collecting.reset(token)

    (one,) = kept(found)

    assert (one.method, one.status) == ("POST", 201)
    assert one.url.startswith(acme.url) and one.url.endswith("/invoices?minor=7")
    assert orjson.loads(one.body) == {"number": "1001"} and orjson.loads(one.answer) == {"id": "i7"}
    assert one.headers["Idempotency-Key"] == "k1"
    assert one.signed_by == {"Authorization": "Bearer"}
    assert {name.lower(): value for name, value in one.answered.items()} == {
        "content-type": "application/json",
        "x-request-id": "r9",
    }


async def test_no_secret_is_kept_wherever_it_stands(acme: Acme) -> None:
    found = Exchanges()
    token = collecting.set(found)
    said = {"echo": f"you are {TOKEN}", "access_token": "new-one", "card": {"number": 7, "cvc": 123}}
    acme.script = [reply(200, said, Content_Type="application/json", Location=f"/x?t={TOKEN}")]
    await api(acme).post(
        f"in/{TOKEN}",
        {"cardNumber": "4111111111111111", "note": TOKEN, "password": "hunter22"},
        params={"api_key": "k-in-the-address", "page": "2"},
        headers={"X-Api-Key": "k-in-a-header"},
    )
    collecting.reset(token)

    (one,) = kept(found)

    whole = repr(one)
    for secret in (TOKEN, "tok%2Fen%2B4711", "new-one", "4111", "hunter22", "k-in-the-address", "k-in-a-header", "123"):
        assert secret not in whole, secret
    assert one.url.endswith("?api_key=[removed]&page=2")
    assert orjson.loads(one.body) == {"cardNumber": "[removed]", "note": "[removed]", "password": "[removed]"}


async def test_forms_are_kept_without_their_secrets(acme: Acme) -> None:
    found = Exchanges()
    token = collecting.set(found)
    await api(acme).request(
        "POST",
        "charges",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=b"amount=12&card[number]=7&client_secret=abcdefg",
    )
    collecting.reset(token)

    assert kept(found)[0].body == "amount=12&card[number]=7&client_secret=[removed]"


async def test_what_is_long_is_cut_and_what_is_no_text_is_only_counted(acme: Acme) -> None:
    found = Exchanges()
    token = collecting.set(found)
    acme.script = [reply(200, {"long": "x" * 9_000}), reply(200, b"\xff\xfe\x00"), reply(200, b"1" * 300_000)]
    for _ in range(3):
        await api(acme).get("things")
    collecting.reset(token)

    long, odd, huge = (one.answer for one in kept(found))

    assert len(long) < LONGEST + 50 and "9,011 characters in all" in long
    assert odd == "[3 bytes that are no text]"
    assert huge == "[300,000 bytes: too many to be kept]"


async def test_of_many_requests_the_first_and_the_last_are_kept(acme: Acme) -> None:
    found = Exchanges()
    token = collecting.set(found)
    for number in range(MOST + 3):
        await api(acme).get(f"things/{number}")
    collecting.reset(token)

    packed = found.packed()
    assert packed is not None
    one, left_out = unpacked(packed)
    assert [each.url.rpartition("/")[2] for each in one] == ["0", *map(str, range(4, MOST + 3))]
    assert left_out == 3


async def test_a_request_without_an_answer_says_why(acme: Acme) -> None:
    found = Exchanges()
    token = collecting.set(found)
    acme.script = [lost, reply(400, {"error": "no such thing"})]
    with pytest.raises(VendorError):
        await api(acme).post("things", {})
    with pytest.raises(Refused):
        await api(acme).post("things", {})
    collecting.reset(token)

    none, refused = kept(found)

    assert none.status is None and "may have been done" in none.failed
    assert refused.status == 400 and "no such thing" in refused.answer


async def test_outside_an_attempt_nothing_is_collected(acme: Acme) -> None:
    await api(acme).get("things")

    assert collecting.get() is None
    assert Exchanges().packed() is None
