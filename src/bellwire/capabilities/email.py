"""E-mail to customers and colleagues."""

import base64
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.orders import Order

LARGEST = 10_000_000
"""Bytes of all attachments of a mail: what most mailboxes take, once it is a third more on the way."""


class Attachment(Given):
    """A file that goes with a mail."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f\x7f]+$")
    """As the recipient sees it, e.g. `invoice-1001.pdf`."""
    media_type: str = Field(
        default="application/octet-stream", pattern=r"^(application|audio|font|image|text|video)/[a-z0-9.+-]+$"
    )
    """E.g. `application/pdf`."""
    content: str = ""
    """Base64 (RFC 4648, 4)."""
    text: str = ""
    """In place of it, for what is text: it goes out in UTF-8."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Attachment":
        if bool(self.content) == bool(self.text):
            raise ValueError("an attachment has either content (base64) or text")
        if self.content:
            try:
                base64.b64decode(self.content, validate=True)
            except ValueError as error:
                raise ValueError("content isn't base64") from error
        return self

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.content) if self.content else self.text.encode()


def _within_bounds(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    size = sum(len(each.data) for each in attachments)
    if size > LARGEST:
        raise ValueError(f"the attachments of one mail may have {LARGEST:,} bytes in all, and these have {size:,}")
    return attachments


Attachments = Annotated[tuple[Attachment, ...], Field(max_length=20), AfterValidator(_within_bounds)]


class SendNotice(Given):
    """A mail about an order, worded by a template."""

    to: str = Field(min_length=3, pattern=r"^[^@\s]+@[^@\s]+$")
    template: str = "order_paid"
    """A template of the connection's project (`mails/NAME.txt`), or one that Bellwire brings."""
    order: Order
    tracking_number: str = ""
    tracking_url: str = ""
    attachments: Attachments = ()


class SendMail(Given):
    to: str = Field(min_length=3, pattern=r"^[^@\s]+@[^@\s]+$")
    subject: str = Field(min_length=1)
    text: str
    attachments: Attachments = ()


class Mail(Result):
    id: str
    """The Message-ID."""
    to: str


SEND_NOTICE = Operation(
    "email", "send_notice", SendNotice, Mail, Effect.MESSAGE, "Write to the customer about the order"
)
SEND_MAIL = Operation("email", "send_mail", SendMail, Mail, Effect.MESSAGE, "Send an e-mail")

OPERATIONS = (SEND_NOTICE, SEND_MAIL)
