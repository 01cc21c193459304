"""`/healthz`: the process is alive. `/readyz`: it can take a webhook: it commits a row, and the disk has room."""

import asyncio
import shutil

import orjson
from starlette.requests import Request
from starlette.responses import Response

from bellwire.errors import LedgerBusy
from bellwire.ledger import Database, deliveries

_FLOOR = 100_000_000
"""Bytes that have to be free on the ledger's disk."""
_PATIENCE = 5.0


class Health:
    def __init__(self, ledger: Database) -> None:
        self._ledger = ledger

    async def alive(self, _: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    async def ready(self, _: Request) -> Response:
        """200, or 503 with the reason."""
        problem = await self._problem()
        body = {"status": "not ready", "reason": problem} if problem else {"status": "ready"}
        return Response(orjson.dumps(body), 503 if problem else 200, media_type="application/json")

    async def _problem(self) -> str:
        folder = self._ledger.folder
        free = shutil.disk_usage(folder).free if folder else _FLOOR
        if free < _FLOOR:
            return f"The disk has only {free // 1_000_000} MB left."
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._ledger.write(deliveries.probe)
        except (LedgerBusy, TimeoutError) as error:
            return str(error) or "The ledger doesn't answer."
        return ""
