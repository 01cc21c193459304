"""How soon `bellwire up` is ready, and what it holds when it is idle."""

import asyncio
import tempfile
from pathlib import Path

import psutil

from bellwire.cli.roles import choose_connectors
from bellwire.flows import bundled
from bellwire.practice import Practice
from bellwire.practice.project import write_project
from bench.processes import answering, free_port, process
from bench.setting import Setting


async def measure(setting: Setting) -> None:
    """Of order to cash with all its accounts."""
    text = bundled("order_to_cash")
    roles = {name: each.name for name, each in choose_connectors({"order_to_cash": text}, {}).items()}
    async with Practice(set(roles.values())) as practice:
        with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
            secrets = write_project(Path(folder), practice, roles, {"order_to_cash.yaml": text})
            for turn in range(setting.counts.rounds + 1):
                port = free_port()
                environment = {**secrets, "BELLWIRE_PORT": str(port)}
                with process("-m", "bellwire", "up", "--project", folder, env=environment) as up:
                    ready = await answering(port, "/readyz")
                    await asyncio.sleep(1)
                    memory = psutil.Process(up.pid).memory_info().rss / 1e6
                if turn:  # the first one also makes the ledger
                    setting.figures.add(ready_s=ready, idle_mb=memory)
