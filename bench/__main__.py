"""`make bench`: prints a table, writes bench/latest.json."""

import argparse
import asyncio
import contextlib
import hmac
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psutil

from bellwire.cli.roles import choose_connectors
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import StandardWebhooks
from bellwire.events import Delivery
from bellwire.flows import template
from bellwire.practice import Practice, Sale, SaleLine, Shop, find_simulator
from bellwire.practice.project import write_project
from bench.bare import SECRET
from bench.load import request, send_all, start_vendor
from bench.ours import SECRET as WHSEC
from bench.ours import sender

STANDARD = "webhook"
"""The connector of senders that sign by Standard Webhooks."""
LATEST = Path(__file__).with_name("latest.json")


def shop_name() -> str:
    """The first storefront there is."""
    return next(each.name for each in all_connectors() if "storefront" in each.manifest.capabilities)


@dataclass(frozen=True)
class Requests:
    """The same paid orders, signed for Bellwire and for the bare loop."""

    ours: list[bytes]
    bare: list[bytes]


def webhooks(count: int, name: str) -> Requests:
    """Of a shop, as it sends them; or (`STANDARD`) the canonical orders, signed by Standard Webhooks."""
    shop = find_simulator(shop_name())()
    assert isinstance(shop, Shop)
    reader = sender(shop_name())
    assert reader.connector.triggers is not None
    ours, bare = [], []
    for number in range(count):
        lines = [SaleLine("TEA-100", 2), SaleLine("MUG-RED")]
        order = shop.place(Sale(str(10_000 + number), lines, shipping=Decimal("6.00")))
        shop.pay(order)
        sent = shop.webhook(order, "order.paid")
        headers, body = dict(sent.headers), sent.body
        if name == STANDARD:
            now = datetime.now(UTC)
            found = {key.lower(): value for key, value in headers.items()}
            (event, *_) = reader.connector.triggers.normalise(Delivery("shop", found, body, now), reader).events
            data = event.data.model_dump_json(exclude_defaults=True).encode()
            body = b'{"type":"order.paid","timestamp":"%s","data":%s}' % (now.isoformat().encode(), data)
            headers = StandardWebhooks().sign(body, WHSEC, delivery_id=f"msg_{number}", now=now)
        signature = {"x-bench": hmac.digest(SECRET, body, "sha256").hex()}
        ours.append(request("/hooks/shop", headers, body))
        bare.append(request("/full", signature, body))
    return Requests(ours, bare)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def process(*command: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, *command], env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()


async def answering(port: int, path: str = "/", seconds: float = 20) -> float:
    """Seconds until something answers there with a status below 500."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).split(b" ")
            writer.close()
            if len(status) > 1 and int(status[1]) < 500:
                return time.perf_counter() - began
        await asyncio.sleep(0.01)
    raise RuntimeError(f"nothing answers on port {port}")


async def rates(module: str, requests: list[bytes], mode: str, folder: Path, name: str) -> tuple[float, float]:
    """Acknowledgements and (in mode `full`) complete runs for each second."""
    times: list[float] = []
    vendor, url = await start_vendor(times)
    port = free_port()
    database = str(folder / f"{module}-{mode}-{time.monotonic_ns()}.db")
    extra = [mode, name] if module == "bench.ours" else []
    with process("-m", module, database, url, str(port), *extra):
        await answering(port)
        await send_all(port, requests[:50], connections=8)
        if mode == "full":
            await until(times, 150)
        times.clear()
        measured = requests[50:]
        began = time.perf_counter()
        acknowledged = await send_all(port, measured)
        runs = 0.0
        if mode == "full":
            await until(times, 3 * len(measured))
            runs = len(measured) / (times[-1] - began)
    vendor.close()
    return len(measured) / acknowledged, runs


async def until(times: list[float], count: int, seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while len(times) < count:  # noqa: ASYNC110 - filled by the protocol
            await asyncio.sleep(0.005)


async def start_up(folder: Path) -> tuple[float, float]:
    """Seconds from `bellwire up` to ready, and its memory in MB when it is idle, for order to cash."""
    project, text = folder / "project", template("order_to_cash")
    roles = {name: each.name for name, each in choose_connectors(text, "order_to_cash", {}).items()}
    ready = []
    memory = 0.0
    async with Practice(set(roles.values())) as practice:
        secrets = write_project(project, practice, roles, {"order_to_cash.yaml": text})
        for _ in range(5):
            port = free_port()
            environment = {**secrets, "BELLWIRE_PORT": str(port)}
            with process("-m", "bellwire", "up", "--project", str(project), env=environment) as up:
                ready.append(await answering(port, "/readyz"))
                await asyncio.sleep(1)
                memory = psutil.Process(up.pid).memory_info().rss / 1e6
    # The first one also makes the ledger.
    return statistics.median(ready[1:]), memory


async def measure(count: int, rounds: int) -> dict[str, float]:
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bellwire-bench-") as temporary:
        folder = Path(temporary)
        ready, idle = await start_up(folder)
        for name, suffix in ((STANDARD, ""), (shop_name(), "_shop")):
            print(f"Signing {count} orders ({name}) …", flush=True)
            requests = webhooks(count, name)
            for round_ in range(1, rounds + 1):
                print(f"Round {round_} of {rounds} …", flush=True)
                for what, values in (await one_round(requests, folder, name)).items():
                    figures.setdefault(what + suffix, []).append(values)
    return {
        **{what: statistics.median(values) for what, values in figures.items() if what in AIMS},
        "ready_s": ready,
        "idle_mb": idle,
        **{what: statistics.median(values) for what, values in figures.items() if what not in AIMS},
    }


async def one_round(requests: Requests, folder: Path, name: str) -> dict[str, float]:
    """Bare loop and Bellwire in turn, so that the machine's drift falls out of their ratios."""
    alone = [each.replace(b"POST /full ", b"POST /ack ", 1) for each in requests.bare]
    bare_acks, _ = await rates("bench.bare", alone, "ack", folder, name)
    acks, _ = await rates("bench.ours", requests.ours, "ack", folder, name)
    _, bare_runs = await rates("bench.bare", requests.bare, "full", folder, name)
    _, runs = await rates("bench.ours", requests.ours, "full", folder, name)
    return {
        "ack_ratio": acks / bare_acks,
        "run_ratio": runs / bare_runs,
        "acks_per_s": acks,
        "bare_acks_per_s": bare_acks,
        "runs_per_s": runs,
        "bare_runs_per_s": bare_runs,
    }


AIMS = {"ack_ratio": (0.5, True), "run_ratio": (0.5, True), "ready_s": (1.5, False), "idle_mb": (150, False)}


def show(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        aim = ""
        if name in AIMS:
            bound, least = AIMS[name]
            met = value >= bound if least else value < bound
            aim = f"   aim {'at least' if least else 'under'} {bound}: {'met' if met else 'missed'}"
        print(f"{name:<30} {value:>10.2f}{aim}")


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="orders for each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    figures = uvloop.run(measure(arguments.count, arguments.rounds))
    show(figures)
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    LATEST.write_text(json.dumps({**{k: round(v, 4) for k, v in figures.items()}, "machine": machine}, indent=2) + "\n")
    print(f"Written to {LATEST}")


if __name__ == "__main__":
    main()
