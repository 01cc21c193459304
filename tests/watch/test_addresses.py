"""Where alerts go, changed one by one: what is filled in becomes an address that Apprise takes as it was meant."""

from pathlib import Path
from typing import Any

import apprise
import pytest

from bellwire.errors import BellwireError, NotFound
from bellwire.vault import Vault, create_key_file
from bellwire.watch import addresses, read_channels
from tests.watch.conftest import SECRET, environ


@pytest.mark.parametrize(
    ("server", "port", "mode"), [("mail.example.com", 587, "starttls"), ("mail.example.com:465", 465, "ssl")]
)
def test_a_mailbox_is_what_a_mail_program_would_be_told(server: str, port: int, mode: str) -> None:
    url = addresses.mailbox(server, "shop@example.com", f"{SECRET}/@:?&#%", "", "dana@example.com")
    mail: Any = apprise.Apprise.instantiate(url)
    assert (mail.smtp_host, mail.port or 587, mail.secure_mode) == ("mail.example.com", port, mode)
    assert (mail.user, mail.password) == ("shop@example.com", f"{SECRET}/@:?&#%")
    assert mail.from_addr[1] == "shop@example.com" and mail.targets == [(False, "dana@example.com")]


@pytest.mark.parametrize(
    ("server", "user", "password", "to"),
    [
        ("", "shop", "x", "dana@example.com"),
        ("mail.example.com/?to=eve", "shop", "x", "dana@example.com"),
        ("mail.example.com", "", "x", "dana@example.com"),
        ("mail.example.com", "shop", "", "dana@example.com"),
        ("mail.example.com", "shop", "x", "dana"),
    ],
)
def test_a_mailbox_that_cant_be_is_refused(server: str, user: str, password: str, to: str) -> None:
    with pytest.raises(BellwireError):
        addresses.mailbox(server, user, password, "", to)


async def test_the_address_that_a_chat_gives_for_its_webhook_is_kept_as_apprise_has_it() -> None:
    page = "https://discord.com/api/webhooks/123456789012345678/" + "a" * 64
    assert (await addresses.plain(f" {page} ")).startswith("discord://123456789012345678/")
    assert await addresses.plain(addresses.phone("a-topic")) == "ntfys://a-topic"
    for nothing in ("https://example.com/hook", "", "a b", "discord://x json://y"):
        with pytest.raises(BellwireError, match="isn't understood"):
            await addresses.plain(nothing)
    with pytest.raises(BellwireError):
        addresses.phone("two words")


def test_what_is_changed_goes_before_what_the_variable_says(tmp_path: Path) -> None:
    create_key_file(tmp_path)
    vault, given = Vault.open(tmp_path, {}), environ(f"json://{SECRET}", "json://b")
    seen = addresses.read_addresses(vault, given).version
    addresses.keep(vault, given, addresses.without(vault, given, "json", seen))
    assert [channel._url for channel in read_channels(vault, given)] == ["json://b"]
    with pytest.raises(BellwireError, match="changed by somebody else"):
        addresses.without(vault, given, "json", seen)
    with pytest.raises(NotFound):
        addresses.without(vault, given, "json 2")
    addresses.keep(vault, given, addresses.without(vault, given, "json"))
    assert read_channels(vault, given) == []
    change = addresses.with_another(vault, given, f"json://{SECRET}")
    assert change.name == "json" and SECRET not in repr(change)
