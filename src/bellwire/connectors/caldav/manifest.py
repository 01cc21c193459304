"""What is declared about calendar servers."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from bellwire.capabilities.calendar import Zone
from bellwire.connectors.kit import Basic, Credential, Level, Manifest, Settings
from bellwire.events import Environment


class CalDavSettings(Settings):
    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    """Where the server is: `https://cal.example.com/`, Nextcloud `https://HOST/remote.php/dav/`, Fastmail
    `https://caldav.fastmail.com/`, iCloud `https://caldav.icloud.com/`. The calendars are found from there."""
    calendar: str = ""
    """The calendar, by its name; empty: the only one that there is."""
    zone: Zone = "UTC"
    """The time zone of whole days, and of times that say none, e.g. `Europe/Zurich`."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("the password crosses the network encrypted: the url begins with https://")
        return self


MANIFEST = Manifest(
    name="caldav",
    title="The calendar server",
    capabilities=("calendar",),
    # There is no sandbox: a calendar of one's own, for trying things out, is one.
    base_urls={Environment.SANDBOX: "{url}", Environment.PRODUCTION: "{url}"},
    auth=Basic("username", "password"),
    credentials=(
        Credential("username", "Often the mail address"),
        Credential(
            "password",
            "An app password, where there are any. Nextcloud: Settings › Security; Fastmail: Settings › Privacy & "
            "Security › App passwords; iCloud: account.apple.com › Sign-In and Security › App-Specific Passwords",
        ),
    ),
    settings=CalDavSettings,
    # Otherwise the client says that it wants JSON.
    headers={"Accept": "*/*"},
    # Servers publish no limits; small ones take one thing after the other.
    parallel=1,
    largest_answer=20_000_000,
    docs="https://www.rfc-editor.org/rfc/rfc4791",
    level=Level.GOLD,
    exempt={
        "spec": "There is no description by machine; tests hold the same conversations with a real server.",
        "sdk": "The reference is a server: tests hold the same conversations with a real Radicale.",
        "signatures": "It sends nothing: changes are asked for every five minutes.",
        "limits": "Servers publish none: one request at a time, and 429, 503 and Retry-After are obeyed.",
        "subscriptions": "It sends nothing: changes are asked for every five minutes.",
        "version": "CalDAV has no versions.",
        "environments": "There is no sandbox, and no server says what a calendar is for.",
    },
)
