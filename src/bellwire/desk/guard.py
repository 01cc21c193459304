"""Which requests come from this machine, and what browsers are told about the desk's pages.

A page on the internet can make a browser ask this machine under a foreign name (DNS rebinding), and a tunnel that is
meant for webhooks passes on everything. So without a sign-in, only requests from this machine under one of its own
names are answered.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FORWARDED = (
    *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-server"),
    *("x-real-ip", "cf-connecting-ip", "true-client-ip", "via"),
)
"""What proxies and tunnels add."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer of the desk; a static file says itself how long it may be kept."""


class Near:
    """Tells whether a request was made on this machine under one of its own names. `host` is the address bound to."""

    def __init__(self, host: str) -> None:
        self._names = _LOOPBACK | {f"[{host}]" if ":" in host else host.lower()}
        self._host = host

    def __call__(self, scope: Scope) -> bool:
        return self._is_ours(Headers(scope=scope)) and self._is_near(scope)

    def _is_ours(self, headers: Headers) -> bool:
        names = headers.getlist("host")
        return len(names) == 1 and _without_port(names[0].lower()) in self._names

    def _is_near(self, scope: Scope) -> bool:
        """Whether it wasn't handed on by a proxy or tunnel that runs here."""
        client, headers = scope.get("client"), Headers(scope=scope)
        if client is None or any(name in headers for name in _FORWARDED):
            return False
        address = ipaddress.ip_address(client[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback or client[0] == self._host


def is_exposed(host: str, public: str) -> bool:
    """Whether other machines may reach what is bound to `host`: that address is beyond this machine, or the `public`
    one is. Then something hands requests on, and if it doesn't say so, each looks as if it were made here."""
    return _beyond_loopback(host) or _beyond_loopback(urlsplit(public).hostname or host)


def _beyond_loopback(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host not in _LOOPBACK


class Guard:
    """Gives what isn't from this machine to `refused`, everything else to `app`."""

    def __init__(self, app: ASGIApp, refused: ASGIApp, host: str) -> None:
        self._app = app
        self._refused = refused
        self._near = Near(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._app if self._near(scope) else self._refused)(scope, receive, _with_headers(send))


class Headed:
    """Gives the desk's headers to every answer of `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
