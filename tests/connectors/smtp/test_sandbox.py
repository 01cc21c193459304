"""A mail server has no sandbox: what is only tried out reaches nobody who wasn't named."""

import dataclasses
from typing import Any

import pytest

from bellwire.capabilities.email import SendMail
from bellwire.connectors.kit import Call
from bellwire.connectors.smtp import CONNECTOR
from bellwire.connectors.smtp.session import restrained
from bellwire.errors import Refused, VendorError
from bellwire.events import Environment
from bellwire.practice.smtp import MailSimulator
from tests.connecting import call, connection

pytestmark = pytest.mark.proves("environments")


def elsewhere(environment: Environment = Environment.SANDBOX, **settings: Any) -> Call:
    """A call that goes no further than to say that it would cross the network unencrypted."""
    values = {**MailSimulator.settings, "host": "mail.example.com", **settings}
    made = connection("smtp", environment=environment, settings=values, credentials={})
    return call(dataclasses.replace(made, base_url="smtp://mail.example.com:25"))


async def cause(at: Call, to: str) -> str:
    with pytest.raises(VendorError) as caught:
        await CONNECTOR.actions["email.send_mail"](at, SendMail(to=to, subject="x", text="y"))
    return caught.value.cause


@pytest.mark.parametrize("to", ["robin@example.com", "kim@shop.example.evil.example", "kim@sub.shop.example"])
async def test_in_sandbox_nobody_gets_mail_by_a_server_elsewhere(to: str) -> None:
    at = elsewhere(sandbox_recipients=["@shop.example"])
    with pytest.raises(Refused, match="In sandbox, no mail goes to") as caught:
        await CONNECTOR.actions["email.send_mail"](at, SendMail(to=to, subject="x", text="y"))
    assert "sandbox_recipients" in caught.value.remedy


@pytest.mark.parametrize("to", ["Kim@Shop.example", "me@mine.example"])
async def test_those_who_are_named_do(to: str) -> None:
    assert await cause(elsewhere(sandbox_recipients=["@shop.example", "ME@mine.example"]), to) == "unencrypted"


async def test_in_production_everybody_does() -> None:
    assert await cause(elsewhere(Environment.PRODUCTION), "robin@example.com") == "unencrypted"


def test_a_server_on_this_machine_is_taken_for_one_that_only_keeps_what_it_gets() -> None:
    made = connection("smtp", settings=MailSimulator.settings, credentials={})
    assert not restrained(call(dataclasses.replace(made, base_url="smtp://127.0.0.1:25")))
