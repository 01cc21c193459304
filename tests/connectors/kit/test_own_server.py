"""A vendor's software on the customer's own server, whose certificate was made in the house."""

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection, Manifest, OwnServer, connect, connector
from bellwire.errors import ConfigurationError, Transient
from bellwire.events import Environment
from tests.connecting import Secrets

VENDOR = connector(Manifest(name="acme", title="Acme", capabilities=(), base_urls={}, settings=OwnServer))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that vouches for itself, for 127.0.0.1, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "house")])
    now = system_clock()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "house.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return pem, secret


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(tmp_path))

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_get("/things", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def opened(url: str, ca_file: Path | None = None) -> Connection:
    settings = OwnServer(ca_file=ca_file)
    return connect("erp", VENDOR, Environment.SANDBOX, settings, Secrets({}), base_url=url)


async def test_the_house_s_own_certificate_is_believed_where_it_is_named(server: str, tmp_path: Path) -> None:
    made = opened(server, tmp_path / "house.pem")
    assert (await made.api.get("things")).json() == {"ok": True}
    await made.api.close()


async def test_and_nowhere_else(server: str) -> None:
    made = opened(server)
    with pytest.raises(Transient, match="can't be reached") as caught:
        await made.api.get("things")
    assert "certificate" in caught.value.detail
    await made.api.close()


def test_it_is_named_as_it_lies_in_the_projects_folder(tmp_path: Path) -> None:
    settings = OwnServer.model_validate({"ca_file": "certificates/house.pem"}, context={"folder": tmp_path})
    assert settings.ca_file == tmp_path / "certificates" / "house.pem"


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_file_that_holds_none_is_said(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "other.pem"
    if text:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match="ca_file"):
        opened("https://127.0.0.1:9", path)
