"""Signing in with what we sign, in the name of a user."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bellwire.connectors.docusign.actions import sign_in
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice.docusign import DocuSign
from tests.connecting import call
from tests.connectors.docusign.conftest import Connect
from tests.samples import NOW

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("access", "sign-in")]


async def test_a_token_is_renewed_ahead_of_its_end_once_for_all(connect: Connect, docusign: DocuSign) -> None:
    ends = (NOW + timedelta(minutes=1)).isoformat()
    contracts = connect(credentials={**docusign.credentials, "access_token_expires_at": ends})
    await asyncio.gather(*(sign_in(call(contracts)) for _ in range(5)))
    (asked,) = [each for each in docusign.received if each.path == "/oauth/token"]
    (assertion,) = parse_qs(asked.body)["assertion"]
    key = load_pem_private_key(docusign.credentials["private_key"].encode(), None).public_key()
    unchecked = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(assertion, key, ["RS256"], audience="account-d.docusign.com", options=unchecked)  # type: ignore[arg-type]
    assert (claims["sub"], claims["scope"]) == (docusign.credentials["user_id"], "signature impersonation")


async def test_a_refused_token_is_renewed(connect: Connect, docusign: DocuSign) -> None:
    docusign.expire()
    assert (await sign_in(call(connect()))).name == "Practice Tea Ltd"


@pytest.mark.parametrize("change", ["client_id", "user_id", "private_key"])
async def test_what_docusign_does_not_know_is_signed_out(connect: Connect, docusign: DocuSign, change: str) -> None:
    other = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    docusign.expire()
    wrong = {change: other.decode() if change == "private_key" else "another"}
    with pytest.raises(SignedOut):
        await sign_in(call(connect(credentials={**docusign.credentials, **wrong})))


@pytest.mark.proves("environments")
async def test_a_demo_host_takes_nothing_that_was_signed_for_production(connect: Connect, docusign: DocuSign) -> None:
    docusign.expire()
    with pytest.raises(SignedOut):
        await sign_in(call(connect(environment=Environment.PRODUCTION)))


@pytest.mark.proves("version")
async def test_the_end_of_the_version_would_be_told(connect: Connect, docusign: DocuSign) -> None:
    docusign.announced["Sunset"] = "Wed, 30 Jun 2027 00:00:00 GMT"
    contracts = connect()
    await sign_in(call(contracts))
    assert contracts.api.notices == docusign.announced
