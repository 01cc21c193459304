"""Acme Desk over real HTTP: consent and tokens, webhooks, tickets. Loopback only."""

import hashlib
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass
class AcmeDesk:
    """What it holds. `says_no`: the owner doesn't agree."""

    url: str = ""
    says_no: bool = False
    scopes: str = "tickets:read hooks"
    asked: dict[str, str] = field(default_factory=dict)
    """Of the last consent."""
    tokens: dict[str, str] = field(default_factory=dict)
    """What the last one was bought with."""
    hooks: list[dict[str, str]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self, method: str, path: str, query: str, body: bytes, signed_in: bool) -> tuple[int, Any]:
        if path == "/oauth/authorize":
            self.asked = dict(parse_qsl(query))
            told = {"error": "access_denied"} if self.says_no else {"code": "c0de", "company": "7"}
            return 302, f"{self.asked['redirect_uri']}?{urlencode(told | {'state': self.asked['state']})}"
        if path == "/oauth/token":
            self.tokens = dict(parse_qsl(body.decode()))
            if not self._takes(self.tokens):
                return 400, {"error": "invalid_grant"}
            grant = {"access_token": "acc3ss", "expires_in": 3600, "refresh_token": "r3fresh", "scope": self.scopes}
            return 200, grant
        if not signed_in:
            return 401, {}
        if path == "/me":
            return 200, {"name": "Tea & Co", "scopes": self.scopes.split()}
        if path == "/tickets":
            return 200, self.tickets
        if method == "POST":
            made = json.loads(body) | {"id": str(next(self.numbers)), "trouble": ""}
            self.hooks.append(made)
            return 200, {"secret": "h00k"}
        if method == "DELETE":
            self.hooks = [hook for hook in self.hooks if hook["id"] != path.rpartition("/")[2]]
            return 200, {}
        return 200, self.hooks

    def _takes(self, given: dict[str, str]) -> bool:
        if given["grant_type"] == "refresh_token":
            return given["refresh_token"] == "g00d"
        digest = urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest())
        return digest.rstrip(b"=").decode() == self.asked["code_challenge"]


@contextmanager
def acme_desk() -> Iterator[AcmeDesk]:
    desk = AcmeDesk()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            signed_in = self.headers.get("Authorization") == "Bearer acc3ss"
            status, told = desk.answer(self.command, parts.path, parts.query, body, signed_in)
            content = b"" if status == 302 else json.dumps(told).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", told)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _do  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the base class's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


PROJECT = """
[desk]
connector = "acme_desk"
environment = "sandbox"
base_url = "{url}"
"""
CLIENT = {"BELLWIRE_DESK_CLIENT_ID": "app", "BELLWIRE_DESK_CLIENT_SECRET": "s3cret"}
SIGNED_IN = CLIENT | {"BELLWIRE_DESK_ACCESS_TOKEN": "acc3ss"}
