"""Sign-ins that are sessions: cookies that come of a login go with every call, until the vendor has ended them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from bellwire.connectors.kit import Answer, SessionLogin
from bellwire.connectors.kit.http import Api
from bellwire.errors import MissingCredential, OutcomeUnknown, SignedOut, Transient, VendorError
from tests.connecting import Secrets
from tests.connectors.kit.acme import Acme, Reply, lost, reply
from tests.samples import NOW

SESSION = SessionLogin(
    "Login", "Logout", {"UserName": "user", "Password": "password"}, ("SESSION", "ROUTE"), timedelta(minutes=20)
)


@pytest.fixture
async def acme() -> AsyncIterator[Acme]:
    async with Acme() as vendor:
        yield vendor


def signed_up() -> Secrets:
    return Secrets({"user": "api", "password": "s3cret"})


def opened(acme: Acme) -> Api:
    return acme.connection(SESSION, signed_up(), root="/b1").api


def login(session: str = "one", **more: str) -> Reply:
    async def answer(_: web.Request) -> web.Response:
        response = web.json_response({"SessionId": session})
        response.set_cookie("SESSION", session, path="/b1", httponly=True)
        response.set_cookie("ROUTE", ".node1")
        response.set_cookie("OTHER", "x")
        for name, value in more.items():
            response.set_cookie(name, value)
        return response

    return answer


async def test_the_first_call_logs_in_and_its_cookies_go_with_every_call(acme: Acme) -> None:
    acme.script = [login()]
    api = opened(acme)
    await api.get("things")
    await api.post("things", {"name": "Tea"})
    assert list(acme.paths()) == ["/b1/Login", "/b1/things", "/b1/things"]
    assert json.loads(acme.seen[0].body) == {"UserName": "api", "Password": "s3cret"}
    assert "Cookie" not in acme.seen[0].headers
    assert [seen.headers["Cookie"] for seen in acme.seen[1:]] == ["SESSION=one; ROUTE=.node1"] * 2


async def test_a_vendor_with_one_node_sets_no_route(acme: Acme) -> None:
    acme.script = [reply(200, {}, Set_Cookie="SESSION=one;HttpOnly;")]
    await opened(acme).get("things")
    assert acme.seen[1].headers["Cookie"] == "SESSION=one"


async def test_a_session_that_the_vendor_ended_is_made_anew_and_the_request_sent_again(acme: Acme) -> None:
    acme.script = [login(), reply(), reply(401), login("two"), reply(200, {"ok": 1})]
    api = opened(acme)
    await api.get("things")
    assert (await api.post("things", {"n": 1})).json() == {"ok": 1}
    assert list(acme.paths())[2:] == ["/b1/things", "/b1/Login", "/b1/things"]
    assert acme.seen[2].body == acme.seen[4].body
    assert acme.seen[4].headers["Cookie"].startswith("SESSION=two;")


async def test_what_the_vendor_says_of_it_in_words_of_its_own_counts_too(acme: Acme) -> None:
    def explain(answer: Answer) -> VendorError | None:
        return SignedOut("The session is over.") if b"301" in answer.body else None

    acme.script = [login(), reply(400, {"error": {"code": "301"}}), login("two"), reply()]
    await acme.connection(SESSION, signed_up(), explain=explain).api.get("things")
    assert [seen.url for seen in acme.seen] == ["/Login", "/things", "/Login", "/things"]


async def test_a_new_session_that_is_refused_too_is_the_end(acme: Acme) -> None:
    acme.script = [login(), reply(401), login("two"), reply(401)]
    with pytest.raises(SignedOut):
        await opened(acme).get("things")
    assert len(acme.seen) == 4


async def test_many_callers_log_in_once(acme: Acme) -> None:
    acme.script = [login()]
    api = opened(acme)
    await asyncio.gather(*(api.get("things") for _ in range(20)))
    assert list(acme.paths()).count("/b1/Login") == 1


async def test_many_callers_whose_session_ended_log_in_once(acme: Acme) -> None:
    """Also the one that hears of it last: it must not end the session that the others have just got."""

    async def vendor(request: web.Request) -> web.Response:
        if request.path == "/b1/Login":
            return await login("two")(request)
        if request.query.get("slow"):
            await asyncio.sleep(0.05)
        return web.Response(status=200 if request.cookies["SESSION"] == "two" else 401)

    acme.script = [login(), reply(), *[vendor] * 50]
    api = opened(acme)
    await api.get("things")
    await asyncio.gather(*(api.get("things", params={"slow": "1"} if n < 3 else {}) for n in range(8)))
    assert list(acme.paths()).count("/b1/Login") == 2


async def test_one_that_lay_idle_is_made_anew_before_the_vendor_refuses_it(acme: Acme) -> None:
    now = NOW
    acme.script = [login(), reply(), reply(), login("two"), reply()]
    api = opened(acme)
    api.sign_in._clock = lambda: now
    await api.get("things")
    now += timedelta(minutes=19)
    await api.get("things")
    now += timedelta(minutes=20)
    await api.get("things")
    assert list(acme.paths()).count("/b1/Login") == 2
    assert acme.seen[-1].headers["Cookie"].startswith("SESSION=two;")


async def test_credentials_that_are_not_accepted_are_signed_out(acme: Acme) -> None:
    acme.script = [reply(401, {"error": {"code": 100000027}})]
    with pytest.raises(SignedOut, match="connection 'books'") as caught:
        await opened(acme).post("things", {})
    assert "bellwire secrets set books" in caught.value.remedy
    assert len(acme.seen) == 1


async def test_without_credentials_nothing_is_sent(acme: Acme) -> None:
    with pytest.raises(MissingCredential):
        await acme.connection(SESSION).api.get("things")
    assert acme.seen == []


@pytest.mark.parametrize("step", [reply(500), reply(200, b"<html>"), lost])
async def test_a_login_that_fails_is_transient_even_for_a_write(acme: Acme, step: Reply) -> None:
    acme.script = [step] * 2
    with pytest.raises(Transient):
        await opened(acme).post("things", {})


async def test_a_write_whose_answer_is_lost_is_not_sent_again_for_a_new_session(acme: Acme) -> None:
    acme.script = [login(), lost]
    with pytest.raises(OutcomeUnknown):
        await opened(acme).post("things", {})
    assert list(acme.paths()) == ["/b1/Login", "/b1/things"]


async def test_it_is_logged_out_of_in_the_end_once(acme: Acme) -> None:
    acme.script = [login()]
    api = opened(acme)
    await api.get("things")
    await api.close()
    await api.close()
    assert list(acme.paths()) == ["/b1/Login", "/b1/things", "/b1/Logout"]
    assert acme.seen[2].headers["Cookie"] == "SESSION=one; ROUTE=.node1"


async def test_a_vendor_that_is_gone_holds_nobody_up(acme: Acme) -> None:
    acme.script = [login(), reply(), lost]
    api = opened(acme)
    await api.get("things")
    await api.close()
    assert list(acme.paths())[-1] == "/b1/Logout"


async def test_where_nothing_was_asked_there_is_nothing_to_log_out_of(acme: Acme) -> None:
    await opened(acme).close()
    assert acme.seen == []
