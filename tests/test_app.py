"""A whole system in one process: it starts, says how it is, and what keeps it from starting."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bellwire.app import opened, running
from bellwire.clock import system_clock
from bellwire.errors import ConfigurationError
from bellwire.events import Delivery, Environment
from bellwire.flows import bundled
from bellwire.ledger import DeliveryState, RunState, alerts, deliveries, figures, open_ledger, polls, runs
from bellwire.money import Money
from bellwire.practice import Sale, SaleLine, Webhook
from bellwire.practice.driving import until_quiet
from bellwire.practice.square import SquareSimulator
from bellwire.practice.stories.order_to_cash import Chapter
from bellwire.settings import load_settings
from tests.desk.visiting import visit
from tests.ledgers import sqlite_of
from tests.postgres import Server
from tests.running import FLOW, Town, ordinary, town, until
from tests.watch.conftest import Receiver, environ, receiver, receivers

__all__ = ["receiver", "receivers"]


async def test_it_is_alive_and_ready_and_says_when_it_isnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        town(tmp_path) as place,
        running(place.settings, place.secrets) as bellwire,
        aiohttp.ClientSession(bellwire.url) as session,
    ):

        async def status(path: str) -> int:
            async with session.get(path) as answer:
                return answer.status

        assert (await status("/healthz"), await status("/readyz")) == (200, 200)
        other = sqlite3.connect(tmp_path / "data" / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with monkeypatch.context() as impatient:
            impatient.setattr("bellwire.intake.health._PATIENCE", 0.1)
            assert (await status("/healthz"), await status("/readyz")) == (200, 503)
        other.execute("ROLLBACK")
        assert await status("/readyz") == 200


async def test_a_free_port_is_told_as_it_is(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        settings = load_settings(tmp_path, place.secrets)
        async with running(settings, place.secrets) as bellwire:
            assert settings.port == 0 != bellwire.port
            assert bellwire.hook_url("shop") == f"{bellwire.url}/hooks/shop"


async def test_a_vendor_that_signs_the_address_signs_that_of_the_free_port(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        till = place.practice.simulators[place.roles["stock"]]
        assert isinstance(till, SquareSimulator)
        async with running(load_settings(tmp_path, place.secrets), place.secrets) as bellwire:
            url = bellwire.hook_url("stock")
            webhook = till.webhook("payment.updated", till.takings.take(Money.of("5.00", "USD")), url=url)
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, data=webhook.body, headers=dict(webhook.headers)) as answer,
            ):
                assert answer.status == 200


async def test_the_desk_gives_the_address_of_the_free_port_and_sends_a_made_up_webhook_there(tmp_path: Path) -> None:
    async with (
        town(tmp_path) as place,
        running(load_settings(tmp_path, place.secrets), place.secrets) as bellwire,
        visit(bellwire) as visitor,
    ):
        assert bellwire.hook_url("shop") in (await visitor.get("/connections/shop/first")).words
        assert "A made-up webhook was sent, and taken in." in (await visitor.send("/connections/shop/first")).words
        (row,) = await bellwire.ledger.read(lambda rows: deliveries.newest(rows, limit=9))
        assert row.connection == "shop"


async def test_credentials_that_are_set_on_the_desk_let_what_was_held_go_on(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        given = place.secrets["BELLWIRE_BOOKS_REFRESH_TOKEN"]
        wrong = {name: value for name, value in place.secrets.items() if name != "BELLWIRE_BOOKS_ACCESS_TOKEN"}
        wrong["BELLWIRE_BOOKS_REFRESH_TOKEN"] = "of-yesterday"
        async with running(place.settings, wrong) as bellwire, visit(bellwire) as visitor:
            webhook = place.paid(ordinary("1001"))
            await visitor.session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))

            async def is_in(state: RunState) -> bool:
                found = await bellwire.ledger.read(lambda rows: runs.newest(rows, limit=1))
                return bool(found) and found[0].state is state

            await until(lambda: is_in(RunState.HELD))
            assert "Signed out" in (await visitor.get("/connections/books")).words
            kept = await visitor.send("/connections/books/credentials", refresh_token=given)
            assert "are kept, and used from now on" in kept.words and given not in kept.page
            await until(lambda: is_in(RunState.DONE))
            assert "Fine" in (await visitor.get("/connections/books")).words


async def test_what_the_first_webhook_hints_at_can_be_looked_up(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets, only="order_to_cash") as bellwire:
        begun = await bellwire.ledger.read(polls.everything)
        listed = {
            (name, poll.name)
            for name, connection in bellwire.project.connections.items()
            for poll in (connection.connector.triggers.polls if connection.connector.triggers else ())
        }
        assert {(row.connection, row.name) for row in begun} == listed != set()


async def test_a_paid_order_goes_all_the_way(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        webhook = place.paid(ordinary("1001"))
        async with aiohttp.ClientSession() as session:
            await session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        (run,) = await bellwire.ledger.read(lambda rows: runs.newest(rows, limit=10))
        assert run.state is RunState.DONE
        assert await bellwire.ledger.read(figures.open_exceptions) == 0


async def test_what_is_to_be_kept_may_change_while_it_runs(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        settings = tmp_path / "bellwire.toml"
        settings.write_text(f"{settings.read_text()}\n[keep]\nrequests = false\n")
        webhook = place.paid(ordinary("1001"))
        async with aiohttp.ClientSession() as session:
            await session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        assert await bellwire.ledger.read(lambda rows: rows.one("SELECT count(*) FROM exchanges")) == (0,)


async def test_stock_that_runs_low_by_what_is_sold_is_told_of_once(tmp_path: Path) -> None:
    told = """
