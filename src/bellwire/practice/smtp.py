"""A mail server on loopback that keeps every mail and delivers none.

It refuses addresses that begin with `unknown`, as a mailbox would that doesn't exist.
"""

import asyncio
import email
import email.policy
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, ClassVar, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.faults import FaultKind
from bellwire.practice.quota import take
from bellwire.practice.roles import Sent, mentioned_order
from bellwire.practice.simulator import Received, Simulator

_SAID = {
    FaultKind.RATE_LIMITED: "451 4.7.1 Too many mails, try again later",
    FaultKind.FAILED: "451 4.3.0 Internal error",
    FaultKind.SIGNED_OUT: "535 5.7.8 Authentication credentials invalid",
}


@dataclass
class MailSimulator(Simulator):
    vendor: ClassVar[str] = "smtp"
    credentials: ClassVar[Mapping[str, str]] = {"username": "practice", "password": "practice"}
    settings: ClassVar[Mapping[str, Any]] = {
        "host": "127.0.0.1",
        "security": "none",
        "from_address": "shop@practice.example",
        "from_name": "Practice Tea",
    }

    kept: list[EmailMessage] = field(default_factory=list)
    _server: asyncio.Server | None = None

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/", self._list)]

    def state(self) -> dict[str, Any]:
        return {
            "mails": [
                {
                    "id": mail["Message-ID"],
                    "to": mail["To"],
                    "subject": mail["Subject"],
                    "text": _text(mail),
                    "attachments": [part.get_filename() for part in mail.iter_attachments()],
                }
                for mail in self.kept
            ]
        }

    def mails(self) -> list[Sent]:
        return [
            Sent(mail["Message-ID"], mentioned_order(mail["Subject"]), _text(mail), mail["To"], mail["Subject"])
            for mail in self.kept
        ]

    def made(self) -> Mapping[str, Collection[str]]:
        """What a mail came of doesn't show in it."""
        ids = [str(mail["Message-ID"]) for mail in self.kept]
        return {"email.send_mail": ids, "email.send_notice": ids}

    @property
    def address(self) -> str | None:
        if self._server is None:
            return None
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            # Practice has no certificate; signing in without encryption is what loopback is for.
            return SMTP(
                self, loop=loop, hostname="practice.example", authenticator=self._sign_in, auth_require_tls=False
            )

        # Its warnings are about itself.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._server = await loop.create_server(protocol, "127.0.0.1", 0)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    # What aiosmtpd calls, by these names

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("unknown"):
            said = "550 5.1.1 No such user here"
            self._note(address, "", said)
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        to, text = ", ".join(envelope.rcpt_tos), f"{mail['Subject']}\n\n{_text(mail)}"
        if take(self.quotas, f"MAIL {to}"):
            self._note(to, text, _SAID[FaultKind.RATE_LIMITED])
            return _SAID[FaultKind.RATE_LIMITED]
        fault = self.faults.next(f"MAIL {to} {text}")
        kind = fault.kind if fault else None
        if kind in _SAID:
            self._note(to, text, _SAID[kind], kind)
            return _SAID[kind]
        if fault and kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        self.kept.append(mail)
        if kind is FaultKind.LOST_ANSWER:
            self._note(to, text, "", kind)
            # Not every loop's transports are of asyncio's own class.
            cast("asyncio.Transport", server.transport).abort()
            raise ConnectionResetError
        self._note(to, text, "250", kind)
        return "250 OK"

    def _sign_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        practice = LoginPassword(*(self.credentials[field].encode() for field in ("username", "password")))
        return AuthResult(success=given == practice, handled=False)

    def _note(self, to: str, text: str, said: str, kind: FaultKind | None = None) -> None:
        status = int(said[:3]) if said else None
        self.received.append(Received("MAIL", to, {}, text, status, kind or ""))

    async def _list(self, _: Request) -> Response:
        return JSONResponse(self.state())


SIMULATOR = MailSimulator


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()).replace("\r\n", "\n") if body else ""
