"""E-mail to customers and colleagues."""

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.orders import Order


class SendNotice(Given):
    """A mail about an order, worded by a template."""

    to: str = Field(min_length=3, pattern=r"^[^@\s]+@[^@\s]+$")
    template: str = "order_paid"
    """A template of the connection's project (`mails/NAME.txt`), or one that Bellwire brings."""
    order: Order
    tracking_number: str = ""
    tracking_url: str = ""


class SendMail(Given):
    to: str = Field(min_length=3, pattern=r"^[^@\s]+@[^@\s]+$")
    subject: str = Field(min_length=1)
    text: str


class Mail(Result):
    id: str
    """The Message-ID."""
    to: str


SEND_NOTICE = Operation(
    "email", "send_notice", SendNotice, Mail, Effect.MESSAGE, "Write to the customer about the order"
)
SEND_MAIL = Operation("email", "send_mail", SendMail, Mail, Effect.MESSAGE, "Send an e-mail")

OPERATIONS = (SEND_NOTICE, SEND_MAIL)
