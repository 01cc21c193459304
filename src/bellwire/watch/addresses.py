"""The list of where alerts go, changed one by one: the addresses stay in the vault, and only their names come out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from bellwire.errors import BellwireError, NotFound
from bellwire.vault import ConnectionCredentials, Vault
from bellwire.watch.channels import ALERTS, CHANNELS, Channel, named, plain_address

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENCRYPTED_FROM_THE_START = ":465"


@dataclass(frozen=True)
class Addresses:
    """All of them. `version` is another one after each change, and says nothing of them."""

    urls: tuple[str, ...] = field(repr=False)
    version: str

    @property
    def channels(self) -> list[Channel]:
        return named(self.urls)


def read_addresses(vault: Vault, environ: Mapping[str, str]) -> Addresses:
    """As they are just now. Raises ConfigurationError when the vault or the variable can't be read."""
    found = ConnectionCredentials(vault, ALERTS, environ).look(CHANNELS.field)
    if found is None:
        return Addresses((), "")
    return Addresses(tuple(found.value.split()), found.set_at.isoformat() if found.set_at else found.origin.value)


@dataclass(frozen=True)
class ChannelChange:
    """What the list is to be; `name` is that of the channel that comes or goes."""

    name: str
    urls: tuple[str, ...] = field(repr=False)


async def plain(address: str) -> str:
    """An address as it is kept: one that a chat gave for its webhook becomes one of Apprise's. Raises BellwireError
    when nothing can be sent there."""
    found = await plain_address(address.strip())
    if not found:
        raise BellwireError(
            "Alerts can't be sent to this address: it isn't understood.",
            remedy="Look whether all of it was copied.",
        )
    return found


def with_another(vault: Vault, environ: Mapping[str, str], url: str) -> ChannelChange:
    """Raises BellwireError when it is there already."""
    before = read_addresses(vault, environ).urls
    if url in before:
        raise BellwireError("Alerts go there already.")
    urls = (*before, url)
    return ChannelChange(named(urls)[-1].name, urls)


def without(vault: Vault, environ: Mapping[str, str], name: str, version: str | None = None) -> ChannelChange:
    """Without the one that is called so; with a `version`, only if nothing was changed since, as the names may have.
    Raises NotFound, BellwireError."""
    before = read_addresses(vault, environ)
    if version is not None and version != before.version:
        raise BellwireError(
            "Where alerts go was changed by somebody else since you began, so nothing was saved.",
            remedy="Look at it as it is now, and change it again.",
        )
    names = [channel.name for channel in before.channels]
    if name not in names:
        raise NotFound(f"There is no channel '{name[:40]}'.")
    place = names.index(name)
    return ChannelChange(name, before.urls[:place] + before.urls[place + 1 :])


def keep(vault: Vault, environ: Mapping[str, str], change: ChannelChange) -> None:
    """Into the vault; it holds from the next alert on. Doing it again does no harm."""
    ConnectionCredentials(vault, ALERTS, environ).store({CHANNELS.field: " ".join(change.urls)})


def mailbox(server: str, user: str, password: str, sender: str, to: str) -> str:
    """The address of a mailbox, by what a mail program asks for. Raises BellwireError."""
    if not _HOST.fullmatch(server):
        raise BellwireError("The mail server is a name such as mail.example.com.")
    if not (user and password and "@" in to):
        raise BellwireError("A mailbox needs the user name, the password, and whom to write to.")
    asked = {"from": sender or (user if "@" in user else to), "to": to}
    asked |= {"mode": "ssl"} if server.endswith(_ENCRYPTED_FROM_THE_START) else {}
    return f"mailtos://{quote(user, safe='')}:{quote(password, safe='')}@{server}?{urlencode(asked)}"


def phone(topic: str) -> str:
    """The address of whoever has subscribed to a topic of ntfy. Raises BellwireError."""
    if not _TOPIC.fullmatch(topic):
        raise BellwireError("A topic is a word of letters, digits, - and _, without blanks.")
    return f"ntfys://{topic}"
