"""Connections: how each is, signing in, replacing secrets without losing a webhook, the first one that comes."""

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
from yarl import URL

from bellwire.access import Role
from bellwire.connectors.kit import OVERLAP
from bellwire.desk.gate import SESSION
from bellwire.events import Environment
from bellwire.ledger import HealthRow, Rows, Trouble, audit, deliveries, health, polls
from bellwire.vault import Vault
from tests.cli.acme import BOOKS, DESK
from tests.cli.desk import AcmeDesk, acme_desk
from tests.desk.story import NOW, Place, open_desk
from tests.desk.vendors import NEW, OLD, account, at_vendors, send, vault_of
from tests.desk.visiting import Visitor, enter, give_account, visit


def kept(vault: Vault, connection: str, field: str) -> str | None:
    found = vault.find(connection, field)
    return found.value if found else None


async def acts(place: Place) -> list[tuple[str, str, str]]:
    found = await place.ledger.read(lambda rows: audit.newest(rows, limit=20))
    return [(act.who, act.what, act.target) for act in reversed(found)]


async def test_each_connection_says_how_it_is(tmp_path: Path) -> None:
    def tell(rows: Rows) -> None:
        row = HealthRow("parcels", Trouble.DOWN, "Parcel Hub doesn’t answer.", 2, NOW, NOW + timedelta(minutes=4))
        health.set_out(rows, row)
        health.set_out(rows, HealthRow("books", Trouble.SIGNED_OUT, "Tidy Books doesn’t know us.", 2, NOW, NOW))

    async with open_desk(tmp_path) as place, visit(place) as visitor:
        await place.write(lambda story: tell(story.rows))
        told = (await visitor.get("/connections")).words
        assert "Parcel Hub sandbox parcels · bronze Left alone until 2:45 PM Parcel Hub doesn’t answer." in told
        assert "Tidy Books sandbox books · bronze Signed out Tidy Books doesn’t know us." in told
        assert "Team Chat sandbox chat · bronze Fine" in told
        one = (await visitor.get("/connections/parcels")).words
        assert "Left alone until 2:45 PM Parcel Hub doesn’t answer. Nothing for you to do" in one
        assert (await visitor.get("/connections/nope")).status == 404


async def test_what_never_came_is_told_until_it_comes(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), visit(place) as visitor:
        assert "Never heard of" in (await visitor.get("/connections/site")).words
        assert (await send(place, OLD, 1)).taken
        told = (await visitor.get("/connections/site")).words
        assert "Never heard of" not in told and "Fine" in told


async def test_the_age_of_each_secret_is_told_and_no_secret(tmp_path: Path) -> None:
    long_ago = NOW - timedelta(days=80)
    with vault_of(tmp_path) as vault:
        Vault.open(tmp_path / "data", {}, lambda: long_ago).store("books", {"access_token": "t0p"})
        books = account("books", BOOKS, vault, base_url="http://127.0.0.1:9")
        async with open_desk(tmp_path, connections={"books": books}) as place, visit(place) as visitor:
            shown = await visitor.get("/connections/books")
        assert "access_token Sep 5, 2026 Dec 4, 2026 soon" in shown.words
        assert "Version 2020-01 ends on 2020-12-31: update Bellwire before" in shown.words
        assert "t0p" not in shown.page


async def test_credentials_are_tried_before_they_are_kept_and_never_shown(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, _, vault), visit(place) as visitor:
        path = "/connections/desk/credentials"
        wrong = await visitor.send(path, client_id="app", client_secret="wr0ng", refresh_token="wr0ng-t0ken")
        assert (wrong.status, "Nothing was kept." in wrong.words) == (400, True)
        assert "wr0ng" not in wrong.page and kept(vault, "desk", "client_id") is None
        empty = await visitor.send(path)
        assert "Nothing was filled in" in empty.words


async def test_what_the_vendor_takes_is_kept_and_used_from_then_on(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, _, vault), visit(place) as visitor:
        given = {"client_id": "app", "client_secret": "s3cret", "refresh_token": "g00d"}
        shown = await visitor.send("/connections/desk/credentials", **given)
        assert shown.path == "/connections/desk"
        assert "Signed in to Tea & Co, sandbox. The credentials are kept, and used from now on." in shown.words
        assert kept(vault, "desk", "client_secret") == "s3cret"
        # What was bought with them took their place.
        assert (kept(vault, "desk", "refresh_token"), kept(vault, "desk", "access_token")) == ("r3fresh", "acc3ss")
        assert not re.search("s3cret|r3fresh|acc3ss|g00d", shown.page)
        assert await acts(place) == [
            ("somebody at this machine", "set", "desk client_id client_secret refresh_token"),
        ]


