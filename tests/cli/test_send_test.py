"""`bellwire send-test`: a made-up delivery to a Bellwire that runs, followed to its end."""

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bellwire.clock import system_clock
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Connector
from bellwire.events import Delivery
from bellwire.practice import Practice, find_simulator, simulator_names
from bellwire.practice.project import write_project
from tests.cli.conftest import Run, outcome, spawn
from tests.connecting import connection
from tests.practice.pilots import ORDER_TO_CASH, SHORT, roles


@dataclass(frozen=True)
class Shop:
    """A project on practice vendors, and the environment of its commands."""

    folder: Path
    environ: dict[str, str]
    port: int = field(default_factory=lambda: free_port())

    async def send_test(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the real command."""
        return await outcome("send-test", *words, cwd=self.folder, environ=self.environment | environ)

    @property
    def environment(self) -> dict[str, str]:
        return self.environ | {"BELLWIRE_PORT": str(self.port)}

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """`bellwire up`, until the end of the block."""
        environ = self.environment | {"BELLWIRE_LOG_LEVEL": "error"}
        running = spawn("up", cwd=self.folder, stderr=subprocess.STDOUT, environ=environ)
        assert running.stdout is not None
        told = ""
        try:
            async with asyncio.timeout(30):
                while "Ready." not in told:
                    line = await asyncio.to_thread(running.stdout.readline)
                    assert line, f"it ended: {told}"
                    told += line
            yield
        finally:
            running.terminate()
            await asyncio.to_thread(running.communicate, timeout=60)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number: int = taken.getsockname()[1]
        return number


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    vendors = roles()
    async with Practice(set(vendors.values())) as practice:
        yield Shop(tmp_path, write_project(tmp_path, practice, vendors, {"short.yaml": SHORT}))


async def test_each_step_is_told_to_the_end(shop: Shop) -> None:
    async with shop.up():
        code, out, err = await shop.send_test("shop")
        again, second, _ = await shop.send_test("shop", "order.paid")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"Sent a made-up order.paid to http://127.0.0.1:{shop.port}/hooks/shop"
    assert lines[1] == "answered 200: delivery 1"
    assert any(line.startswith("→ event order.paid of order/") for line in lines)
    assert "→ run 1 of flow short" in lines
    steps = [line for line in lines if line.startswith("    ")]
    assert [step.split()[:2] for step in steps] == [["invoice", "done"], ["bench", "done"]]
    assert re.search(r"invoice done \(number \w+", out)
    assert re.fullmatch(r"→ done in (\d+ ms|\d\.\d s)", lines[-1])
    assert again == 0 and "→ run 2 of flow short" in second, "each call is a new fact"


async def test_what_a_flow_in_shadow_notes_is_no_failure(shop: Shop) -> None:
    await outcome("flow", "mode", "short", "shadow", cwd=shop.folder, environ=shop.environment)
    async with shop.up():
        code, out, _ = await shop.send_test("shop")
    assert code == 0 and "    invoice noted: the flow is in shadow, so nothing was sent" in out.splitlines()


async def test_what_needs_a_person_is_told_with_what_to_do_and_ends_with_1(shop: Shop) -> None:
    """The practice shop doesn't know the made-up order that it is to mark as sent."""
    (shop.folder / "flows" / "short.yaml").write_text(ORDER_TO_CASH)
    async with shop.up():
        code, out, err = await shop.send_test("shop")
        _, as_json, _ = await shop.send_test("shop", "--json")
    assert (code, err) == (1, "")
    assert "    label done (" in out
    assert "→ exception 1: " in out
    assert "bellwire exception dismiss 1 --reason" in out
    told = json.loads(as_json)
    assert (told["ended"], told["well"], len(told["exceptions"])) == (True, False, 1)
    assert {attempt["action"] for attempt in told["runs"][0]["attempts"]} >= {"invoice", "stock", "label", "bench"}


async def test_an_event_that_no_flow_listens_to_is_told_and_no_failure(shop: Shop) -> None:
    async with shop.up():
        code, out, _ = await shop.send_test("shop", "order.cancelled")
    assert code == 0
    assert re.search(r"→ event order.cancelled of order/\d+: No flow listens to it\.", out)


async def test_a_wrong_secret_is_explained(shop: Shop) -> None:
    async with shop.up():
        code, _, err = await shop.send_test("shop", BELLWIRE_SHOP_WEBHOOK_SECRET="another")
    assert code == 1
    assert err.startswith("Answered 401: None of the secrets of connection 'shop' made this signature.")
    assert "BELLWIRE_SHOP_WEBHOOK_SECRET" in err


async def test_a_connection_that_the_running_one_does_not_know_is_explained(shop: Shop) -> None:
    path = shop.folder / "connections.toml"
    async with shop.up():
        path.write_text(path.read_text().replace("[shop", "[stall"))
        (shop.folder / "flows" / "short.yaml").unlink()
        code, _, err = await shop.send_test("stall", "order.paid", BELLWIRE_STALL_WEBHOOK_SECRET="x")
    assert code == 1
    assert err.startswith("Answered 404: ") and "has no connection 'stall'" in err


async def test_a_delivery_that_went_to_another_project_is_noticed(shop: Shop, tmp_path: Path) -> None:
    other = Shop(tmp_path / "other", shop.environ, shop.port)
    other.folder.mkdir()
    for name in ("bellwire.toml", "connections.toml"):
        (other.folder / name).write_text((shop.folder / name).read_text())
    async with other.up():
        assert (await other.send_test("shop", "order.paid"))[0] == 0, "so that it has a delivery 1 of its own"
    async with shop.up():
        code, _, err = await other.send_test("shop", "order.paid")
    assert code == 1
    assert err.startswith("It was taken in by another Bellwire")


async def test_when_nothing_runs_the_address_and_the_command_are_named(shop: Shop) -> None:
    code, _, err = await shop.send_test("shop")
    assert code == 1
    assert f"http://127.0.0.1:{shop.port}/hooks/shop" in err and "`bellwire up`" in err


async def test_production_is_refused_unless_really(shop: Shop) -> None:
    path = shop.folder / "connections.toml"
    path.write_text(path.read_text().replace('"sandbox"', '"production"'))
    code, _, err = await shop.send_test("shop")
    assert code == 2 and "'shop' is a production account" in err and "--really" in err
    code, _, err = await shop.send_test("shop", "--really")
    assert code == 1 and "Nobody takes webhooks" in err


async def test_a_port_that_nobody_can_know_is_said(shop: Shop) -> None:
    code, _, err = await shop.send_test("shop", BELLWIRE_PORT="0")
    assert code == 2 and "BELLWIRE_PORT" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["shap"], "Did you mean 'shop'?"),
        (["shop", "order.payed"], "Did you mean 'order.paid'?"),
        (["books"], "sends no webhooks"),
    ],
)
async def test_wrong_words_end_with_2(shop: Shop, words: list[str], told: str) -> None:
    code, _, err = await shop.send_test(*words)
    assert code == 2 and told in err


