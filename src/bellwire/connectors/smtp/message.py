"""From words to a mail (RFC 5322). Headers are never joined from strings, so nothing can be injected into them."""

import html
import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from bellwire.capabilities.email import Attachment
from bellwire.connectors.smtp.manifest import MailSettings
from bellwire.connectors.smtp.templates import Words
from bellwire.errors import Refused


def address(text: str) -> Address:
    """One mail address, its domain in ASCII. Raises Refused when it isn't one, or several."""
    local, _, domain = text.rpartition("@")
    try:
        return Address(username=_ascii(local), domain=domain.encode("idna").decode())
    except (ValueError, IndexError) as error:
        raise Refused(
            f"'{text}' isn't an e-mail address that can be written to.",
            cause="bad-address",
            detail=str(error),
            remedy="Correct it at the customer's record, then retry with the edited input.",
        ) from error


def message(
    settings: MailSettings,
    to: Address,
    words: Words,
    attachments: Sequence[Attachment] = (),
    *,
    key: str,
    now: datetime,
) -> EmailMessage:
    """The mail. Its Message-ID follows from `key`, so that servers can tell a repeated mail from a new one."""
    sender = address(settings.from_address)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(settings.from_name, sender.username, sender.domain)
    mail["To"] = to
    if settings.reply_to:
        mail["Reply-To"] = address(settings.reply_to)
    mail["Subject"] = " ".join(words.subject.split())
    mail["Date"] = now
    mail["Message-ID"] = f"<{key}@{sender.domain}>"
    mail["X-Bellwire-Id"] = key
    # RFC 3834: no out-of-office answers to this.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.text)
    mail.add_alternative(_as_html(words.text), subtype="html")
    for each in attachments:
        maintype, _, subtype = each.media_type.partition("/")
        # As bytes, text too: nobody is to change its line ends.
        mail.add_attachment(each.data, maintype, subtype, filename=each.name, params=_charset(each))
    return mail


def _ascii(local: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+", local):
        raise ValueError("the part before @ has characters that mail servers don't take")
    return local


def _charset(attachment: Attachment) -> dict[str, str]:
    return {"charset": "utf-8"} if attachment.text and attachment.media_type.startswith("text/") else {}


def _as_html(text: str) -> str:
    paragraphs = html.escape(text.strip()).split("\n\n")
    linked = [re.sub(r"(https?://[^\s<]+)", r'<a href="\1">\1</a>', paragraph) for paragraph in paragraphs]
    body = "\n".join("<p>" + paragraph.replace("\n", "<br>\n") + "</p>" for paragraph in linked)
    return f"<!doctype html>\n<html><body>\n{body}\n</body></html>\n"
