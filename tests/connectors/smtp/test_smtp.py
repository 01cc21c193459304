"""Mails as a mailbox gets them, and every way in which a mail server says no."""

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.capabilities.email import Mail, SendMail, SendNotice
from bellwire.connectors.kit import Call
from bellwire.connectors.smtp import CONNECTOR
from bellwire.connectors.smtp.manifest import MailSettings
from bellwire.connectors.smtp.message import address, message
from bellwire.connectors.smtp.replies import About, reply_error
from bellwire.connectors.smtp.templates import Words
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.events import Customer
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.smtp import MailSimulator
from tests.connecting import call, connection
from tests.samples import NOW, order

SEND_MAIL = CONNECTOR.actions["email.send_mail"]
SEND_NOTICE = CONNECTOR.actions["email.send_notice"]
MAIL = SendMail(to="robin@example.com", subject="Hello", text="First line\n\nhttps://example.com/a?b=1&c=2\n")


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["smtp"]) as running:
        yield running


@pytest.fixture
def server(practice: Practice) -> MailSimulator:
    simulator = practice.simulators["smtp"]
    assert isinstance(simulator, MailSimulator)
    return simulator


@pytest.fixture
def calling(practice: Practice) -> Callable[..., Call]:
    def make(changes: dict[str, Any] | None = None, **more: Any) -> Call:
        values = {**MailSimulator.settings, **(changes or {})}
        return call(connection("smtp", practice, settings=values), **more)

    return make


async def send(made: Call, mail: SendMail = MAIL) -> Mail:
    result = await SEND_MAIL(made, mail)
    assert isinstance(result, Mail)
    return result


async def test_a_mail_arrives_as_text_with_html_beside_it(calling: Callable[..., Call], server: MailSimulator) -> None:
    result = await send(calling({"reply_to": "help@practice.example"}))
    (mail,) = server.kept
    assert result == Mail(id=mail["Message-ID"], to="robin@example.com")
    assert mail["From"] == "Practice Tea <shop@practice.example>"
    assert (mail["To"], mail["Reply-To"], mail["Subject"]) == ("robin@example.com", "help@practice.example", "Hello")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Bellwire-Id"] == "0" * 31 + "1"
    assert mail["Date"].datetime == NOW
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in mail.iter_parts() if isinstance(part, EmailMessage))
    assert text.splitlines() == MAIL.text.splitlines()
    assert '<a href="https://example.com/a?b=1&amp;c=2">' in html
    assert server.mails()[0].text.startswith("First line")
    assert [(r.method, r.path, r.status) for r in server.received] == [("MAIL", "robin@example.com", 250)]


async def test_a_repeated_mail_has_the_same_message_id_and_another_one_a_new_one(
    calling: Callable[..., Call], server: MailSimulator
) -> None:
    first, second = await send(calling()), await send(calling(again=True))
    other = await send(calling(key="f" * 32))
    assert first.id == second.id != other.id
    assert len(server.mails()) == 3


def test_it_says_that_it_cant_rule_out_a_second_copy() -> None:
    assert all(action.repeatable for action in CONNECTOR.actions.values())
    assert {type(action.repeat).__name__ for action in CONNECTOR.actions.values()} == {"Unkeyed"}


async def test_the_notice_tells_the_customer_what_was_ordered_and_where_it_is(
    calling: Callable[..., Call], server: MailSimulator
) -> None:
    notice = SendNotice(
        to="robin@example.com", order=order(), tracking_number="1Z99", tracking_url="https://track.example/1Z99"
    )
    await SEND_NOTICE(calling(), notice)
    (mail,) = server.mails()
    assert server.kept[0]["Subject"] == "Your order 1001 is on its way"
    assert mail.reference == "1001"
    assert mail.text.split("\n") == [
        "Hello Robin Hill,",
        "",
        "thank you for your order 1001. We have received your payment of 24.40 USD.",
        "",
        "2 × Green tea, 100 g",
        "",
        "It is on its way. Tracking number: 1Z99",
        "https://track.example/1Z99",
        "",
        "Practice Tea",
        "",
    ]