async def begun(visitor: Visitor) -> str:
    """The address at the vendor that the desk leads to."""
    shown = await visitor.send("/connections/desk/sign-in", at="/connections/desk")
    assert shown.path == "/connections/desk/sign-in"
    found = re.search(r'href="([^"]+/oauth/authorize[^"]+)"', shown.page)
    assert found, shown.words
    return html.unescape(found[1])


def with_app(vault: Vault) -> None:
    vault.store("desk", {"client_id": "app", "client_secret": "s3cret"})


async def test_the_owner_signs_in_at_the_vendor_and_comes_back(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, acme, vault), visit(place) as visitor:
        with_app(vault)
        async with visitor.session.get(await begun(visitor)) as back:
            page = await back.text()
            assert back.url.path == "/connections/desk" and not back.url.query
        assert "Signed in to Tea &amp; Co, sandbox." in page and "Acme Desk says: company = 7." in page
        assert acme.asked["redirect_uri"] == f"{place.url}/connections/callback"
        assert acme.asked["code_challenge_method"] == "S256"
        assert kept(vault, "desk", "refresh_token") == "r3fresh"
        assert not re.search("s3cret|r3fresh|acc3ss|c0de", page)
        assert ("somebody at this machine", "sign in", "desk") in await acts(place)


async def answered(visitor: Visitor, acme: AcmeDesk) -> str:
    """Where the vendor sends the browser, below the desk."""
    async with visitor.session.get(await begun(visitor), allow_redirects=False) as sent:
        return sent.headers["Location"].removeprefix(visitor.url)


async def test_an_answer_counts_once_and_only_for_who_asked(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, acme, vault), visit(place) as visitor, visit(place) as other:
        with_app(vault)
        address = await answered(visitor, acme)
        assert (await other.get(address)).status == 400
        forged = re.sub("state=[^&]+", "state=another", address)
        assert (await visitor.get(forged)).status == 400
        assert kept(vault, "desk", "refresh_token") is None
        assert (await visitor.get(address)).path == "/connections/desk"
        again = await visitor.get(address)
        assert (again.status, "isn’t the answer to a sign-in that you began here" in again.words) == (400, True)


async def test_an_answer_that_took_too_long_is_refused(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, acme, vault), visit(place) as visitor:
        with_app(vault)
        address = await answered(visitor, acme)
        place.now += timedelta(minutes=11)
        assert (await visitor.get(address)).status == 400
        assert kept(vault, "desk", "refresh_token") is None


async def test_who_comes_back_from_the_vendor_after_a_restart_is_recognised_once(
    tmp_path: Path, ledger_url: str
) -> None:
    with vault_of(tmp_path) as vault, acme_desk() as acme:
        with_app(vault)
        connections = {"desk": account("desk", DESK, vault, base_url=acme.url)}
        async with open_desk(tmp_path, connections=connections, ledger_url=ledger_url) as place:
            async with visit(place) as visitor:
                address = await answered(visitor, acme)
                cookies = {each.key: each.value for each in visitor.session.cookie_jar}
            kept_of_it = str(await place.ledger.read(lambda rows: rows.all("SELECT * FROM consents")))
        for secret in (acme.asked["state"], acme.asked["code_challenge"], cookies[SESSION]):
            assert secret not in kept_of_it
        async with open_desk(tmp_path, connections=connections, ledger_url=ledger_url) as place:
            place.now = NOW + timedelta(minutes=9)
            async with visit(place) as visitor:
                visitor.session.cookie_jar.update_cookies(cookies, URL(place.url))
                shown = await visitor.get(address)
                assert "Signed in to Tea & Co, sandbox." in shown.words
                assert kept(vault, "desk", "refresh_token") == "r3fresh"
                assert (await visitor.get(address)).status == 400
        for connection in connections.values():
            await connection.api.close()