name: Told
trigger: bellwire.inventory.low
actions:
  buyer:
    do: chat.post_message
    with: {channel: packing, text: "Low: {{ event.name }}, {{ event.available }} of {{ event.target }}"}
"""
    async with town(tmp_path, beside={"told.yaml": told}) as place:
        (tmp_path / "stock.csv").write_text("sku,reorder_point,target,name\nTEA-100,117,240,Green tea\n")
        async with running(place.settings, place.secrets) as bellwire, aiohttp.ClientSession() as session:
            for number in ("1001", "1002", "1003"):
                webhook = place.paid(ordinary(number))
                await session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
                await until_quiet(bellwire.ledger, bellwire.engine, 30)
        said = [each.text for each in place.holdings.chat.messages() if each.text.startswith("Low")]
        assert said == ["Low: Green tea, 116 of 240"]


async def test_reorder_points_that_cant_be_read_keep_it_from_starting(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        (tmp_path / "stock.csv").write_text("sku,reorder_point\nTEA-100,few\n")
        with pytest.raises(ConfigurationError, match=r"stock\.csv:2: 'reorder_point' is 'few'"):
            async with running(place.settings, place.secrets):
                pass


@pytest.mark.parametrize("only", [None, FLOW])
async def test_people_are_told_of_what_needs_them_but_not_while_a_flow_is_tried_by_itself(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, only: str | None
) -> None:
    monkeypatch.setattr("bellwire.watch.alerts._EVERY", 0.02)
    monkeypatch.setattr("bellwire.watch.alerts.GATHERING", timedelta())
    async with town(tmp_path) as place:
        secrets = {**place.secrets, **environ(receiver.url)}
        async with running(place.settings, secrets, only=only) as bellwire, aiohttp.ClientSession() as session:
            webhook = place.paid(Chapter(Sale("1001", [SaleLine("TEA-500-NEW")]), ""))
            await session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
            await until_quiet(bellwire.ledger, bellwire.engine, 30)
            assert await bellwire.ledger.read(figures.open_exceptions) == 1

            async def told() -> object:
                return receiver.titles

            if only is None:
                await until(told)
        assert receiver.titles == ([] if only else ["Bellwire: QuickBooks Online needs you: unknown sku (1 time)"])
        there = f"order 1001. The page Exceptions ({bellwire.url}/exceptions) says what to do."
        assert all(letter["message"].endswith(there) for letter in receiver.letters)


async def test_where_alerts_go_has_to_be_readable_from_the_start(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        with pytest.raises(ConfigurationError, match="BELLWIRE_ALERTS_URLS is set, but empty"):
            async with running(place.settings, {**place.secrets, "BELLWIRE_ALERTS_URLS": ""}):
                pass


@pytest.mark.parametrize(("name", "flow"), [("order to cash", "order_to_cash"), ("ORDER-TO-CASH", "order_to_cash")])
async def test_a_flow_is_found_by_either_name(tmp_path: Path, name: str, flow: str) -> None:
    async with town(tmp_path) as place, opened(place.settings, place.secrets) as project:
        found = project.flow(name)
        assert found is not None and found.id == flow
        assert project.flow("something else") is None


async def test_a_flow_that_is_wrong_keeps_it_from_starting(tmp_path: Path) -> None:
    wrong = bundled(FLOW).replace("event.total", "event.totl")
    async with town(tmp_path, flow=wrong) as place:
        with pytest.raises(ConfigurationError, match="totl"):
            async with running(place.settings, place.secrets):
                pass


async def test_a_data_folder_that_cant_be_had_is_said(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        _replace_by_a_file(place)
        with pytest.raises(ConfigurationError, match="data"):
            async with running(place.settings, place.secrets):
                pass


def _replace_by_a_file(place: Town) -> None:
    data = place.folder / "data"
    data.rename(place.folder / "elsewhere")
    data.write_text("")


async def test_what_is_old_is_purged_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.ledger.housekeeping._FIRST", timedelta(seconds=0.1))
    async with town(tmp_path) as place:
        (tmp_path / "bellwire.toml").write_text("port = 0\n[keep]\npayloads = 7\n")
        settings = load_settings(tmp_path, place.secrets)
        async with open_ledger(settings.ledger_url) as ledger:
            then = system_clock() - timedelta(days=8)
            letter = Delivery("shop", {}, b"{}", then)
            await ledger.write(lambda rows: deliveries.accept(rows, letter, "1", Environment.SANDBOX))
            await ledger.write(lambda rows: deliveries.settle(rows, 1, DeliveryState.SKIPPED))
        async with running(settings, place.secrets) as bellwire:

            async def purged() -> bool:
                return await bellwire.ledger.read(lambda rows: deliveries.payload(rows, 1)) is None

            await until(purged)
            assert await bellwire.ledger.read(lambda rows: deliveries.find(rows, 1)) is not None


async def test_it_stops_cleanly_though_the_ledger_cant_be_written(tmp_path: Path) -> None:
    async with (
        town(tmp_path) as place,
        running(place.settings, place.secrets) as bellwire,
        aiohttp.ClientSession(bellwire.url) as session,
    ):
        sqlite_of(bellwire.ledger)._connection.execute("PRAGMA query_only = ON")
        async with session.post("/hooks/shop", data=b"{}") as answer:
            assert answer.status == 401, "which is still to be counted at the end"


async def test_on_postgresql_an_order_goes_all_the_way_though_the_server_is_away_meanwhile(tmp_path: Path) -> None:
    server = Server(durable=True)
    server.start()
    try:
        async with town(tmp_path) as place, aiohttp.ClientSession() as session:
            secrets = {**place.secrets, "BELLWIRE_LEDGER_URL": server.url("postgres")}
            settings = load_settings(tmp_path, secrets)

            async def post(webhook: Webhook) -> int:
                headers = dict(webhook.headers)
                async with session.post(bellwire.hook_url("shop"), data=webhook.body, headers=headers) as answer:
                    return answer.status

            async def ready() -> bool:
                async with session.get(f"{bellwire.url}/readyz") as answer:
                    return answer.status == 200

            async with running(settings, secrets) as bellwire:
                assert await ready()
                assert await post(place.paid(ordinary("1001"))) == 200
                server.stop()
                late = place.paid(ordinary("1002"))
                assert (await post(late), await ready()) == (503, False)
                server.start()
                await until(ready)
                assert await post(late) == 200
                await until_quiet(bellwire.ledger, bellwire.engine, 60)
                found = await bellwire.ledger.read(lambda rows: runs.newest(rows, limit=10))
                assert [run.state for run in found] == [RunState.DONE, RunState.DONE]
                async with session.get(f"{bellwire.url}/metrics") as answer:
                    assert "bellwire_events_received_total 2.0" in await answer.text()
            assert [verdict for verdict in place.verdicts() if not verdict.held] == []
    finally:
        server.close()


async def test_a_flow_that_changes_is_carried_out_anew_without_a_restart(tmp_path: Path) -> None:
    text = bundled("order_to_cash")
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        file = tmp_path / "flows" / "order_to_cash.yaml"

        async def paid(number: str) -> set[str]:
            """What was done about a new order."""
            async with aiohttp.ClientSession(bellwire.url) as session:
                webhook = place.paid(ordinary(number))
                async with session.post("/hooks/shop", data=webhook.body, headers=webhook.headers) as answer:
                    assert answer.status == 200
            await until_quiet(bellwire.ledger, bellwire.engine, 30)
            run = (await bellwire.ledger.read(lambda rows: runs.newest(rows, limit=1)))[0]
            assert run.state is RunState.DONE
            return {each.action for each in await bellwire.ledger.read(lambda rows: runs.attempts(rows, run.id))}

        assert "packing" not in await paid("1001")
        file.write_text(text.replace("  bench:\n", "  packing:\n"))
        await bellwire.project.folder.renew()
        assert "packing" in await paid("1002")

        file.write_text(text.replace("{{ event.number }}", "{{ event.nummer }}"))
        await bellwire.project.folder.renew()
        assert "packing" in await paid("1003")
        assert list(bellwire.project.folder.wrong) == ["order_to_cash"]


async def test_the_files_are_looked_at_by_themselves(tmp_path: Path) -> None:
    async with town(tmp_path) as place, running(place.settings, place.secrets) as bellwire:
        file = tmp_path / "flows" / "order_to_cash.yaml"
        file.write_text(file.read_text().replace("{{ event.number }}", "{{ event.nummer }}"))
        with (tmp_path / "bellwire.toml").open("a") as settings:
            settings.write("\n[keep]\npayloads = 'for ever'\n")

        async def told() -> bool:
            found = {each.topic: each.text for each in await bellwire.ledger.read(alerts.open_ones)}
            flow, settings = found.get("flow/order_to_cash", ""), found.get("settings/bellwire.toml", "")
            return "nummer" in flow and "'payloads' must be a whole number" in settings

        await until(told)
        file.unlink()

        async def gone() -> bool:
            return not bellwire.project.flows

        await until(gone)
