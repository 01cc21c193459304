"""What is declared about mail servers."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from bellwire.connectors.kit import Credential, Level, Limit, Manifest, ProjectPath, Settings
from bellwire.events import Environment


class MailSettings(Settings):
    host: str = Field(min_length=1)
    """The mail server, e.g. `smtp.example.com`."""
    port: int = Field(default=587, ge=1, le=65535)
    """587 for starttls, 465 for tls."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted. `none` works only with a server on this machine."""
    from_address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    """Who the mails are from, e.g. `shop@example.com`."""
    from_name: str = Field(default="", pattern=r"^[^\r\n]*$")
    """The name beside it, e.g. `Hill Tea`; templates sign with it."""
    reply_to: str = Field(default="", pattern=r"^([^@\s]+@[^@\s]+)?$")
    """Where answers go, if not to `from_address`."""
    sandbox_recipients: tuple[str, ...] = ()
    """Sandbox: who may get mail all the same, by a mail server that isn't on this machine: addresses, or domains like
    `@example.com`. Nobody else gets any."""
    ca_file: ProjectPath | None = None
    """A file (PEM) with the certificate authority of a mail server that has its own."""
    templates: ProjectPath = Field(default=Path("mails"), validate_default=True)
    """The folder of this project's own templates, `NAME.txt`: first line `Subject: …`, then the text."""


_ADDRESS = "smtp://{host}:{port}"

MANIFEST = Manifest(
    name="smtp",
    title="The mail server",
    capabilities=("email",),
    # There is no sandbox: a server that only keeps what it gets is one.
    base_urls={Environment.SANDBOX: _ADDRESS, Environment.PRODUCTION: _ADDRESS},
    settings=MailSettings,
    credentials=(
        Credential(
            "username", "Often the mail address itself; a relay that knows this machine needs none", required=False
        ),
        Credential("password", "An app password, where the provider has them; goes with username", required=False),
    ),
    # The strictest of the large providers takes 30 a minute.
    limits=(Limit(30, per=timedelta(minutes=1)),),
    parallel=2,
    docs="https://www.rfc-editor.org/rfc/rfc5321",
    level=Level.GOLD,
    exempt={
        "spec": "There is no description by machine; the standard library's client and server are the test.",
        "signatures": "It sends us nothing.",
        "paging": "Nothing is listed.",
        "reconcile": "It sends us nothing: what comes back is a mail in the mailbox of from_address.",
        "subscriptions": "It sends us nothing.",
        "version": "SMTP has no versions: what a server can do, it says at the beginning of each conversation.",
        "access": "There are no scopes: a mail account may send as those that its provider lets it.",
    },
)
