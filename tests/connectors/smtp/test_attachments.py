"""Files that go with a mail, as a mailbox gets them."""

import base64
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bellwire.capabilities.email import LARGEST, Attachment, SendMail, SendNotice
from bellwire.connectors.smtp import CONNECTOR
from bellwire.connectors.smtp.manifest import MailSettings
from bellwire.connectors.smtp.message import address, message
from bellwire.connectors.smtp.templates import Words
from bellwire.practice import Practice
from bellwire.practice.smtp import MailSimulator
from tests.connecting import call, connection
from tests.samples import NOW, order

PDF = b"%PDF-1.7\r\n\x00\xff\n"
FILES = (
    Attachment(name="Rechnung Größe 7.pdf", media_type="application/pdf", content=base64.b64encode(PDF).decode()),
    Attachment(name="list.csv", media_type="text/csv", text="name;Größe\r\nTee;7\n"),
)


def parts(mail: EmailMessage) -> list[tuple[str | None, str, bytes]]:
    """Name, type and bytes of each file."""
    found = []
    for part in mail.iter_attachments():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append((part.get_filename(), part.get_content_type(), payload))
    return found


@pytest.fixture
async def server() -> AsyncIterator[MailSimulator]:
    async with Practice(["smtp"]) as practice:
        made = call(connection("smtp", practice))
        await CONNECTOR.actions["email.send_mail"](
            made, SendMail(to="robin@example.com", subject="Hello", text="Text", attachments=FILES)
        )
        await CONNECTOR.actions["email.send_notice"](
            made, SendNotice(to="robin@example.com", order=order(), attachments=FILES[:1])
        )
        simulator = practice.simulators["smtp"]
        assert isinstance(simulator, MailSimulator)
        yield simulator


async def test_files_arrive_byte_for_byte_beside_the_text(server: MailSimulator) -> None:
    mail, notice = server.kept
    assert parts(mail) == [
        ("Rechnung Größe 7.pdf", "application/pdf", PDF),
        ("list.csv", "text/csv", "name;Größe\r\nTee;7\n".encode()),
    ]
    assert list(mail.iter_attachments())[1].get_content_charset() == "utf-8"
    assert parts(notice) == parts(mail)[:1]
    assert server.mails()[0].text == "Text\n"
    body = mail.get_body(("html",))
    assert body is not None and "<p>Text</p>" in body.get_content()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"content": "x", "text": "y"}, "either content"),
        ({}, "either content"),
        ({"content": "no base64!"}, "isn't base64"),
        ({"content": "QUJD", "media_type": "multipart/mixed"}, "media_type"),
        ({"content": "QUJD", "media_type": "message/rfc822"}, "media_type"),
        ({"content": "QUJD", "media_type": "text/plain\r\nBcc: a@b.example"}, "media_type"),
        ({"content": "QUJD", "name": "../a.txt"}, "name"),
        ({"content": "QUJD", "name": "a\r\nBcc: x"}, "name"),
    ],
)
def test_what_isnt_a_file_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Attachment(**{"name": "a.txt", **fields})


def test_all_files_of_a_mail_have_a_bound() -> None:
    half = Attachment(name="a.txt", text="x" * (LARGEST // 2))
    assert SendMail(to="a@b.example", subject="x", text="y", attachments=(half, half))
    more = Attachment(name="b.txt", text="x")
    with pytest.raises(ValidationError, match="10,000,000 bytes in all, and these have 10,000,001"):
        SendMail(to="a@b.example", subject="x", text="y", attachments=(half, half, more))
    with pytest.raises(ValidationError, match="at most 20"):
        SendMail(to="a@b.example", subject="x", text="y", attachments=(more,) * 21)


@given(name=st.from_regex(r"[^/\\\x00-\x1f\x7f]{1,30}", fullmatch=True), data=st.binary(min_size=1, max_size=200))
@settings(max_examples=60)
def test_no_name_of_a_file_can_add_a_header(name: str, data: bytes) -> None:
    file = Attachment(name=name, content=base64.b64encode(data).decode())
    mail = message(
        MailSettings(host="localhost", from_address="shop@example.com"),
        address("robin@example.com"),
        Words("x", "y"),
        [file],
        key="0" * 32,
        now=NOW,
    )
    head = mail.as_bytes().split(b"\r\n--")[-2].split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n")[1:] if not line.startswith((b" ", b"\t"))]
    assert sorted(names) == [b"Content-Disposition", b"Content-Transfer-Encoding", b"Content-Type", b"MIME-Version"]