async def test_the_notice_works_for_a_guest_without_tracking(
    calling: Callable[..., Call], server: MailSimulator
) -> None:
    await SEND_NOTICE(calling({"from_name": ""}), SendNotice(to="a@b.example", order=order(customer=None)))
    (mail,) = server.mails()
    assert server.kept[0]["Subject"] == "Your order 1001"
    assert mail.text.startswith("Hello,\n") and mail.text.endswith("Green tea, 100 g\n")


async def test_the_projects_own_template_comes_first(
    calling: Callable[..., Call], server: MailSimulator, tmp_path: Path
) -> None:
    (tmp_path / "order_paid.txt").write_text(
        "Subject: Thanks, {{ order.customer.name }}!\nFrom us: {{ order.total }}\n"
    )
    await SEND_NOTICE(calling({"templates": str(tmp_path)}), SendNotice(to="a@b.example", order=order()))
    assert (server.kept[0]["Subject"], server.mails()[0].text) == ("Thanks, Robin Hill!", "From us: 24.40 USD\n")


def test_the_folder_of_templates_is_below_the_project() -> None:
    values = {"host": "mail.example.com", "from_address": "a@b.example"}
    made = MailSettings.model_validate(values, context={"folder": Path("/srv/shop")})
    assert made.templates == Path("/srv/shop/mails")


@pytest.mark.parametrize(
    ("template", "cause", "says"),
    [
        ("Subject: x\n{{ order.totl }}", "template", "totl"),
        ("Subject: x\n{% for %}", "template", "can't be filled"),
        ("Subject: x\n{{ order.__class__.__mro__ }}", "template", "can't be filled"),
        ("Hello", "template", "doesn't begin with a subject"),
        (None, "unknown-template", "There is no mail template 'mine'. Write .*mine.txt, or use one of: order_paid."),
    ],
)
async def test_a_template_that_cant_be_used_says_why(
    calling: Callable[..., Call], server: MailSimulator, tmp_path: Path, template: str | None, cause: str, says: str
) -> None:
    if template is not None:
        (tmp_path / "mine.txt").write_text(template)
    notice = SendNotice(to="a@b.example", template="mine", order=order())
    with pytest.raises(Refused, match=says) as caught:
        await SEND_NOTICE(calling({"templates": str(tmp_path)}), notice)
    assert caught.value.cause == cause
    assert not server.received


async def test_a_template_name_cant_leave_the_folder(
    calling: Callable[..., Call], server: MailSimulator, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("Subject: x\nsecret")
    (tmp_path / "mails").mkdir()
    with pytest.raises(Refused, match="There is no mail template"):
        await SEND_NOTICE(
            calling({"templates": str(tmp_path / "mails")}),
            SendNotice(to="a@b.example", template="../secret", order=order()),
        )


async def test_a_line_break_in_a_name_stays_inside_the_subject(
    calling: Callable[..., Call], server: MailSimulator, tmp_path: Path
) -> None:
    (tmp_path / "order_paid.txt").write_text("Subject: Dear {{ order.customer.name }}\nText\n")
    bad = order(customer=Customer(name="Robin\r\nBcc: everybody@example.com\r\n\r\nText of mine"))
    await SEND_NOTICE(calling({"templates": str(tmp_path)}), SendNotice(to="a@b.example", order=bad))
    (mail,) = server.kept
    assert mail["Subject"] == "Dear Robin Bcc: everybody@example.com Text of mine"
    assert mail["Bcc"] is None
    assert server.mails()[0].text == "Text\n"


SETTINGS = MailSettings(host="localhost", from_address="shop@example.com", from_name="Tea")


@given(subject=st.text(), text=st.text(), name=st.text().filter(lambda name: not set(name) & set("\r\n")))
@settings(max_examples=60)
def test_no_words_can_add_a_header_or_a_recipient(subject: str, text: str, name: str) -> None:
    mail = message(
        SETTINGS.model_copy(update={"from_name": name}),
        address("robin@example.com"),
        Words(subject, text),
        key="0" * 32,
        now=NOW,
    )
    head = mail.as_bytes().split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    wanted = ["From", "To", "Subject", "Date", "Message-ID", "X-Bellwire-Id", "Auto-Submitted"]
    assert sorted(names) == sorted(n.encode() for n in [*wanted, "MIME-Version", "Content-Type"])


@pytest.mark.parametrize(
    "to", ["a,b@example.com", "<a>@example.com", "a\x00b@example.com", "jörg@example.com", "a@b..c"]
)
async def test_an_address_that_isnt_one_is_refused_before_anything_is_sent(
    calling: Callable[..., Call], server: MailSimulator, to: str
) -> None:
    with pytest.raises(Refused) as caught:
        await send(calling(), SendMail(to=to, subject="x", text="y"))
    assert caught.value.cause == "bad-address"
    assert not server.received


async def test_a_domain_may_have_umlauts(calling: Callable[..., Call], server: MailSimulator) -> None:
    await send(calling(), SendMail(to="info@müller.example", subject="Grüße", text="Schöne Grüße ✓"))
    assert (server.received[0].path, server.kept[0]["Subject"]) == ("info@xn--mller-kva.example", "Grüße")
    assert server.mails()[0].text == "Schöne Grüße ✓\n"


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("kind", "error", "copies"),
    [
        (FaultKind.RATE_LIMITED, Transient, 1),
        (FaultKind.FAILED, Transient, 1),
        (FaultKind.SIGNED_OUT, SignedOut, 1),
        (FaultKind.LOST_ANSWER, OutcomeUnknown, 2),
    ],
)
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    calling: Callable[..., Call], server: MailSimulator, kind: FaultKind, error: type[VendorError], copies: int
) -> None:
    server.faults.add(Fault(kind=kind, match="robin@example.com Hello"))
    with pytest.raises(error):
        await send(calling())
    await send(calling(again=True))
    assert len(server.mails()) == copies
    assert len({mail.id for mail in server.mails()}) == 1
    assert [r.fault for r in server.received] == [kind, ""]


