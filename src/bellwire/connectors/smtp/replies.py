"""What a mail server's replies mean: RFC 5321 (codes), RFC 3463 (`5.1.1`), RFC 4954 (signing in)."""

import re
from enum import StrEnum

from bellwire.errors import Refused, SignedOut, Transient, VendorError

_SIGN_IN = {530, 534, 535, 538}
_TOO_BIG = {"5.3.4", "5.2.3"}
_MAILBOX_FULL = "5.2.2"


class About(StrEnum):
    """Which part of the conversation a reply answers."""

    SERVER = "server"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


def reply_error(code: int, text: str, about: About, connection: str, to: str) -> VendorError:
    """The error behind a reply that isn't a yes."""
    detail = f"{code} {text}"
    if code in _SIGN_IN:
        return SignedOut(
            f"The mail server doesn't accept the sign-in of connection '{connection}'.",
            detail=detail,
            remedy=f"Many providers want an app password. `bellwire secrets set {connection} …` takes username and "
            "password anew.",
        )
    if code < 500:
        return Transient("The mail server can't take the mail just now.", cause="mail-server-busy", detail=detail)
    cause, sentence, remedy = _refusal(code, text, about, to)
    return Refused(sentence, cause=cause, detail=detail, remedy=remedy)


def _refusal(code: int, text: str, about: About, to: str) -> tuple[str, str, str]:
    found = re.match(r"5\.\d+\.\d+", text)
    status = found[0] if found else ""
    if status in _TOO_BIG or (code == 552 and status != _MAILBOX_FULL):
        return "too-big", "The mail is too big for the mail server.", "Attach less, or shorten the text."
    if status == _MAILBOX_FULL:
        return "mailbox-full", f"The mailbox of {to} is full.", "Reach the customer another way, or retry later."
    if about is About.RECIPIENT and (status.startswith("5.1.") or (not status and code in (550, 551, 553))):
        return (
            "unknown-recipient",
            f"The address {to} doesn't exist, the mail server says.",
            "Correct it at the customer's record, then retry with the edited input.",
        )
    if about is About.SENDER:
        return (
            "not-allowed",
            "The mail server doesn't let this connection send from its from_address.",
            "Set from_address in connections.toml to an address that the mail account may use.",
        )
    if status.startswith("5.7."):
        return (
            "not-allowed",
            f"The mail server isn't allowed to deliver to {to}, or takes the mail for spam.",
            "Ask the mail provider; the wording below says more.",
        )
    return f"refused-{code}", f"The mail server refused the mail ({code}).", "The wording below says more."
