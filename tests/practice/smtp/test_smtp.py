"""The simulated mail server behaves like one."""

import asyncio
import smtplib
from collections.abc import AsyncIterator

import aiosmtplib
import pytest

from bellwire.practice import Mailbox, Practice

WORDS = b"Message-ID: <1@example.com>\r\nSubject: Order 1001 is on its way\r\n\r\nHello\r\n"


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["smtp"]) as running:
        yield running


@pytest.fixture
async def client(practice: Practice) -> AsyncIterator[aiosmtplib.SMTP]:
    port = int(practice.base_url("smtp").rpartition(":")[2])
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="test.example")
    await client.connect()
    yield client
    client.close()


async def test_it_keeps_every_mail(practice: Practice, client: aiosmtplib.SMTP) -> None:
    await client.login("practice", "practice")
    for _ in range(2):
        await client.sendmail("a@b.example", ["c@d.example"], WORDS)
    box = practice.simulators["smtp"]
    assert isinstance(box, Mailbox)
    assert [(mail.id, mail.reference, mail.text) for mail in box.mails()] == 2 * [
        ("<1@example.com>", "1001", "Hello\n")
    ]
    assert box.state()["mails"][0]["subject"] == "Order 1001 is on its way"


@pytest.mark.proves("sdk", "practice")
async def test_the_standard_librarys_client_is_served(practice: Practice) -> None:
    port = int(practice.base_url("smtp").rpartition(":")[2])

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="test.example", timeout=30) as server:
            server.login("practice", "practice")
            return server.sendmail("a@b.example", ["c@d.example", "unknown@d.example"], WORDS)

    assert await asyncio.to_thread(send) == {"unknown@d.example": (550, b"5.1.1 No such user here")}
    box = practice.simulators["smtp"]
    assert isinstance(box, Mailbox)
    assert [mail.id for mail in box.mails()] == ["<1@example.com>"]


async def test_it_wants_a_sign_in(client: aiosmtplib.SMTP) -> None:
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
        await client.mail("a@b.example")
    assert refused.value.code == 530


async def test_it_refuses_a_wrong_password(client: aiosmtplib.SMTP) -> None:
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
        await client.login("practice", "wrong")
    assert refused.value.code == 535


async def test_it_says_where_it_listens_and_is_gone_afterwards() -> None:
    async with Practice(["smtp"]) as practice:
        address = practice.base_url("smtp")
    assert address.startswith("smtp://127.0.0.1:")
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=int(address.rpartition(":")[2]))
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await client.connect()