async def test_a_server_that_answers_too_late_leaves_the_outcome_open(
    practice: Practice, server: MailSimulator
) -> None:
    hasty = connection("smtp", practice, timeout=timedelta(seconds=0.3))
    server.faults.add(Fault(kind=FaultKind.SLOW, seconds=1))
    with pytest.raises(OutcomeUnknown):
        await send(call(hasty))


@pytest.mark.proves("errors")
async def test_an_address_that_doesnt_exist_is_named(calling: Callable[..., Call], server: MailSimulator) -> None:
    with pytest.raises(Refused, match=r"The address unknown@example.com doesn't exist") as caught:
        await send(calling(), SendMail(to="unknown@example.com", subject="x", text="y"))
    assert (caught.value.cause, caught.value.detail) == ("unknown-recipient", "550 5.1.1 No such user here")
    assert server.received[0].failed and not server.mails()


@pytest.mark.proves("errors")
async def test_a_server_that_isnt_there_is_transient() -> None:
    with pytest.raises(Transient) as caught:
        await send(call(connection("smtp", settings=MailSimulator.settings, credentials={})))
    assert caught.value.cause == "unreachable"


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("code", "text", "about", "error", "cause"),
    [
        (421, "4.3.2 shutting down", About.SERVER, Transient, "mail-server-busy"),
        (450, "4.2.1 too fast", About.RECIPIENT, Transient, "mail-server-busy"),
        (452, "4.5.3 too many recipients", About.RECIPIENT, Transient, "mail-server-busy"),
        (454, "4.7.0 temporary authentication failure", About.SERVER, Transient, "mail-server-busy"),
        (535, "5.7.8 bad credentials", About.SERVER, SignedOut, "signed-out"),
        (534, "5.7.9 app password needed", About.SERVER, SignedOut, "signed-out"),
        (530, "5.7.0 sign in first", About.SENDER, SignedOut, "signed-out"),
        (550, "5.1.1 no such user", About.RECIPIENT, Refused, "unknown-recipient"),
        (550, "no such user", About.RECIPIENT, Refused, "unknown-recipient"),
        (553, "5.1.3 bad address", About.RECIPIENT, Refused, "unknown-recipient"),
        (550, "5.7.1 relaying denied", About.RECIPIENT, Refused, "not-allowed"),
        (553, "5.7.1 sender not owned", About.SENDER, Refused, "not-allowed"),
        (550, "not you", About.SENDER, Refused, "not-allowed"),
        (554, "5.7.1 looks like spam", About.CONTENT, Refused, "not-allowed"),
        (552, "5.3.4 too big", About.SENDER, Refused, "too-big"),
        (552, "message too big", About.CONTENT, Refused, "too-big"),
        (552, "5.2.2 over quota", About.RECIPIENT, Refused, "mailbox-full"),
        (554, "transaction failed", About.CONTENT, Refused, "refused-554"),
    ],
)
def test_each_reply_has_its_error(code: int, text: str, about: About, error: type[VendorError], cause: str) -> None:
    found = reply_error(code, text, about, "mail", "robin@example.com")
    assert (type(found), found.cause, found.detail) == (error, cause, f"{code} {text}")
    assert found.sentence.endswith(".")


