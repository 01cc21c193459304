"""One conversation with the mail server; every way it can fail is an error class."""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

import aiosmtplib

from bellwire.connectors.kit import Call
from bellwire.connectors.smtp.manifest import MailSettings
from bellwire.connectors.smtp.message import address
from bellwire.connectors.smtp.replies import About, reply_error
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.events import Environment


@asynccontextmanager
async def conversation(call: Call, to: str = "") -> AsyncIterator[aiosmtplib.SMTP]:
    """Connected, encrypted as set, signed in if there are credentials. Raises VendorError."""
    settings: MailSettings = call.settings
    host, port = _server(call)
    if settings.security == "none" and not _is_this_machine(host):
        raise Refused(
            f"Mail to {host} would cross the network unencrypted.",
            cause="unencrypted",
            remedy='Set security = "starttls" or "tls" for this connection in connections.toml.',
        )
    smtp = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        local_hostname=address(settings.from_address).domain,
        timeout=call.api.timeout.total_seconds(),
        use_tls=settings.security == "tls",
        start_tls=False,
        tls_context=_trust(settings) if settings.security != "none" else None,
    )
    async with call.api.turn():
        try:
            with failing(call, About.SERVER, to):
                await _open(smtp, call, encrypt=settings.security == "starttls")
            yield smtp
            # What is accepted stays accepted, however the goodbye goes.
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit()
        finally:
            smtp.close()


def restrained(call: Call) -> bool:
    """Whether mails that are only tried out could reach people: there is no sandbox on a mail server."""
    return call.connection.environment is Environment.SANDBOX and not _is_this_machine(_server(call)[0])


def _server(call: Call) -> tuple[str, int]:
    settings: MailSettings = call.settings
    server = urlsplit(call.connection.base_url)
    return server.hostname or settings.host, server.port or settings.port


async def _open(smtp: aiosmtplib.SMTP, call: Call, *, encrypt: bool) -> None:
    await smtp.connect()
    await smtp.ehlo()
    if encrypt:
        if not smtp.supports_extension("starttls"):
            raise Refused(
                "The mail server offers no encryption.",
                cause="unencrypted",
                remedy='Ask the mail provider for the right port; with 465, set security = "tls".',
            )
        await smtp.starttls()
        await smtp.ehlo()
    username = call.connection.credentials.find("username")
    if username is None:
        return
    if not smtp.supports_extension("auth"):
        raise SignedOut(
            "The mail server doesn't offer to sign in.",
            remedy=f"Check its port and security; if it needs no sign-in, take the username of connection "
            f"'{call.connection.name}' away.",
        )
    await smtp.login(username, call.connection.credentials.get("password"))


@contextmanager
def failing(call: Call, about: About, to: str, *, sending: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside into VendorErrors. `sending`: the mail is on its way, so a lost answer leaves its
    fate open."""
    try:
        yield
    except aiosmtplib.SMTPResponseException as error:
        raise reply_error(error.code, error.message, about, call.connection.name, to) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _broken(error, sending=sending) from error


def _broken(error: Exception, *, sending: bool) -> VendorError:
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error.__cause__ or error, ssl.SSLError):
        return Transient(
            "The certificate of the mail server isn't trusted, or encryption failed.",
            cause="certificate",
            detail=detail,
            remedy="Check `host`, `port` and `security` of this connection; a server with a certificate authority of "
            "its own needs `ca_file`.",
        )
    if sending:
        return OutcomeUnknown("The mail server broke off before it said whether it has taken the mail.", detail=detail)
    return Transient("The mail server can't be reached, or broke off.", cause="unreachable", detail=detail)


def _trust(settings: MailSettings) -> ssl.SSLContext:
    """The machine's certificate authorities, or the one that is set."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise Refused(
            f"The certificate file {settings.ca_file} can't be read.",
            cause="certificate",
            detail=str(error),
            remedy="Correct `ca_file` of this connection in connections.toml.",
        ) from error


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
