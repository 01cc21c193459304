"""Sending."""

from bellwire.capabilities.email import SEND_MAIL, SEND_NOTICE, Mail, SendMail, SendNotice
from bellwire.connectors.kit import Account, Call, Unkeyed, action
from bellwire.connectors.smtp.manifest import MailSettings
from bellwire.connectors.smtp.message import address, message
from bellwire.connectors.smtp.replies import About
from bellwire.connectors.smtp.session import conversation, failing
from bellwire.connectors.smtp.templates import Words, render

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
    return await _send(call, given.to, render(given.template, settings.templates, values))


@action(SEND_MAIL, repeat=_REPEAT)
async def send_mail(call: Call, given: SendMail) -> Mail:
    return await _send(call, given.to, Words(given.subject, given.text))


async def sign_in(call: Call) -> Account:
    """Connects, encrypts and signs in; sends nothing."""
    settings: MailSettings = call.settings
    async with conversation(call):
        how = "not encrypted" if settings.security == "none" else settings.security
        return Account(settings.from_address, f"{settings.host}, {how}")


async def _send(call: Call, to: str, words: Words) -> Mail:
    recipient = address(to)
    mail = message(call.settings, recipient, words, key=call.key, now=call.clock())
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