@pytest.mark.proves("sign-in")
async def test_signing_in_sends_nothing(calling: Callable[..., Call], server: MailSimulator) -> None:
    assert CONNECTOR.sign_in is not None
    assert (await CONNECTOR.sign_in(calling())).name == "shop@practice.example"
    assert not server.received


@pytest.mark.proves("sign-in")
async def test_a_wrong_password_is_signed_out(practice: Practice) -> None:
    made = connection("smtp", practice, name="mail", credentials={"username": "practice", "password": "old"})
    with pytest.raises(SignedOut, match="connection 'mail'"):
        await send(call(made))


async def test_no_password_is_sent_to_another_machine_unencrypted() -> None:
    values = {**MailSimulator.settings, "host": "mail.example.com", "sandbox_recipients": ["@example.com"]}
    made = connection("smtp", settings=values)
    far = dataclasses.replace(made, base_url="smtp://mail.example.com:25")
    with pytest.raises(Refused, match=r"mail\.example\.com would cross the network unencrypted"):
        await send(call(far))


# Encryption, with a mail server that has a certificate of its own


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=3650))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


class Keeper:
    """Keeps what it gets, and whether it came encrypted."""

    def __init__(self) -> None:
        self.encrypted: list[bool] = []

    async def handle_DATA(self, _server: SMTP, session: Any, _envelope: Any) -> str:  # noqa: N802
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


@asynccontextmanager
async def mail_server(keeper: Keeper, *, starttls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            keeper,
            loop=loop,
            hostname="mail.example",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=lambda *_: AuthResult(success=True),
        )

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


def encrypted_call(url: str, security: str, ca_file: Path | None) -> Call:
    values = {"host": "127.0.0.1", "from_address": "a@b.example", "security": security, "ca_file": ca_file}
    made = connection("smtp", settings=values, credentials={"username": "u", "password": "p"})
    return call(dataclasses.replace(made, base_url=url))


async def test_starttls_encrypts_before_the_password(certificate: tuple[Path, ssl.SSLContext]) -> None:
    ca_file, context = certificate
    keeper = Keeper()
    async with mail_server(keeper, starttls=context) as url:
        await send(encrypted_call(url, "starttls", ca_file))
    assert keeper.encrypted == [True]


async def test_a_certificate_that_isnt_trusted_stops_the_mail(certificate: tuple[Path, ssl.SSLContext]) -> None:
    keeper = Keeper()
    async with mail_server(keeper, starttls=certificate[1]) as url:
        with pytest.raises(Transient, match="certificate of the mail server isn't trusted") as caught:
            await send(encrypted_call(url, "starttls", None))
    assert (caught.value.cause, keeper.encrypted) == ("certificate", [])


async def test_a_server_without_encryption_gets_nothing() -> None:
    keeper = Keeper()
    async with mail_server(keeper) as url:
        with pytest.raises(Refused, match="offers no encryption"):
            await send(encrypted_call(url, "starttls", None))
    assert keeper.encrypted == []


async def test_a_ca_file_that_isnt_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"certificate file .*none\.pem can't be read"):
        await send(encrypted_call("smtp://127.0.0.1:9", "tls", tmp_path / "none.pem"))


async def test_a_server_without_sign_in_says_so_when_there_is_a_password() -> None:
    keeper = Keeper()
    async with mail_server(keeper) as url:
        values = {"host": "127.0.0.1", "from_address": "a@b.example", "security": "none"}
        with_password = connection("smtp", settings=values, credentials={"username": "u", "password": "p"})
        with pytest.raises(SignedOut, match="doesn't offer to sign in"):
            await send(call(dataclasses.replace(with_password, base_url=url)))
        without = connection("smtp", settings=values, credentials={})
        await send(call(dataclasses.replace(without, base_url=url)))
    assert keeper.encrypted == [False]