async def test_what_a_vendor_said_is_shown_after_a_restart_and_by_others(tmp_path: Path, ledger_url: str) -> None:
    with vault_of(tmp_path) as vault, acme_desk() as acme:
        connections = {"desk": account("desk", DESK, vault, base_url=acme.url)}
        async with (
            open_desk(tmp_path, connections=connections, ledger_url=ledger_url) as place,
            visit(place) as visitor,
        ):
            assert "It wasn’t asked yet" in (await visitor.get("/connections/desk")).words
            asked = await visitor.send("/connections/desk/check", at="/connections/desk")
        said = re.search(r"What Acme Desk says Asked .*? (Wrong .*?) Ask it now", asked.words)
        assert said, asked.words
        async with (
            open_desk(tmp_path, connections=connections, ledger_url=ledger_url) as place,
            visit(place) as visitor,
        ):
            assert said[1] in (await visitor.get("/connections/desk")).words
        for connection in connections.values():
            await connection.api.close()


async def test_without_the_id_of_the_app_one_is_told_where_to_fill_it_in(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, _, _), visit(place) as visitor:
        shown = await visitor.send("/connections/desk/sign-in", at="/connections/desk")
        assert "has no client_id. Fill in what the vendor calls the id and the secret of your app" in shown.words


async def test_its_webhooks_are_looked_at_and_sent_here(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, acme, vault), visit(place) as visitor:
        with_app(vault)
        await visitor.session.get(await begun(visitor))
        asked = await visitor.send("/connections/desk/check", at="/connections/desk")
        assert "Acme Desk doesn't send: ticket.created, ticket.closed." in asked.words
        mended = await visitor.send("/connections/desk/subscriptions", at="/connections/desk")
        assert "Acme Desk now sends here: ticket.created, ticket.closed." in mended.words
        assert {hook["url"] for hook in acme.hooks} == {f"{place.url}/hooks/desk"}
        assert kept(vault, "desk", "webhook_secret") == "h00k" and "h00k" not in mended.page
        again = await visitor.send("/connections/desk/subscriptions", at="/connections/desk")
        assert "Nothing was changed." in again.words and len(acme.hooks) == 2


async def test_its_lists_are_read_now_when_asked(tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, _, _), visit(place) as visitor:
        later = place.now + timedelta(hours=1)
        await place.write(lambda story: polls.begin(story.rows, "desk", "tickets", place.now, later))
        shown = await visitor.send("/connections/desk/polls", at="/connections/desk")
        assert "Acme Desk is asked now what happened: tickets." in shown.words
        (row,) = await place.ledger.read(polls.everything)
        assert row.due_at < later


async def test_a_webhook_secret_is_replaced_without_losing_a_webhook(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, vault), visit(place) as visitor:
        path = "/connections/site/rotate"
        assert (await send(place, OLD, 1)).taken
        assert (await send(place, NEW, 2)).status == 401
        both = await visitor.send(path, secret=NEW)
        assert "Both secrets are accepted from now on, the old one until " in both.words
        assert "No webhook that is signed with the new secret has come yet." in both.words
        assert (await send(place, OLD, 3)).taken
        refused = await visitor.send(f"{path}/end", at=path, keep="new")
        assert (refused.status, "Tick the box" in refused.words) == (400, True)
        assert (await send(place, NEW, 4)).taken and (await send(place, OLD, 5)).taken
        assert "A webhook that is signed with the new secret came" in (await visitor.get(path)).words
        dropped = await visitor.send(f"{path}/end", at=path, keep="new")
        assert "The old secret is dropped" in dropped.words
        assert (await send(place, OLD, 6)).status == 401 and (await send(place, NEW, 7)).taken
        assert (kept(vault, "site", "webhook_secret"), kept(vault, "site", "webhook_secret_previous")) == (NEW, "")
        assert not any(secret in shown.page for shown in (both, refused, dropped) for secret in (OLD, NEW))
        assert [what for _, what, _ in await acts(place)] == ["rotate", "drop the earlier"]


