"""A simulated shop sends its webhooks: once or several times, in order or out of it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, field_validator

from bellwire.practice.roles import Sale, SaleLine, Shop
from bellwire.practice.simulator import Webhook
from bellwire.practice.stories.order_to_cash import Chapter, deliveries

_PATIENCE = aiohttp.ClientTimeout(total=30)


class Sending(BaseModel):
    """A new order that is paid, and how its webhooks go out to `to`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str
    """The address of a hook on this machine: `http://127.0.0.1:8787/hooks/shop`."""
    number: str = Field(default="1001", pattern=r"^\d{1,9}$")
    """The order's number."""
    copies: int = Field(default=1, ge=1, le=100)
    """How often the webhook goes out; the last of several is a new delivery of the same fact."""
    overtaken: bool = False
    """Whether a later state of the order goes out before the webhook that says it is paid."""

    @field_validator("to")
    @classmethod
    def _here(cls, to: str) -> str:
        parts = urlsplit(to)
        if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("practice sends to this machine only: an address that begins with http://127.0.0.1")
        return to


async def send(shop: Shop, wanted: Sending) -> list[dict[str, Any]]:
    """What went out, and what the receiver said to each. Raises aiohttp.ClientError, TimeoutError."""
    async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
        return [await _send(session, wanted.to, webhook) for webhook in _webhooks(shop, wanted)]


def _webhooks(shop: Shop, wanted: Sending) -> Iterator[Webhook]:
    sale = Sale(wanted.number, [SaleLine("TEA-100", 2)])
    chapter = Chapter(sale, "", copies=wanted.copies, overtaken=wanted.overtaken)
    return (delivery.webhook for delivery in deliveries(shop, [chapter], {}))


async def _send(session: aiohttp.ClientSession, to: str, webhook: Webhook) -> dict[str, Any]:
    async with session.post(to, data=webhook.body, headers=webhook.headers, allow_redirects=False) as answer:
        return {"topic": webhook.topic, "status": answer.status, "answer": await answer.text(errors="replace")}
