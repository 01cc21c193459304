"""Connections by the API: how each is, tried and mended; no secret comes out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bellwire.access import Right, issue_token
from bellwire.ledger import deliveries, polls
from tests.cli.desk import AcmeDesk
from tests.desk.story import Place
from tests.desk.vendors import NEW, OLD, at_vendors, send

Asked = tuple[int, Any]


class Program:
    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self.place = place
        self._session = session
        self.told = ""
        """All that was ever answered."""

    async def ask(self, method: str, path: str, given: Any = None) -> Asked:
        async with self._session.request(method, f"{self.place.url}/api/v1/connections{path}", json=given) as got:
            self.told += await got.text()
            return got.status, await got.json()


@asynccontextmanager
async def program(
    folder: Path, rights: Sequence[Right] = tuple(Right), *, signed_in: bool = True
) -> AsyncIterator[tuple[Program, AcmeDesk]]:
    async with at_vendors(folder, webhook_secret=OLD) as (place, acme, vault):
        if signed_in:
            vault.store("desk", {"client_id": "app", "client_secret": "s3cret", "refresh_token": "g00d"})
        _, token = await place.ledger.write(
            lambda rows: issue_token(rows, name="till", rights=rights, now=place.now, who="Dana")
        )
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            yield Program(place, session), acme


async def test_all_are_listed_and_each_is_told_without_its_secrets(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, _):
        await send(api.place, OLD, 1)
        status, listed = await api.ask("GET", "")
        assert (status, listed["next"]) == (200, None)
        assert [(row["name"], row["state"]) for row in listed["items"]] == [
            ("site", "fine"),
            ("desk", "signed out"),
        ]
        _, one = await api.ask("GET", "/site")
        assert one["hook_url"] == f"{api.place.url}/hooks/site" and one["last_webhook_at"] is not None
        assert [(row["field"], row["origin"]) for row in one["secrets"]] == [("webhook_secret", "vault")]
        assert one["two_webhook_secrets"] is False
        _, health = await api.ask("GET", "/desk/health")
        assert health["reason"] == "These credentials are missing: webhook_secret."
        assert not any(secret in api.told for secret in (OLD, NEW, "s3cret", "g00d"))
        assert (await api.ask("GET", "/nope"))[0] == 404


async def test_a_test_says_who_we_are_there_and_what_is_amiss(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, _):
        status, told = await api.ask("POST", "/desk/test")
        assert status == 200
        assert told["findings"][0]["sentence"] == "Signed in to Tea & Co, sandbox."
        assert "Acme Desk doesn't send: ticket.created, ticket.closed." in [
            each["sentence"] for each in told["findings"]
        ]


async def test_subscriptions_are_looked_at_and_mended(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, acme):
        _, before = await api.ask("GET", "/desk/subscriptions")
        assert (before["well"], before["missing"]) == (False, ["ticket.created", "ticket.closed"])
        _, mended = await api.ask("POST", "/desk/subscriptions/repair")
        assert mended["missing"] == ["ticket.created", "ticket.closed"] and len(acme.hooks) == 2
        _, after = await api.ask("GET", "/desk/subscriptions")
        assert after["well"] and "h00k" not in api.told
        assert (await api.ask("GET", "/site/subscriptions"))[0] == 409


async def test_its_lists_are_read_when_asked(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, _):
        later = api.place.now + timedelta(hours=1)
        await api.place.write(lambda story: polls.begin(story.rows, "desk", "tickets", api.place.now, later))
        assert await api.ask("POST", "/desk/reconcile") == (200, {"polls": ["tickets"]})
        (row,) = await api.place.ledger.read(polls.everything)
        assert row.due_at < later
        assert (await api.ask("POST", "/site/reconcile"))[0] == 409


async def test_who_may_only_see_tries_and_mends_nothing(tmp_path: Path) -> None:
    async with program(tmp_path, [Right.SEE]) as (api, acme):
        for method, path in (
            ("POST", "/desk/test"),
            ("POST", "/desk/reconcile"),
            ("GET", "/desk/subscriptions"),
            ("POST", "/desk/subscriptions/repair"),
            ("PUT", "/desk/credentials"),
            ("POST", "/desk/sign-in"),
            ("POST", "/desk/sign-in/answer"),
            ("POST", "/desk/rotate"),
            ("POST", "/desk/rotate/end"),
            ("POST", "/desk/sample"),
        ):
            assert (await api.ask(method, path))[0] == 403, path
        assert acme.hooks == [] and (await api.ask("GET", "/desk"))[0] == 200


async def test_credentials_are_kept_if_the_vendor_takes_them_and_never_told(tmp_path: Path) -> None:
    async with program(tmp_path, signed_in=False) as (api, _):
        good = {"client_id": "app", "client_secret": "s3cret", "refresh_token": "g00d"}
        status, refused = await api.ask("PUT", "/desk/credentials", {"values": good | {"refresh_token": "b4d"}})
        assert status == 409 and refused["title"]
        assert (await api.ask("PUT", "/desk/credentials", {"values": {"pin": "1234"}}))[0] == 409
        _, before = await api.ask("GET", "/desk")
        assert [row["field"] for row in before["secrets"] if row["origin"]] == []
        status, kept = await api.ask("PUT", "/desk/credentials", {"values": good})
        assert status == 200 and kept["findings"][0]["sentence"] == "Signed in to Tea & Co, sandbox."
        assert {row["field"] for row in kept["secrets"] if row["origin"] == "vault"} >= set(good)
        _, after = await api.ask("GET", "/desk")
        assert after["checked"]["findings"] == kept["findings"] and after["signs_in_by_browser"]
        assert not any(secret in api.told for secret in (*good.values(), "b4d"))


async def test_a_sign_in_is_begun_and_ends_with_the_answer_that_the_browser_was_sent_to(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, _):
        _, consent = await api.ask("POST", "/desk/sign-in")
        assert consent["redirect_uri"] == f"{api.place.url}/connections/callback"
        async with aiohttp.ClientSession() as browser, browser.get(consent["address"], allow_redirects=False) as got:
            answer = got.headers["Location"]
        wrong = {"answer": answer.replace("state=", "state=x")}
        assert (await api.ask("POST", "/desk/sign-in/answer", wrong))[0] == 409
        status, done = await api.ask("POST", "/desk/sign-in/answer", {"answer": answer})
        assert status == 200 and done["findings"][0]["sentence"] == "Signed in to Tea & Co, sandbox."
        assert (await api.ask("POST", "/desk/sign-in/answer", {"answer": answer}))[0] == 409, "it is good once"
        assert (await api.ask("POST", "/site/sign-in"))[0] == 409


async def test_a_webhook_secret_is_replaced_while_both_are_accepted(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, _):
        assert (await api.ask("POST", "/site/rotate", {"secret": OLD}))[0] == 409
        assert (await api.ask("POST", "/site/rotate/end", {}))[0] == 409
        status, rotating = await api.ask("POST", "/site/rotate", {"secret": NEW, "hours": 48})
        assert (status, rotating["two_webhook_secrets"]) == (200, True)
        until = datetime.fromisoformat(rotating["earlier_secret_until"])
        assert until == api.place.now + timedelta(hours=48)
        assert (await api.ask("GET", "/site"))[1]["earlier_secret_until"] == rotating["earlier_secret_until"]
        status, refused = await api.ask("POST", "/site/rotate/end", {})
        assert status == 409 and "No webhook that is signed with the new secret has come." in refused["title"]
        assert (await send(api.place, OLD, 1)).taken and (await send(api.place, NEW, 2)).taken
        ended = {"two_webhook_secrets": False, "earlier_secret_until": None}
        assert await api.ask("POST", "/site/rotate/end", {}) == (200, ended)
        assert not (await send(api.place, OLD, 3)).taken
        assert NEW not in api.told and OLD not in api.told
        assert (await api.ask("POST", "/desk/rotate", {"secret": NEW}))[0] == 409


async def test_a_made_up_webhook_is_sent_through_the_whole_intake(tmp_path: Path) -> None:
    async with program(tmp_path) as (api, _):
        status, sent = await api.ask("POST", "/site/sample")
        assert status == 201
        row = await api.place.ledger.read(lambda rows: deliveries.find(rows, sent["delivery"]))
        assert row is not None and row.connection == "site"
