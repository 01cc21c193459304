"""What every answer, and every missing one, means."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bellwire.connectors.kit import (
    Answer,
    Auth,
    Basic,
    Bearer,
    ClientCredentials,
    HeaderToken,
    Limit,
    NoAuth,
    OAuth2,
    SignedGrant,
)
from bellwire.errors import (
    MissingCredential,
    OutcomeUnknown,
    Refused,
    SignedOut,
    Transient,
    VendorError,
)
from tests.connecting import Secrets
from tests.connectors.kit.acme import Acme, lost, reply
from tests.samples import NOW


@pytest.fixture
async def acme() -> AsyncIterator[Acme]:
    async with Acme() as vendor:
        yield vendor


# Statuses

TABLE: list[tuple[int, type[VendorError], type[VendorError]]] = [
    # status, of a read, of a write
    (301, Refused, Refused),
    (400, Refused, Refused),
    (401, SignedOut, SignedOut),
    (403, Refused, Refused),
    (404, Refused, Refused),
    (408, Transient, OutcomeUnknown),
    (409, Refused, Refused),
    (422, Refused, Refused),
    (425, Transient, Transient),
    (429, Transient, Transient),
    (500, Transient, OutcomeUnknown),
    (502, Transient, OutcomeUnknown),
    (503, Transient, OutcomeUnknown),
    (504, Transient, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "error"), [(status, error) for status, error, _ in TABLE])
async def test_a_read_with_each_status(acme: Acme, status: int, error: type[VendorError]) -> None:
    acme.script = [reply(status, {"message": "no"}, Location="/elsewhere")]
    await fails(acme, "GET", error, status)


@pytest.mark.parametrize(("status", "error"), [(status, error) for status, _, error in TABLE])
async def test_a_write_with_each_status(acme: Acme, status: int, error: type[VendorError]) -> None:
    acme.script = [reply(status, {"message": "no"}, Location="/elsewhere")]
    await fails(acme, "POST", error, status)


async def fails(acme: Acme, method: str, error: type[VendorError], status: int) -> None:
    with pytest.raises(VendorError) as caught:
        await acme.connection().api.request(method, "things", json={} if method == "POST" else None)
    assert type(caught.value) is error
    assert caught.value.sentence.startswith("Acme ")
    assert caught.value.detail == f'{method} things: {status} {{"message":"no"}}'
    assert caught.value.cause
    assert len(acme.seen) == 1


async def test_a_post_that_only_reads_is_safe_to_repeat(acme: Acme) -> None:
    acme.script = [reply(500), lost, lost, reply(200, b"<html>")]
    api = acme.connection().api
    for _ in range(2):
        with pytest.raises(Transient):
            await api.request("POST", "query", json={}, writes=False)
    with pytest.raises(Transient, match="wasn't JSON"):
        (await api.request("POST", "query", json={}, writes=False)).json()


async def test_what_only_reads_is_asked_once_more_when_the_line_breaks_off(acme: Acme) -> None:
    acme.script = [lost, reply(200, b"{}")]
    assert (await acme.connection().api.get("things")).json() == {}
    assert len(acme.seen) == 2


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
async def test_what_writes_is_sent_once_though_its_answer_is_lost(acme: Acme, method: str) -> None:
    acme.script = [lost, reply(200, b"{}")]
    with pytest.raises(OutcomeUnknown):
        await acme.connection().api.request(method, "things", json={})
    assert len(acme.seen) == 1


async def test_what_the_vendor_announces_is_remembered(acme: Acme) -> None:
    told = {"Deprecation": "@1767225600", "Sunset": "Thu, 31 Dec 2026 23:59:59 GMT", "Acme-Change": "v3"}
    acme.script = [reply(200, b"{}", Acme_Version="1", **told), reply(200, b"{}", Acme_Version="2")]
    api = acme.connection(api_version="2", version_echo="Acme-Version", notices=("Acme-Change",)).api
    await api.get("things")
    assert api.notices == told | {"Acme-Version": "1 was used instead of 2"}
    await api.get("things")
    assert api.notices == told | {"Acme-Version": "1 was used instead of 2"}


async def test_an_answer_that_isnt_json_leaves_a_write_open(acme: Acme) -> None:
    acme.script = [reply(200, b"<html>Maintenance"), reply(200, b"<html>Maintenance")]
    api = acme.connection().api
    with pytest.raises(OutcomeUnknown, match="maintenance page"):
        (await api.post("things", {})).json()
    with pytest.raises(Transient, match="maintenance page"):
        (await api.get("things")).json()


async def test_the_vendors_own_reading_comes_first(acme: Acme) -> None:
    def explain(answer: Answer) -> VendorError | None:
        return Refused("No such SKU.", cause="unknown-sku") if b"sku" in answer.body else None

    acme.script = [reply(200, {"error": "sku"}), reply(404, {"error": "sku"}), reply(404)]
    api = acme.connection(explain=explain).api
    causes = []
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            await api.get("things")
        causes.append(caught.value.cause)
    assert causes == ["unknown-sku", "unknown-sku", "refused-404"]


# Waiting


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0", 0), ("soon", None), ("", None), ("-3", None), ("1.5", None)]
)
def test_retry_after_in_seconds(value: str, seconds: int | None) -> None:
    answer = Answer(429, {"retry-after": value}, b"", "GET", "things")
    assert answer.retry_after == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_as_a_date() -> None:
    def after(length: timedelta) -> timedelta | None:
        date = format_datetime(datetime.now(UTC) + length, usegmt=True)
        return Answer(503, {"retry-after": date}, b"", "GET", "things").retry_after

    ahead = after(timedelta(seconds=90))
    assert ahead is not None and timedelta(seconds=85) < ahead <= timedelta(seconds=90)
    assert after(timedelta(seconds=-90)) == timedelta()


@pytest.mark.parametrize(("method", "status"), [("GET", 429), ("POST", 429), ("GET", 503), ("POST", 503)])
async def test_a_vendor_that_asks_for_a_pause_gets_it(acme: Acme, method: str, status: int) -> None:
    acme.script = [reply(status, Retry_After="60")]
    api = acme.connection().api
    with pytest.raises(VendorError):
        await api.request(method, "things")
    assert timedelta(seconds=55) < api.gate.paused_for <= timedelta(seconds=60)


@pytest.mark.parametrize(("method", "writes"), [("GET", None), ("POST", False)])
async def test_what_only_reads_waits_for_the_pause_and_asks_again(acme: Acme, method: str, writes: bool | None) -> None:
    acme.script = [reply(429, Retry_After="1"), reply(200, {"page": 7})]
    began = time.monotonic()
    answer = await acme.connection().api.request(method, "things", params={"cursor": "6"}, writes=writes)
    assert answer.json() == {"page": 7}
    assert time.monotonic() - began > 0.9
    assert [*acme.paths()] == ["/things?cursor=6"] * 2


async def test_nothing_waits_longer_than_the_time_out_for_a_vendor_that_asks_for_patience_again_and_again(
    acme: Acme,
) -> None:
    acme.script = [reply(429, Retry_After="1")] * 5
    began = time.monotonic()
    with pytest.raises(Transient, match="asked to slow down"):
        await acme.connection(timeout=timedelta(seconds=2)).api.get("things")
    assert time.monotonic() - began < 5
    assert len(acme.seen) == 3


async def test_a_request_names_what_its_limit_counts_it_by(acme: Acme) -> None:
    limit = Limit(1, timedelta(minutes=1), of="post", apart=True)
    api = acme.connection(limits=(limit,)).api
    for channel in ("packing", "orders"):
        await asyncio.wait_for(api.post("post", {}, paced_by=channel), 30)
    await asyncio.wait_for(api.get("read"), 30)
    waiting = asyncio.create_task(api.post("post", {}, paced_by="orders"))
    await asyncio.sleep(0)
    assert api.gate.waiting == 1
    waiting.cancel()


async def test_a_pause_longer_than_the_time_out_holds_no_worker(acme: Acme) -> None:
    api = acme.connection(timeout=timedelta(seconds=1)).api
    api.gate.pause(timedelta(seconds=60))
    with pytest.raises(Transient, match="asked to slow down") as caught:
        await api.get("things")
    assert caught.value.retry_after is not None and caught.value.retry_after > timedelta(seconds=55)
    assert acme.seen == []


async def test_quota_headers_are_heeded(acme: Acme) -> None:
    acme.script = [reply(200, X_Remaining="0", X_Reset="60")]
    limit = Limit(100, timedelta(minutes=1), remaining="X-Remaining", resets_in="X-Reset")
    api = acme.connection(limits=(limit,)).api
    await api.get("things")
    assert api.gate.paused_for > timedelta(seconds=55)


async def test_no_more_requests_at_once_than_the_manifest_says(acme: Acme) -> None:
    at_once, most = 0, 0

    async def busy(_: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return web.Response()

    acme.script = [busy] * 12
    api = acme.connection(parallel=3).api
    await asyncio.gather(*(api.get("things") for _ in range(12)))
    assert most == 3


# Connections that fail


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_vendor_that_cant_be_reached_did_nothing(acme: Acme, method: str) -> None:
    with pytest.raises(Transient, match="Acme can't be reached") as caught:
        await acme.connection(base_url="http://127.0.0.1:9").api.request(method, "things")
    assert caught.value.cause == "unreachable"


@pytest.mark.parametrize(("method", "error"), [("GET", Transient), ("POST", OutcomeUnknown), ("PUT", OutcomeUnknown)])
async def test_a_lost_answer(acme: Acme, method: str, error: type[VendorError]) -> None:
    # aiohttp itself repeats once what HTTP calls idempotent (RFC 9110, 9.2.2), when the connection breaks.
    acme.script = [lost, lost]
    with pytest.raises(error, match="broke off before it answered"):
        await acme.connection().api.request(method, "things")
    assert method != "POST" or len(acme.seen) == 1


@pytest.mark.parametrize(("method", "error"), [("GET", Transient), ("POST", OutcomeUnknown)])
async def test_an_answer_that_takes_too_long(acme: Acme, method: str, error: type[VendorError]) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response()

    acme.script = [slow]
    with pytest.raises(error, match="didn't answer in time"):
        await acme.connection(timeout=timedelta(seconds=0.2)).api.request(method, "things")


async def test_half_an_answer_is_none(acme: Acme) -> None:
    async def half(request: web.Request) -> web.Response:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        request.transport.close()
        return web.Response()

    acme.script = [half]
    with pytest.raises(OutcomeUnknown):
        await acme.connection().api.post("things", {})


# What is sent


async def test_a_request_carries_what_the_manifest_pins(acme: Acme) -> None:
    api = acme.connection(root="/v2/company", headers={"X-Version": "2026-07"}, params={"minor": "75", "page": "1"}).api
    await api.post("things", {"name": "Tea"}, params={"page": "2"}, headers={"Idempotency-Key": "k"})
    await api.get("/oauth/me")
    await api.request("DELETE", "things/1", body=b"raw")
    first, second, third = acme.seen
    assert (first.method, first.url, first.body) == (
        "POST",
        "/v2/company/things?minor=75&page=2",
        '{"name":"Tea"}',
    )
    assert first.headers["Content-Type"] == "application/json"
    assert (first.headers["X-Version"], first.headers["Idempotency-Key"]) == ("2026-07", "k")
    assert second.url == "/oauth/me?minor=75&page=1"
    assert (third.method, third.body) == ("DELETE", "raw")


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (HeaderToken("X-Token"), "X-Token", "t0k"),
        (Bearer(), "Authorization", "Bearer t0k"),
        (Basic("user", "password"), "Authorization", "Basic " + base64.b64encode("ü:pä".encode()).decode()),
        (OAuth2("https://id.example/token"), "Authorization", "Bearer t0k"),
        (ClientCredentials("https://id.example/token"), "Authorization", "Bearer t0k"),
        (SignedGrant("https://id.example/token"), "Authorization", "Bearer t0k"),
        (ClientCredentials("https://id.example/token", header="X-Token", prefix=""), "X-Token", "t0k"),
    ],
)
async def test_each_way_to_sign_in(acme: Acme, auth: Auth, header: str, value: str) -> None:
    secrets = Secrets({"access_token": "t0k", "user": "ü", "password": "pä"})
    await acme.connection(auth, secrets).api.get("things")
    assert acme.seen[0].headers[header] == value


@pytest.mark.parametrize(
    "auth",
    [
        HeaderToken("X"),
        Bearer(),
        Basic("u", "p"),
        OAuth2("https://x/t"),
        ClientCredentials("https://x/t"),
        SignedGrant("https://x/t"),
    ],
)
async def test_without_credentials_nothing_is_sent(acme: Acme, auth: Auth) -> None:
    with pytest.raises(MissingCredential):
        await acme.connection(auth).api.get("things")
    assert acme.seen == []


async def test_where_there_is_nothing_to_sign_in_to_no_header_is_sent(acme: Acme) -> None:
    await acme.connection(NoAuth()).api.get("things")
    assert "Authorization" not in acme.seen[0].headers


@pytest.mark.parametrize("auth", [NoAuth(), Bearer(), OAuth2("https://id.example/token")])
async def test_a_401_names_the_connection_and_the_way_out(acme: Acme, auth: Auth) -> None:
    acme.script = [reply(401)]
    with pytest.raises(SignedOut, match="connection 'books'") as caught:
        await acme.connection(auth, Secrets({"access_token": "old"})).api.get("things")
    assert "bellwire secrets set books" in caught.value.remedy
    assert len(acme.seen) == 1


# Tokens that end

OAUTH = OAuth2("https://id.example/oauth/token")
CLIENT = ClientCredentials("https://id.example/oauth/token")


def signed_up(**more: str) -> Secrets:
    return Secrets({"client_id": "id", "client_secret": "se:cret", "refresh_token": "r1", **more})


def ends_in(length: timedelta) -> str:
    return (NOW + length).isoformat()


def token(access: str = "a2", **more: object) -> dict[str, object]:
    return {"access_token": access, "token_type": "bearer", "expires_in": 3600, **more}


async def test_a_token_is_renewed_ahead_of_its_end(acme: Acme) -> None:
    secrets = signed_up(access_token="a1", access_token_expires_at=ends_in(timedelta(minutes=4)))
    acme.script = [reply(200, token(refresh_token="r2"))]
    await acme.connection(OAUTH, secrets).api.get("things")
    asked, used = acme.seen
    assert (asked.method, asked.url) == ("POST", "/oauth/token")
    assert parse_qs(asked.body) == {"grant_type": ["refresh_token"], "refresh_token": ["r1"]}
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"id:se:cret").decode()
    assert used.headers["Authorization"] == "Bearer a2"
    assert secrets.values["refresh_token"] == "r2"
    assert secrets.values["access_token_expires_at"] == ends_in(timedelta(hours=1))


async def test_a_token_endpoint_that_wants_json_gets_it_and_may_say_when_the_token_ends(acme: Acme) -> None:
    secrets, auth = signed_up(), OAuth2("https://id.example/token", client_auth_basic=False, json=True)
    acme.script = [reply(200, {"access_token": "a2", "expires_at": "2026-12-24T09:30:00Z"})]
    await acme.connection(auth, secrets).api.get("things")
    wanted = {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "id", "client_secret": "se:cret"}
    assert (json.loads(acme.seen[0].body), acme.seen[0].headers["Content-Type"]) == (wanted, "application/json")
    assert secrets.values["access_token_expires_at"] == "2026-12-24T09:30:00+00:00"


async def test_a_token_with_time_left_is_used(acme: Acme) -> None:
    secrets = signed_up(access_token="a1", access_token_expires_at=ends_in(timedelta(minutes=6)))
    await acme.connection(OAUTH, secrets).api.get("things")
    assert [request.headers["Authorization"] for request in acme.seen] == ["Bearer a1"]


async def test_the_first_token_is_bought(acme: Acme) -> None:
    secrets = Secrets({"client_id": "id", "client_secret": "s&cret"})
    acme.script = [reply(200, token())]
    await acme.connection(CLIENT, secrets).api.get("things")
    form = {"grant_type": ["client_credentials"], "client_id": ["id"], "client_secret": ["s&cret"]}
    assert parse_qs(acme.seen[0].body) == form
    assert acme.seen[1].headers["Authorization"] == "Bearer a2"


async def test_a_no_of_the_token_endpoint_is_heard_whatever_its_status(acme: Acme) -> None:
    acme.script = [reply(200, {"ok": False, "error": "invalid_refresh_token"})]
    with pytest.raises(SignedOut):
        await acme.connection(OAUTH, signed_up()).api.get("things")
    acme.script = [reply(200, ["error"])]
    with pytest.raises(Transient):
        await acme.connection(OAUTH, signed_up()).api.get("things")


async def test_what_a_token_is_for_is_said_where_the_vendor_wants_to_know(acme: Acme) -> None:
    acme.script = [reply(200, token())]
    auth = ClientCredentials("https://id.example/oauth/token", scope="read write")
    await acme.connection(auth, Secrets({"client_id": "id", "client_secret": "s"})).api.get("things")
    assert parse_qs(acme.seen[0].body)["scope"] == ["read write"]


OLDER = ClientCredentials("https://id.example/oauth/token", instead=Basic("user", "password"))


async def test_an_older_way_to_sign_in_is_for_those_that_have_no_other(acme: Acme) -> None:
    older = {"user": "u", "password": "p"}
    await acme.connection(OLDER, Secrets(older)).api.get("things")
    acme.script = [reply(200, token())]
    await acme.connection(OLDER, Secrets({"client_id": "id", "client_secret": "s", **older})).api.get("things")
    basic, asked, used = acme.seen
    assert basic.headers["Authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert (asked.url, used.headers["Authorization"]) == ("/oauth/token", "Bearer a2")


async def test_an_older_way_that_is_refused_is_not_tried_again(acme: Acme) -> None:
    acme.script = [reply(401)]
    with pytest.raises(SignedOut):
        await acme.connection(OLDER, Secrets({"user": "u", "password": "p"})).api.get("things")
    assert len(acme.seen) == 1


async def test_where_the_client_signs_in_by_basic_its_secret_is_not_in_the_form(acme: Acme) -> None:
    acme.script = [reply(200, token())]
    auth = ClientCredentials("https://id.example/oauth/token", client_auth_basic=True)
    await acme.connection(auth, Secrets({"client_id": "id", "client_secret": "s&cret"})).api.get("things")
    assert acme.seen[0].headers["Authorization"] == "Basic " + base64.b64encode(b"id:s&cret").decode()
    assert parse_qs(acme.seen[0].body) == {"grant_type": ["client_credentials"]}


@pytest.mark.parametrize("auth", [OAUTH, CLIENT])
async def test_what_a_token_may_be_used_for_is_kept_where_it_is_told(acme: Acme, auth: Auth) -> None:
    secrets = signed_up(access_token="a1", access_token_expires_at=ends_in(timedelta(0)))
    acme.script = [reply(200, token(scope="read write"))]
    await acme.connection(auth, secrets).api.get("things")
    assert secrets.values["granted_scopes"] == "read write"


async def test_a_rotated_token_is_stored_before_it_is_used(acme: Acme) -> None:
    """Or a crash in between would lose the only refresh token that still counts."""
    secrets = signed_up()
    stored_by_then: list[str] = []

    async def use(request: web.Request) -> web.Response:
        stored_by_then.append(secrets.values["refresh_token"])
        return web.Response()

    acme.script = [reply(200, token(refresh_token="r2")), use]
    await acme.connection(OAUTH, secrets).api.get("things")
    assert stored_by_then == ["r2"]


@pytest.mark.parametrize("auth", [OAUTH, CLIENT])
async def test_many_callers_renew_once(acme: Acme, auth: Auth) -> None:
    secrets = signed_up(access_token="a1", access_token_expires_at=ends_in(timedelta(0)))
    acme.script = [reply(200, token(refresh_token="r2"))]
    api = acme.connection(auth, secrets).api
    await asyncio.gather(*(api.get("things") for _ in range(20)))
    assert list(acme.paths()).count("/oauth/token") == 1
    assert secrets.stored == 1
    assert {r.headers["Authorization"] for r in acme.seen if r.url == "/things"} == {"Bearer a2"}


async def test_many_callers_that_are_refused_renew_once(acme: Acme) -> None:
    """Also the one that hears of it last: it must not take the token away that the others have just got."""
    secrets = signed_up(access_token="a1")
    valid = "a2"

    async def vendor(request: web.Request) -> web.Response:
        if request.path == "/oauth/token":
            return web.json_response(token(valid, refresh_token="r2"))
        if request.query.get("slow"):
            await asyncio.sleep(0.1)
        return web.Response(status=200 if request.headers["Authorization"] == f"Bearer {valid}" else 401)

    acme.script = [vendor] * 50
    api = acme.connection(OAUTH, secrets).api
    await asyncio.gather(*(api.get("things", params={"slow": "1"} if n < 3 else {}) for n in range(8)))
    assert list(acme.paths()).count("/oauth/token") == 1


async def test_a_refused_token_is_renewed_and_the_request_sent_again(acme: Acme) -> None:
    acme.script = [reply(401), reply(200, token()), reply(200, {"ok": 1})]
    answer = await acme.connection(OAUTH, signed_up(access_token="a1")).api.post("things", {"n": 1})
    assert answer.json() == {"ok": 1}
    assert [request.url for request in acme.seen] == ["/things", "/oauth/token", "/things"]
    assert acme.seen[0].body == acme.seen[2].body


async def test_a_new_token_that_is_refused_too_is_the_end(acme: Acme) -> None:
    acme.script = [reply(401), reply(200, token()), reply(401)]
    with pytest.raises(SignedOut):
        await acme.connection(OAUTH, signed_up(access_token="a1")).api.get("things")
    assert len(acme.seen) == 3


@pytest.mark.parametrize(("status", "body"), [(400, {"error": "invalid_grant"}), (401, {"error": "invalid_client"})])
async def test_a_refresh_that_is_refused_is_signed_out(acme: Acme, status: int, body: dict[str, str]) -> None:
    acme.script = [reply(status, body)]
    with pytest.raises(SignedOut, match="connection 'books'") as caught:
        await acme.connection(OAUTH, signed_up()).api.post("things", {})
    assert body["error"] in caught.value.detail
    assert len(acme.seen) == 1


async def test_a_refresh_token_that_another_process_used_up_is_no_sign_out(acme: Acme) -> None:
    secrets = signed_up()

    async def meanwhile(_: web.Request) -> web.Response:
        secrets.store({"refresh_token": "r2", "access_token": "theirs"})
        return web.json_response({"error": "invalid_grant"}, status=400)

    acme.script = [meanwhile]
    await acme.connection(OAUTH, secrets).api.get("things")
    assert acme.seen[1].headers["Authorization"] == "Bearer theirs"


@pytest.mark.parametrize(
    "step", [reply(500), reply(429, Retry_After="3"), reply(200, b"<html>"), reply(200, {"error": "x"}), lost]
)
async def test_a_token_endpoint_that_fails_is_transient_even_for_a_write(acme: Acme, step: object) -> None:
    acme.script = [step]  # type: ignore[list-item]
    with pytest.raises(Transient):
        await acme.connection(OAUTH, signed_up()).api.post("things", {})
    assert len(acme.seen) == 1


async def test_the_vendors_own_token_endpoint_is_asked_where_nothing_overrides_it(acme: Acme) -> None:
    acme.script = [reply(200, token())]
    auth = OAuth2(f"{acme.url}/elsewhere/token", client_auth_basic=False)
    await acme.connection(auth, signed_up(), base_url="").api.get("things")
    assert next(acme.paths()) == "/elsewhere/token"
    assert parse_qs(acme.seen[0].body)["client_secret"] == ["se:cret"]


# Addresses


async def test_a_whole_address_is_called_as_it_is_unless_the_connection_has_one_of_its_own(acme: Acme) -> None:
    """So that what a vendor gives as an address can be asked of its practice server."""
    await acme.connection(base_url="").api.post(f"{acme.url}/flows/1", {}, params={"sig": "x"})
    await acme.connection(base_url=f"{acme.url}/practice").api.post("https://acme.example/flows/1", {})
    assert list(acme.paths()) == ["/flows/1?sig=x", "/practice/flows/1"]


async def test_of_a_whole_address_only_the_path_is_told_and_nothing_of_a_query(acme: Acme) -> None:
    """It may hold a secret."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"nonsense\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        api = acme.connection(base_url="").api
        with pytest.raises(OutcomeUnknown) as caught:
            await api.post(f"http://127.0.0.1:{port}/flows/1", {}, params={"sig": "hush"})
    assert caught.value.detail.startswith("POST /flows/1: ClientResponseError ")
    assert "hush" not in caught.value.detail and "127.0.0.1" not in caught.value.detail
