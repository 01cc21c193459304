"""The shop's webhooks: kept over its API, pinged when they are switched on, disabled when nobody listens."""

import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

import aiohttp
import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bellwire.practice.simulator import Webhook
from bellwire.practice.woocommerce.answers import Body, Wrong, invalid, json, now, paged, require, text

_PATIENCE = 5
"""Failures in a row that the shop puts up with."""


def signed(source: str, secret: str, topic: str, resource: Body) -> Webhook:
    body = orjson.dumps(resource)
    digest = hmac.digest(secret.encode(), body, "sha256")
    name, _, event = topic.partition(".")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/10.3.0 Hookshot (WordPress/6.8)",
        "X-WC-Webhook-Source": f"{source}/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": name,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-WC-Webhook-ID": "1",
        "X-WC-Webhook-Delivery-ID": secrets.token_hex(16),
    }
    return Webhook(topic, headers, body)


@dataclass
class Hooks:
    """`entries` are by id, each with its secret, which is never shown."""

    entries: dict[int, Body] = field(default_factory=dict)
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def state(self) -> list[Body]:
        return [_shown(entry) for entry in self.entries.values()]

    def missed(self, number: int) -> None:
        """A delivery failed: after more than five in a row the shop sends no more."""
        entry = self.entries[number]
        entry["failures"] = entry.get("failures", 0) + 1
        if entry["failures"] > _PATIENCE:
            entry["status"] = "disabled"

    @property
    def collection(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        return {"GET": self._list, "POST": self._create}

    @property
    def item(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        return {"GET": self._read, "PUT": self._update, "DELETE": self._delete}

    async def _list(self, request: Request) -> Response:
        """Newest first, as the shop has it."""
        return paged(request, self.state()[::-1])

    async def _read(self, request: Request) -> Response:
        return JSONResponse(_shown(self._entry(request)))

    async def _create(self, request: Request) -> Response:
        given = await json(request)
        require(given, "topic", "delivery_url")
        if not given["delivery_url"].startswith(("http://", "https://")):
            message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise Wrong(400, "woocommerce_rest_invalid_webhook_delivery_url", message)
        entry = {
            "id": next(self._ids),
            "name": given.get("name") or f"Webhook created on {text(now())}",
            "status": given.get("status", "active"),
            "topic": given["topic"],
            "resource": given["topic"].partition(".")[0],
            "event": given["topic"].partition(".")[2],
            "delivery_url": given["delivery_url"],
            "secret": given.get("secret", ""),
            "date_created_gmt": text(now()),
        }
        self.entries[entry["id"]] = entry
        if entry["status"] == "active":
            await _ping(entry)
        return JSONResponse(_shown(entry), 201)

    async def _update(self, request: Request) -> Response:
        entry, changes = self._entry(request), await json(request)
        if changes.get("status", "active") not in ("active", "paused", "disabled"):
            raise invalid("status", "status is not one of active, paused, and disabled.")
        activated = changes.get("status") == "active" != entry["status"]
        entry |= {k: changes[k] for k in ("name", "status", "topic", "delivery_url", "secret") if k in changes}
        if activated:
            entry.pop("failures", None)
            await _ping(entry)
        return JSONResponse(_shown(entry))

    async def _delete(self, request: Request) -> Response:
        if request.query_params.get("force", "").lower() != "true":
            raise Wrong(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
        entry = self._entry(request)
        del self.entries[entry["id"]]
        return JSONResponse(_shown(entry))

    def _entry(self, request: Request) -> Body:
        number = request.path_params["id"]
        if number not in self.entries:
            raise Wrong(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return self.entries[number]


def _shown(entry: Body) -> Body:
    return {key: value for key, value in entry.items() if key not in ("secret", "failures")}


async def _ping(entry: Body) -> None:
    """The unsigned form that says which webhook it is; what comes back changes nothing."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.post(entry["delivery_url"], data={"webhook_id": str(entry["id"])}) as answer,
        ):
            await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return
