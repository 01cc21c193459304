"""Sending."""

from collections.abc import Sequence

from bellwire.capabilities.email import SEND_MAIL, SEND_NOTICE, Attachment, Mail, SendMail, SendNotice
from bellwire.connectors.kit import Account, Call, Unkeyed, action
from bellwire.connectors.smtp.manifest import MailSettings
from bellwire.connectors.smtp.message import address, message
from bellwire.connectors.smtp.replies import About
from bellwire.connectors.smtp.session import conversation, failing, restrained
from bellwire.connectors.smtp.templates import Words, render
from bellwire.errors import Refused

_REPEAT = Unkeyed("SMTP has no keys; the Message-ID stays the same, by which many mailboxes drop the second copy")


@action(SEND_NOTICE, repeat=_REPEAT)
async def send_notice(call: Call, given: SendNotice) -> Mail:
    """A mail about an order, worded by a template with `order`, `tracking_number`, `tracking_url` and `from_name`."""
    settings: MailSettings = call.settings
    values = {
        "order": given.order,
        "tracking_number": given.tracking_number,
        "tracking_url": given.tracking_url,
        "from_name": settings.from_name,
    }
    return await _send(call, given.to, render(given.template, settings.templates, values), given.attachments)


@action(SEND_MAIL, repeat=_REPEAT)
async def send_mail(call: Call, given: SendMail) -> Mail:
    return await _send(call, given.to, Words(given.subject, given.text), given.attachments)


async def sign_in(call: Call) -> Account:
    """Connects, encrypts and signs in; sends nothing."""
    settings: MailSettings = call.settings
    async with conversation(call):
        how = "not encrypted" if settings.security == "none" else settings.security
        nobody = restrained(call) and not settings.sandbox_recipients
        warnings = ("In sandbox, no mail goes out: sandbox_recipients is empty.",) if nobody else ()
        return Account(settings.from_address, f"{settings.host}, {how}", warnings=warnings)


async def _send(call: Call, to: str, words: Words, attachments: Sequence[Attachment]) -> Mail:
    recipient = address(to)
    _keep_from_customers(call, to)
    mail = message(call.settings, recipient, words, attachments, key=call.key, now=call.clock())
    content, sender = mail.as_bytes(), address(call.settings.from_address)
    async with conversation(call, to) as smtp:
        with failing(call, About.SENDER, to):
            size = [f"SIZE={len(content)}"] if smtp.supports_extension("size") else []
            await smtp.mail(sender.addr_spec, options=size)
        with failing(call, About.RECIPIENT, to):
            await smtp.rcpt(recipient.addr_spec)
        with failing(call, About.CONTENT, to, sending=True):
            await smtp.data(content)
    return Mail(id=mail["Message-ID"], to=to)


def _keep_from_customers(call: Call, to: str) -> None:
    """Raises Refused for a mail that would reach somebody while things are only being tried out."""
    settings: MailSettings = call.settings
    allowed = {each.lower() for each in settings.sandbox_recipients}
    if restrained(call) and not allowed & {to.lower(), "@" + to.lower().rpartition("@")[2]}:
        raise Refused(
            f"In sandbox, no mail goes to {to}.",
            cause="sandbox-recipient",
            remedy="Add the address, or its domain, to sandbox_recipients of this connection in connections.toml; or "
            "use a mail server on this machine that only keeps what it gets.",
        )
