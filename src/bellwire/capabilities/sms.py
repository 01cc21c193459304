"""Text messages to phones."""

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result


class SendSms(Given):
    to: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$")
    """The number in E.164: `+` and the country's code first, no spaces, e.g. `+15125550123`."""
    text: str = Field(min_length=1, max_length=1600)
    """Plain text. Carriers charge for each part of 160 characters, of 70 if any isn't in their alphabet (GSM-7)."""


class Sms(Result):
    id: str
    to: str
    """In E.164."""


SEND_SMS = Operation("sms", "send_sms", SendSms, Sms, Effect.MESSAGE, "Send a text message to a phone")

OPERATIONS = (SEND_SMS,)
