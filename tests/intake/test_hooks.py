"""What a sender is told, and what is kept of it, over real HTTP."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import orjson
import pytest
from structlog.testing import capture_logs

from bellwire.connectors.kit import AddressToken, FixedReply, rotated
from bellwire.errors import LedgerBusy
from bellwire.ledger import DeliveryState, signings
from bellwire.practice.teams import TeamsSimulator
from bellwire.practice.xero import Xero
from tests.connecting import connection
from tests.intake.conftest import OTHER_SECRET, SECRET, SENDERS, SHOPS, Intake, Letter, Sender, sender
from tests.ledgers import sqlite_of
from tests.samples import NOW

every_sender = pytest.mark.parametrize("kind", SENDERS)
A_JSON_OBJECT = b'{"type": "order.paid", "data": {"id": 1}}'


@every_sender
async def test_a_valid_delivery_is_kept_and_acknowledged(intake: Intake, kind: str) -> None:
    letter = intake.senders[kind].order()
    answer = await intake.send(kind, letter)
    assert (answer.status, answer.json) == (200, {"delivery": 1, "duplicate": False})
    (row,) = await intake.stored()
    assert (row.connection, row.state, row.copies) == (kind, DeliveryState.RECEIVED, 1)
    assert (await intake.payload())[1] == letter.body
    ((number, delivery),) = intake.arrived
    assert number == 1 and delivery.body == letter.body and delivery.received_at == NOW


@every_sender
async def test_the_same_delivery_again_is_known(intake: Intake, kind: str) -> None:
    letter = intake.senders[kind].order()
    answers = [(await intake.send(kind, letter)).json for _ in range(3)]
    assert answers == [{"delivery": 1, "duplicate": copy > 0} for copy in range(3)]
    (row,) = await intake.stored()
    assert row.copies == 3
    assert len(intake.arrived) == 1


async def test_many_copies_at_the_same_moment_are_one(intake: Intake) -> None:
    letter = intake.senders["standard"].order()
    answers = await asyncio.gather(*(intake.send("standard", letter) for _ in range(40)))
    assert sorted(answer.json["duplicate"] for answer in answers) == [False] + [True] * 39
    assert len(await intake.stored()) == len(intake.arrived) == 1


@every_sender
async def test_one_changed_byte_anywhere_is_refused(intake: Intake, kind: str) -> None:
    letter = intake.senders[kind].order()
    places = [0, len(letter.body) // 2, len(letter.body) - 1]
    for place in places:
        changed = bytearray(letter.body)
        changed[place] ^= 1
        answer = await intake.send(kind, letter.but(body=bytes(changed)))
        assert (answer.status, answer.error) == (401, "signature")
    assert not await intake.stored() and not intake.arrived
    assert await intake.refused() == {(kind, "signature"): len(places)}


@every_sender
async def test_a_truncated_body_is_refused(intake: Intake, kind: str) -> None:
    letter = intake.senders[kind].order()
    for length in (0, 1, len(letter.body) - 10, len(letter.body) - 1):
        answer = await intake.send(kind, letter.but(body=letter.body[:length]))
        assert (answer.status, answer.error) == (401, "signature")
    assert await intake.stored() == []


@every_sender
async def test_an_unsigned_delivery_is_refused(intake: Intake, kind: str) -> None:
    given = intake.senders[kind]
    answer = await intake.send(kind, given.order().but(without=given.signature_header))
    assert (answer.status, answer.error) == (401, "signature-missing")
    assert await intake.stored() == []
    assert await intake.refused() == {(kind, "signature-missing"): 1}


@every_sender
async def test_a_senseless_signature_is_refused(intake: Intake, kind: str) -> None:
    given = intake.senders[kind]
    letter = given.order()
    for text in ("", "x", "====", "v1,", "sha256=", "é" * 40, "A" * 3_000):
        answer = await intake.send(kind, letter.but({given.signature_header: text}))
        assert answer.status == 401 and answer.error.startswith("signature"), text


@every_sender
async def test_another_connections_secret_is_refused(intake: Intake, kind: str) -> None:
    letter = intake.senders[kind].signed(A_JSON_OBJECT, secret=OTHER_SECRET)
    answer = await intake.send(kind, letter)
    assert (answer.status, answer.error) == (401, "signature")


async def test_a_delivery_from_another_time_is_refused(intake: Intake) -> None:
    for minutes, word in ((-6, "old"), (6, "future"), (-60 * 24 * 365, "old")):
        letter = intake.senders["standard"].signed(A_JSON_OBJECT, now=NOW + timedelta(minutes=minutes))
        answer = await intake.send("standard", letter)
        assert (answer.status, answer.error) == (401, "timestamp")
        assert word in answer.json["message"] and "clock" in answer.json["message"]
    assert await intake.stored() == []
    assert await intake.refused() == {("standard", "timestamp"): 3}


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["forward", "back"])
async def test_a_clock_that_is_set_by_an_hour_refuses_no_signature(intake: Intake, jump: timedelta) -> None:
    """Neither if it is wrong now, nor if it was wrong before; and what is old by both is still refused."""
    intake.hooks._clock = lambda: NOW + jump
    sender = intake.senders["standard"]
    for name, now in (("right before", NOW), ("right now", NOW + jump)):
        assert (await intake.send("standard", sender.signed(A_JSON_OBJECT, name, now=now))).status == 200
    answer = await intake.send("standard", sender.signed(A_JSON_OBJECT, "old", now=NOW + jump / 2))
    assert (answer.status, answer.error) == (401, "timestamp")


async def test_two_secrets_hold_while_one_is_rotated(intake: Intake) -> None:
    both = sender("standard", name="both", secret=f"{OTHER_SECRET} {SECRET}")
    async with intake.at(path=intake.path.with_name("second.db"), senders={"both": both}).open() as second:
        for secret in (SECRET, OTHER_SECRET):
            assert (await second.send("both", both.signed(A_JSON_OBJECT, secret, secret=secret))).status == 200
        stranger = both.signed(A_JSON_OBJECT, secret="whsec_c3RyYW5nZXI=")
        assert (await second.send("both", stranger)).status == 401


async def test_which_of_two_secrets_signed_a_delivery_is_noted(intake: Intake) -> None:
    both = sender("standard", name="both", secret=OTHER_SECRET)
    both.connection.credentials.store({"webhook_secret_previous": SECRET})
    async with intake.at(path=intake.path.with_name("second.db"), senders={"both": both}).open() as second:
        seen = partial(second.ledger.read, lambda rows: signings.find(rows, "both"))
        assert await seen() == signings.Signings()
        assert (await second.send("both", both.signed(A_JSON_OBJECT, "a", secret=SECRET))).status == 200
        assert await seen() == signings.Signings(None, NOW)
        assert (await second.send("both", both.signed(A_JSON_OBJECT, "b", secret=OTHER_SECRET))).status == 200
        assert await seen() == signings.Signings(NOW, NOW)
        both.connection.credentials.store({"webhook_secret_previous": ""})
        assert (await second.send("both", both.signed(A_JSON_OBJECT, "c", secret=SECRET))).status == 401


async def test_the_secret_from_before_is_refused_once_its_time_is_over(intake: Intake) -> None:
    both = sender("standard", name="both", secret=SECRET)
    both.connection.credentials.store(rotated("webhook_secret", OTHER_SECRET, SECRET, NOW + timedelta(hours=24)))
    async with intake.at(path=intake.path.with_name("second.db"), senders={"both": both}).open() as second:
        for name, hours, secret, status in (
            ("a", 23.99, SECRET, 200),
            ("b", 24, SECRET, 401),
            ("c", 24, OTHER_SECRET, 200),
        ):
            now = NOW + timedelta(hours=hours)
            second.hooks._clock = partial(lambda now: now, now)
            letter = both.signed(A_JSON_OBJECT, name, secret=secret, now=now)
            assert (await second.send("both", letter)).status == status, name


async def test_an_end_that_cant_be_read_is_said_and_nothing_is_taken_in(intake: Intake) -> None:
    both = sender("standard", name="both", secret=OTHER_SECRET)
    both.connection.credentials.store(rotated("webhook_secret", OTHER_SECRET, SECRET, NOW))
    both.connection.credentials.store({"webhook_secret_previous_until": "soon"})
    async with intake.at(path=intake.path.with_name("second.db"), senders={"both": both}).open() as second:
        assert (await second.send("both", both.signed(A_JSON_OBJECT, secret=OTHER_SECRET))).status == 503


async def test_a_connection_without_secret_asks_to_come_back(intake: Intake) -> None:
    with capture_logs() as logged:
        answer = await intake.send("unready", intake.senders["standard"].order())
    assert (answer.status, answer.error) == (503, "no-secret")
    assert int(answer.headers["Retry-After"]) > 0
    assert SECRET not in answer.body.decode()
    (line,) = [line for line in logged if line["log_level"] == "error"]
    assert line["connection"] == "unready" and "BELLWIRE_" in line["error"]
    assert "exc_info" not in line
    assert await intake.stored() == []


async def test_an_unknown_connection_is_said_and_its_name_is_not_kept(intake: Intake) -> None:
    paths = ("/hooks/nobody", "/hooks/", "/hooks/standard/x", "/hooks/%00")
    for path in paths:
        answer = await intake.ask(path, "POST", {"Content-Type": "application/json"}, b"{}")
        assert (answer.status, answer.error) == (404, "unknown-connection")
    assert await intake.refused() == {("", "unknown-connection"): len(paths)}


async def test_only_post_is_taken(intake: Intake) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = await intake.send("standard", intake.senders["standard"].order(), method=method)
        assert (answer.status, answer.error, answer.headers["Allow"]) == (405, "method", "POST")
    assert await intake.stored() == []


async def test_something_else_than_json_is_refused(intake: Intake) -> None:
    letter = intake.senders["standard"].signed(A_JSON_OBJECT)
    for content_type in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "🫖"):
        answer = await intake.send("standard", letter.but({"Content-Type": content_type}))
        assert (answer.status, answer.error) == (415, "content-type")
    assert await intake.stored() == []


async def test_json_may_be_called_by_its_other_names(intake: Intake) -> None:
    letter = intake.senders["standard"].signed(A_JSON_OBJECT)
    for content_type in ("application/json; charset=utf-8", "Application/JSON", "text/json"):
        assert (await intake.send("standard", letter.but({"Content-Type": content_type}))).status == 200


NOT_JSON = {
    "empty": b"",
    "spaces": b"  \n",
    "half": b'{"type": "order.paid"',
    "trailing": b"{} {}",
    "single quotes": b"{'type': 1}",
    "a key twice": b'{"total": 1, "total": 2}',
    "a key twice, escaped": b'{"total": 1, "t\\u006ftal": 2}',
    "a key twice, deep inside": b'[{"a": [{"total" : 1, "total"\t:2}]}]',
    "NaN": b'{"total": NaN}',
    "Infinity": b'{"total": -Infinity}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "lists in lists": b"[" * 100_000 + b"]" * 100_000,
    "a thousand lists": b"[" * 1_000 + b"]" * 1_000,
    "a thousand objects": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "six hundred objects": b'{"cvv":' * 600 + b"1" + b"}" * 600,
}


async def test_what_isnt_strict_json_is_refused_and_the_intake_goes_on(intake: Intake) -> None:
    given = intake.senders["standard"]
    answers = {what: await intake.send("standard", given.signed(body)) for what, body in NOT_JSON.items()}
    told = {what: (answer.status, answer.error) for what, answer in answers.items()}
    assert told == dict.fromkeys(NOT_JSON, (400, "malformed"))
    assert not await intake.stored() and not intake.arrived
    assert await intake.refused() == {("standard", "malformed"): len(NOT_JSON)}
    assert (await intake.send("standard", given.order())).status == 200


@pytest.mark.parametrize("shop", SHOPS)
async def test_a_delivery_of_another_shop_with_the_same_secret_is_refused(intake: Intake, shop: str) -> None:
    letter = intake.senders[shop].order()
    named = [name for name in letter.headers if "domain" in name.lower() or "source" in name.lower()]
    stranger = letter.but(dict.fromkeys(named, "https://somebody-else.example/"))
    answer = await intake.send(shop, stranger)
    assert (answer.status, answer.error) == (401, "other-account")
    assert await intake.stored() == []


async def test_card_numbers_are_taken_out_before_anything_is_stored(intake: Intake) -> None:
    body = {"type": "order.paid", "data": {"id": 1, "payment": {"card_number": "4111111111111111", "CVV": 123}}}
    await intake.send("standard", intake.senders["standard"].signed(body))
    _, kept = await intake.payload()
    assert orjson.loads(kept)["data"] == {"id": 1, "payment": {"card_number": "[removed]", "CVV": "[removed]"}}
    on_disk = b"".join(path.read_bytes() for path in intake.path.parent.iterdir())
    assert b"4111111111111111" not in on_disk
    ((_, handed_on),) = intake.arrived
    assert handed_on.body == kept and handed_on.json == orjson.loads(kept)


async def test_credentials_in_headers_are_not_stored(intake: Intake) -> None:
    secret_headers = {"Authorization": "Bearer hush", "Cookie": "session=hush", "Proxy-Authorization": "hush"}
    letter = intake.senders["standard"].signed(A_JSON_OBJECT).but(secret_headers | {"X-Told": "kept"})
    await intake.send("standard", letter)
    headers, _ = await intake.payload()
    assert headers["x-told"] == "kept"
    assert "hush" not in str(headers)


async def test_the_public_address_is_kept_for_schemes_that_sign_it(intake: Intake) -> None:
    letter = intake.senders["standard"].signed(A_JSON_OBJECT)
    answer = await intake.ask("/hooks/standard?store=1", "POST", letter.headers, letter.body)
    assert answer.status == 200
    ((_, delivery),) = intake.arrived
    assert delivery.url == "https://hooks.example.com/hooks/standard?store=1"


async def test_a_handshake_is_answered_and_nothing_is_stored(intake: Intake) -> None:
    """Shops that test the address when a webhook is switched on do it unsigned, by a form."""
    form = Letter({"Content-Type": "application/x-www-form-urlencoded"}, b"webhook_id=7")
    answers = {kind: await intake.send(kind, form) for kind in SENDERS}
    greeted = [kind for kind, answer in answers.items() if answer.status == 200]
    assert greeted == [kind for kind in SHOPS if kind in greeted] != []
    assert not await intake.stored() and not intake.arrived


async def test_a_sender_that_wants_to_read_something_reads_it_beside_our_answer(narrow: Callable[..., Intake]) -> None:
    plain = sender("standard")
    connector = plain.connection.connector
    manifest = replace(connector.manifest, webhook_reply={"type": "message", "text": "Accepted."})
    talking = Sender(replace(plain.connection, connector=replace(connector, manifest=manifest)))
    async with narrow(senders={"standard": talking}).open() as intake:
        answers = [await intake.send("standard", talking.order()) for _ in range(2)]
    assert [answer.json for answer in answers] == [
        {"delivery": 1, "duplicate": repeated, "type": "message", "text": "Accepted."} for repeated in (False, True)
    ]


async def test_a_sender_that_reads_no_json_reads_what_its_connector_says(narrow: Callable[..., Intake]) -> None:
    plain = sender("standard")
    connector = plain.connection.connector
    manifest = replace(connector.manifest, webhook_reply=FixedReply(b"<Response/>", "text/xml"))
    silent = Sender(replace(plain.connection, connector=replace(connector, manifest=manifest)))
    async with narrow(senders={"standard": silent}).open() as intake:
        answer = await intake.send("standard", silent.order())
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"<Response/>", "text/xml")


async def test_a_mention_in_a_team_is_taken_and_its_signature_is_not_stored(narrow: Callable[..., Intake]) -> None:
    """It is in the header that carries credentials elsewhere."""
    team = TeamsSimulator()
    chat = Sender(connection("teams", name="chat", credentials=team.credentials))
    webhook = team.mention("stock TEA-100", at=NOW)
    late = team.mention("stock TEA-100", at=NOW - timedelta(minutes=6))
    async with narrow(senders={"chat": chat}).open() as intake:
        taken = await intake.send("chat", Letter(webhook.headers, webhook.body))
        refused = await intake.send("chat", Letter(late.headers, late.body))
        headers, body = await intake.payload()
    assert (taken.status, taken.json["type"], taken.json["text"]) == (200, "message", "Accepted.")
    assert (refused.status, refused.error) == (401, "timestamp")
    assert body == webhook.body and "authorization" not in headers


async def test_a_token_in_the_address_lets_in_and_is_kept_nowhere(narrow: Callable[..., Intake]) -> None:
    plain = sender("standard")
    connector = plain.connection.connector
    manifest = replace(connector.manifest, webhook=AddressToken())
    erp = Sender(replace(plain.connection, connector=replace(connector, manifest=manifest)))
    letter = Letter({"Content-Type": "application/json"}, A_JSON_OBJECT)
    with capture_logs() as logged:
        async with narrow(senders={"standard": erp}).open() as intake:
            refused = await intake.send("standard?token=wrong", letter)
            without = await intake.send("standard", letter)
            taken = await intake.send(f"standard?a=b&token={SECRET}", letter)
            rows = await intake.ledger.read(lambda rows: rows.all("SELECT headers, url, body FROM payloads"))
    assert (refused.status, refused.error) == (401, "signature")
    assert (without.status, without.error) == (401, "signature-missing")
    assert taken.status == 200
    ((_, delivery),) = intake.arrived
    assert delivery.url == "https://hooks.example.com/hooks/standard?a=b"
    assert SECRET not in f"{rows} {delivery} {logged} {refused.body!r}"


async def test_refusals_that_cant_be_counted_now_are_counted_later(narrow: Callable[..., Intake]) -> None:
    async with narrow().open() as intake:
        await intake.send("standard", Letter({}, b"{}"))
        sqlite_of(intake.ledger)._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(LedgerBusy):
            await intake.hooks.count()
        sqlite_of(intake.ledger)._connection.execute("PRAGMA query_only = OFF")
        assert await intake.refused() == {("standard", "signature-missing"): 1}


async def test_refusals_add_up(intake: Intake) -> None:
    for _ in range(2):
        await intake.send("standard", Letter({}, b"{}"))
        await intake.refused()
    assert await intake.refused() == {("standard", "signature-missing"): 2}


async def test_a_vendor_that_wants_to_hear_nothing_gets_the_status_alone(narrow: Callable[..., Intake]) -> None:
    """Xero, which tries an address with right and wrong signatures, and switches off what doesn't answer so."""
    xero = Xero()
    hook = connection("xero", name="ledger", settings=xero.settings, credentials=xero.credentials)
    right, wrong = (Letter(sent.headers, sent.body) for sent in xero.intent_to_receive())
    async with narrow(senders={"ledger": Sender(hook)}).open() as intake:
        answers = [await intake.send("ledger", letter) for letter in (right, wrong, right)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b""), (401, b""), (200, b"")]
    assert not any("set-cookie" in answer.headers for answer in answers)
