"""Channels: what goes through arrives, what doesn't says why, and no secret of a URL gets out."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.practice import Practice
from bellwire.practice.smtp import MailSimulator
from bellwire.vault import Vault, create_key_file, variable_name
from bellwire.watch.channels import ALERTS, CHANNELS, VARIABLE, Channel, read_channels
from tests.running import reserved_port
from tests.watch.conftest import SECRET, Receiver, environ


def channels(tmp_path: Path, *urls: str) -> list[Channel]:
    return read_channels(Vault.open(tmp_path, {}), environ(*urls))


async def test_a_message_arrives_as_it_was_written(receiver: Receiver, tmp_path: Path) -> None:
    (channel,) = channels(tmp_path, receiver.url)
    assert await channel.send("A title", "One <line>\n\nand another") == ""
    (letter,) = receiver.letters
    assert (letter["title"], letter["message"]) == ("A title", "One <line>\n\nand another")


async def test_a_message_arrives_by_mail(tmp_path: Path) -> None:
    async with Practice({"smtp"}) as practice:
        mailbox = practice.simulators["smtp"]
        assert isinstance(mailbox, MailSimulator) and mailbox.address
        host = mailbox.address.removeprefix("smtp://")
        url = f"mailto://practice:practice@{host}?from=bellwire@practice.example&to=dana@practice.example&mode=insecure"
        (channel,) = channels(tmp_path, url)
        assert await channel.send("Bellwire: a test", "It arrives.") == ""
        assert [mail["Subject"] for mail in mailbox.kept] == ["Bellwire: a test"]
        assert "It arrives." in mailbox.mails()[0].text


@pytest.mark.parametrize("level", [logging.DEBUG, logging.CRITICAL])
async def test_what_doesnt_go_through_says_why_without_the_url_whatever_is_logged(
    receiver: Receiver, tmp_path: Path, level: int
) -> None:
    logging.getLogger().setLevel(level)
    receiver.status = 503
    with reserved_port() as port:
        nobody = f"json://user:{SECRET}@127.0.0.1:{port}/{SECRET}"
        urls = (receiver.url, nobody, f"nonsense://{SECRET}", SECRET, f"mailto://{SECRET}")
        said = [(channel.name, await channel.send("t", "x")) for channel in channels(tmp_path, *urls)]
        assert said == [
            ("json", "It answered with status 503."),
            ("json 2", "It couldn't be reached."),
            ("nonsense", "Its URL can't be understood."),
            ("no scheme", "Its URL can't be understood."),
            ("mailto", "Its URL can't be understood."),
        ]


async def test_a_channel_that_hangs_is_given_up(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.watch.channels.PATIENCE", 0.2)
    receiver.open.clear()
    (channel,) = channels(tmp_path, receiver.url)
    assert await channel.send("t", "x") == "It didn't take the message within 0 seconds."
    receiver.open.set()


async def test_a_url_is_understood_or_not_without_sending_anything(receiver: Receiver, tmp_path: Path) -> None:
    found = channels(tmp_path, receiver.url, f"nonsense://{SECRET}")
    assert [await channel.understood() for channel in found] == [True, False]
    assert receiver.letters == []


def test_a_channel_doesnt_show_its_url(tmp_path: Path) -> None:
    assert SECRET not in repr(channels(tmp_path, f"json://{SECRET}@127.0.0.1/"))


def test_they_are_in_the_vault_or_in_the_environment_and_change_without_a_restart(tmp_path: Path) -> None:
    create_key_file(tmp_path)
    vault = Vault.open(tmp_path, {})
    assert read_channels(vault, {}) == []
    vault.store(ALERTS, {CHANNELS.field: "json://one\n  json://two xml://three"})
    assert [channel.name for channel in read_channels(vault, {})] == ["json", "json 2", "xml"]
    (tmp_path / "urls").write_text("mailto://four\n")
    assert [channel.name for channel in read_channels(vault, {f"{VARIABLE}_FILE": str(tmp_path / "urls")})] == [
        "mailto"
    ]


def test_the_variable_is_named_as_every_credential_is() -> None:
    assert variable_name(ALERTS, CHANNELS.field) == VARIABLE


def test_apprise_isnt_loaded_before_it_is_needed() -> None:
    code = "import sys, bellwire.app, bellwire.cli.alert, bellwire.watch; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0
