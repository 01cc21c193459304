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
from decimal import Decimal
from pathlib import Path

import psutil

from bellwire.connectors import all_connectors
from bellwire.practice import Sale, SaleLine, Shop, find_simulator
from bench.bare import SECRET
from bench.load import request, send_all, start_vendor

LATEST = Path(__file__).with_name("latest.json")


def shop_name() -> str:
    """The first storefront there is."""
    return next(each.name for each in all_connectors() if "storefront" in each.manifest.capabilities)


def webhooks(count: int, vendor: str) -> tuple[list[bytes], list[bytes]]:
    """The same paid orders as requests for Bellwire and for the bare loop."""
    shop = find_simulator(vendor)()
    assert isinstance(shop, Shop)
    ours, bare = [], []
    for number in range(count):
        lines = [SaleLine("TEA-100", 2), SaleLine("MUG-RED")]
        order = shop.place(Sale(str(10_000 + number), lines, shipping=Decimal("6.00")))
        shop.pay(order)
        sent = shop.webhook(order, "order.paid")
        signature = {"x-bench": hmac.digest(SECRET, sent.body, "sha256").hex()}
        ours.append(request("/hooks/shop", dict(sent.headers), sent.body))
        bare.append(request("/full", signature, sent.body))
    return ours, bare


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


async def rates(module: str, requests: list[bytes], mode: str, folder: Path, shop: str) -> tuple[float, float]:
    """Acknowledgements and (in mode `full`) complete runs for each second."""
    times: list[float] = []
    vendor, url = await start_vendor(times)
    port = free_port()
    database = str(folder / f"{module}-{mode}-{time.monotonic_ns()}.db")
    extra = [mode, shop] if module == "bench.ours" else []
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
    """Seconds from the command to ready, and its memory in MB when it is idle."""
    project = folder / "project"
    cli = ["-m", "bellwire"]
    subprocess.run(  # noqa: ASYNC221 - nothing else goes on
        [sys.executable, *cli, "init", str(project)], check=True, stdout=subprocess.DEVNULL
    )
    fill_in(project)
    ready = []
    memory = 0.0
    for _ in range(4):
        port = free_port()
        with process(*cli, "up", "--project", str(project), env={"BELLWIRE_PORT": str(port)}) as up:
            ready.append(await answering(port, "/readyz"))
            await asyncio.sleep(1)
            memory = psutil.Process(up.pid).memory_info().rss / 1e6
    return statistics.median(ready[1:]), memory


def fill_in(project: Path) -> None:
    """What only the owner knows, made up."""
    path = project / "connections.toml"
    text = path.read_text()
    lines = (
        line.replace("<fill in>", "https://shop.example.com" if line.startswith("url") else "1")
        for line in text.splitlines()
    )
    path.write_text("\n".join(lines) + "\n")


async def measure(count: int, rounds: int, shop: str) -> dict[str, float]:
    print(f"Preparing {count} signed orders …", flush=True)
    ours, bare = webhooks(count, shop)
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bellwire-bench-") as temporary:
        folder = Path(temporary)
        for round_ in range(1, rounds + 1):
            print(f"Round {round_} of {rounds} …", flush=True)
            bare_acks_alone = [each.replace(b"POST /full ", b"POST /ack ", 1) for each in bare]
            for name, module, requests, mode in (
                ("bare_ack", "bench.bare", bare_acks_alone, "ack"),
                ("ack", "bench.ours", ours, "ack"),
                ("bare", "bench.bare", bare, "full"),
                ("run", "bench.ours", ours, "full"),
            ):
                acks, runs = await rates(module, requests, mode, folder, shop)
                figures.setdefault(f"{name}_acks_per_s", []).append(acks)
                figures.setdefault(f"{name}_runs_per_s", []).append(runs)
        ready, idle = await start_up(folder)
    median = {name: statistics.median(values) for name, values in figures.items()}
    return {
        "ack_ratio": ratio(figures["ack_acks_per_s"], figures["bare_ack_acks_per_s"]),
        "run_ratio": ratio(figures["run_runs_per_s"], figures["bare_runs_per_s"]),
        "ready_s": ready,
        "idle_mb": idle,
        "acks_per_s": median["ack_acks_per_s"],
        "bare_acks_per_s": median["bare_ack_acks_per_s"],
        "runs_per_s": median["run_runs_per_s"],
        "bare_runs_per_s": median["bare_runs_per_s"],
        "acks_per_s_beside_runs": median["run_acks_per_s"],
        "bare_acks_per_s_beside_runs": median["bare_acks_per_s"],
    }


def ratio(ours: list[float], bare: list[float]) -> float:
    """The median of the rounds' own ratios: the machine's drift falls out."""
    return statistics.median(a / b for a, b in zip(ours, bare, strict=True))


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
    parser.add_argument("--shop", default=shop_name(), help="the storefront whose webhooks are sent")
    arguments = parser.parse_args()
    figures = uvloop.run(measure(arguments.count, arguments.rounds, arguments.shop))
    show(figures)
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    LATEST.write_text(json.dumps({**{k: round(v, 4) for k, v in figures.items()}, "machine": machine}, indent=2) + "\n")
    print(f"Written to {LATEST}")


if __name__ == "__main__":
    main()
