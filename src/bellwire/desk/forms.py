"""What was filled in: bounded, and plain text."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_BYTES = 256 * 1024
_MOST_FIELDS = 2_000
_SECONDS = 30.0
"""For all of it to arrive."""


@dataclass(frozen=True)
class Form:
    fields: Mapping[str, list[str]]

    def get(self, name: str, default: str = "") -> str:
        """One line, with single blanks."""
        return " ".join(self.text(name, default).split())

    def text(self, name: str, default: str = "") -> str:
        """As it was written, with plain line ends."""
        values = self.fields.get(name)
        return values[-1].replace("\r\n", "\n") if values else default

    def all(self, name: str) -> list[str]:
        return list(self.fields.get(name, ()))

    def numbers(self, name: str) -> list[int]:
        """Of boxes that were ticked; what isn't a number of a row is left out."""
        return [int(each) for each in self.all(name) if each.isascii() and each.isdigit() and int(each) < 2**63]

    def __contains__(self, name: object) -> bool:
        return name in self.fields


async def read_form(request: Request) -> Form:
    """Form fields (application/x-www-form-urlencoded). Raises HTTPException when it is too much, comes too slowly, or
    is something else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise HTTPException(415)
    try:
        async with asyncio.timeout(_SECONDS):
            body = await _read(request)
    except TimeoutError:
        raise HTTPException(408) from None
    if body.count(b"&") >= _MOST_FIELDS:
        raise HTTPException(413)
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise HTTPException(400) from None
    for name, value in pairs:
        if "\0" in value:  # A ledger on PostgreSQL can't hold it.
            raise HTTPException(400)
        fields.setdefault(name, []).append(value)
    return Form(fields)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    return bytes(body)


def form_of(request: Request) -> Form:
    """What the gate has read, of a POST."""
    form = request.scope["form"]
    assert isinstance(form, Form)
    return form