@pytest.mark.parametrize(
    ("asked", "hours"), [({}, 24), ({"hours": "1"}, 1), ({"hours": "720"}, 720), ({"hours": "999999"}, 24)]
)
async def test_the_secret_from_before_ends_by_itself_when_it_was_said(
    tmp_path: Path, asked: dict[str, str], hours: int
) -> None:
    path = "/connections/site/rotate"
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), visit(place) as visitor:
        await visitor.send(path, secret=NEW, **asked)
        end = place.now + timedelta(hours=hours)
        for page in (path, "/connections/site"):
            assert f'datetime="{end.isoformat()}"' in (await visitor.get(page)).page
        place.now = end - timedelta(seconds=1)
        assert (await send(place, OLD, 1)).taken
        place.now = end
        assert (await send(place, OLD, 2)).status == 401 and (await send(place, NEW, 3)).taken
        assert "New secret" in (await visitor.get(path)).words
        assert "from before" not in (await visitor.get("/connections/site")).words


async def test_one_can_go_back_to_the_secret_from_before(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), visit(place) as visitor:
        path = "/connections/site/rotate"
        await visitor.send(path, secret=NEW)
        assert "only one again" in (await visitor.send(f"{path}/end", at=path, keep="old")).words
        assert (await send(place, OLD, 1)).taken and (await send(place, NEW, 2)).status == 401
        same = await visitor.send(path, secret=OLD)
        assert (same.status, "That is the secret from before." in same.words) == (400, True)


async def test_a_new_secret_among_the_credentials_leaves_the_one_before_accepted(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), visit(place) as visitor:
        await visitor.send("/connections/site/credentials", webhook_secret=NEW)
        assert (await send(place, OLD, 1)).taken and (await send(place, NEW, 2)).taken
        place.now += OVERLAP
        assert (await send(place, OLD, 3)).status == 401 and (await send(place, NEW, 4)).taken


async def test_a_made_up_webhook_comes_as_the_first_one(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), visit(place) as visitor:
        path = "/connections/site/first"
        waiting = (await visitor.get(path)).words
        assert "Waiting for your first webhook" in waiting and f"{place.url}/hooks/site" in waiting
        shown = await visitor.send(path)
        assert "A made-up webhook was sent, and taken in." in shown.words and "It has come" in shown.words
        (row,) = await place.ledger.read(lambda rows: deliveries.newest(rows, limit=5))
        assert row.connection == "site"


async def test_nothing_made_up_comes_from_a_production_account(tmp_path: Path) -> None:
    async with (
        at_vendors(tmp_path, environment=Environment.PRODUCTION, webhook_secret=OLD) as (place, _, _),
        visit(place) as visitor,
    ):
        path = "/connections/site/first"
        assert "made-up" not in (await visitor.get(path)).words
        shown = await visitor.send(path, at="/connections/site")
        assert (shown.status, "is a production account" in shown.words) == (400, True)
        assert await place.ledger.read(lambda rows: deliveries.newest(rows, limit=5)) == []


@pytest.mark.parametrize("path", ["/connections/books/first", "/connections/books/rotate"])
async def test_what_sends_no_webhooks_has_no_page_for_them(tmp_path: Path, path: str) -> None:
    async with open_desk(tmp_path) as place, visit(place) as visitor:
        assert (await visitor.get(path)).status == 404


async def signed_in(place: Place, visitor: Visitor, role: Role) -> None:
    await give_account(place.ledger, "Olive")
    await enter(place, visitor, await give_account(place.ledger, "Dana", role))


async def test_who_may_only_see_is_offered_nothing_else_and_does_nothing_else(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, vault), visit(place) as visitor:
        await signed_in(place, visitor, Role.VIEWER)
        shown = await visitor.get("/connections/site")
        assert shown.status == 200 and "Set credentials" not in shown.words and "Ask it now" not in shown.words
        for path in ("credentials", "rotate", "sign-in"):
            assert (await visitor.get(f"/connections/site/{path}")).status == 403, path
        for path in ("check", "polls", "subscriptions", "credentials", "sign-in", "rotate", "rotate/end", "first"):
            refused = await visitor.send(f"/connections/site/{path}", at="/connections/site", secret=NEW, keep="new")
            assert (refused.status, refused.path) == (403, f"/connections/site/{path}")
        assert kept(vault, "site", "webhook_secret") == OLD


async def test_who_works_here_asks_the_vendor_and_changes_no_credentials(tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), visit(place) as visitor:
        await signed_in(place, visitor, Role.OPERATOR)
        asked = await visitor.send("/connections/site/check", at="/connections/site")
        assert asked.status == 303 and "There is nobody to ask: it only listens." in asked.words
        assert (await visitor.send("/connections/site/rotate", at="/connections/site", secret=NEW)).status == 403
