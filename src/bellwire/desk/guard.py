"""Who may see the desk while it has no sign-in, and what browsers are told about its pages.

A page on the internet can make a browser ask this machine under a foreign name (DNS rebinding), and a tunnel that is
meant for webhooks passes on everything. So only requests from this machine under one of its own names are answered.
"""

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer of the desk; a static file says itself how long it may be kept."""


class Guard:
    """Gives what may not be answered to `refused`, everything else to `app`. `host` is the address bound to."""

    def __init__(self, app: ASGIApp, refused: ASGIApp, host: str) -> None:
        self._app = app
        self._refused = refused
        self._names = _LOOPBACK | {f"[{host}]" if ":" in host else host.lower()}
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._app if self._is_ours(Headers(scope=scope)) and self._is_near(scope) else self._refused
        await app(scope, receive, send_with_headers)

    def _is_ours(self, headers: Headers) -> bool:
        names = headers.getlist("host")
        return len(names) == 1 and _without_port(names[0].lower()) in self._names

    def _is_near(self, scope: Scope) -> bool:
        """Whether the request was made on this machine, and not handed on by a proxy or tunnel that runs on it."""
        client, headers = scope.get("client"), Headers(scope=scope)
        if client is None or any(name in headers for name in _FORWARDED):
            return False
        address = ipaddress.ip_address(client[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback or client[0] == self._host


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