def test_without_a_project_it_says_so(bellwire: Run, tmp_path: Path) -> None:
    assert bellwire("send-test", "shop", "--project", tmp_path).exit_code == 2


def samples() -> Iterator[tuple[Connector, str]]:
    for each in all_connectors():
        if each.triggers is not None and each.triggers.sample is not None:
            for event_type in each.triggers.event_types:
                if event_type != "*":
                    yield each, event_type


@pytest.mark.parametrize(
    ("sender", "event_type"), [pytest.param(*pair, id=f"{pair[0].name}-{pair[1]}") for pair in samples()]
)
def test_every_sample_is_what_it_says_and_a_new_fact_each_time(sender: Connector, event_type: str) -> None:
    simulator = find_simulator(sender.name) if sender.name in simulator_names() else None
    secrets = {sender.manifest.webhook_credential: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    account = connection(
        sender.name,
        settings=simulator.settings if simulator else {},
        credentials=simulator.credentials if simulator else secrets,
    )
    triggers, scheme = sender.triggers, account.webhook
    assert triggers is not None and triggers.sample is not None and scheme is not None
    keys = set()
    for number in range(20):
        headers, body = triggers.sample(event_type, account)
        now = system_clock()
        headers |= scheme.sign(body, account.secrets[0], delivery_id=str(number), now=now, url="http://127.0.0.1/x")
        lower = {name.lower(): value for name, value in headers.items()}
        delivery = Delivery(account.name, lower, body, now, "http://127.0.0.1/x")
        scheme.verify(delivery, account.secrets, now)
        assert triggers.belongs(delivery, account) == ""
        (event,) = [event for event in triggers.normalise(delivery, account).events if event.type == event_type]
        keys.add(event.business_key)
    assert len(keys) == 20
