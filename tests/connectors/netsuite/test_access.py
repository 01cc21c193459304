"""Signing in with a certificate: what we sign says who we are."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bellwire.connectors.netsuite.actions import sign_in
from bellwire.errors import SignedOut
from bellwire.practice.netsuite import NetSuite
from tests.connecting import call
from tests.connectors.netsuite.conftest import Connect
from tests.samples import NOW

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("access", "sign-in")]

FORM = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()


async def test_a_token_is_renewed_ahead_of_its_end_once_for_all(connect: Connect, netsuite: NetSuite) -> None:
    ends = (NOW + timedelta(minutes=1)).isoformat()
    purchasing = connect(credentials={**netsuite.credentials, "access_token_expires_at": ends})
    await asyncio.gather(*(sign_in(call(purchasing)) for _ in range(5)))
    (asked,) = [parse_qs(each.body) for each in netsuite.received if each.path.endswith("/token")]
    (assertion,) = asked["client_assertion"]
    assert jwt.get_unverified_header(assertion) == {"alg": "ES256", "typ": "JWT", "kid": "practice-certificate"}
    claims = jwt.decode(assertion, options={"verify_signature": False})
    url = "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
    assert (claims["iss"], claims["aud"], claims["scope"]) == ("practice-client", url, "rest_webservices")


async def test_an_rsa_key_signs_as_netsuite_wants_it(connect: Connect, netsuite: NetSuite) -> None:
    """It takes no RS256."""
    netsuite.expire()
    key = rsa.generate_private_key(65537, 2048).private_bytes(*FORM).decode()
    with pytest.raises(SignedOut):
        await sign_in(call(connect(credentials={**netsuite.credentials, "private_key": key})))
    (asked,) = [parse_qs(each.body) for each in netsuite.received if each.path.endswith("/token")]
    assert jwt.get_unverified_header(asked["client_assertion"][0])["alg"] == "PS256"


@pytest.mark.parametrize("change", ["client_id", "certificate_id", "private_key"])
async def test_what_netsuite_does_not_know_is_signed_out(connect: Connect, netsuite: NetSuite, change: str) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(*FORM).decode()
    netsuite.expire()
    wrong = {change: other if change == "private_key" else "another"}
    with pytest.raises(SignedOut, match="doesn't accept the certificate") as caught:
        await sign_in(call(connect(credentials={**netsuite.credentials, **wrong})))
    assert "refresh of the sandbox" in caught.value.remedy


@pytest.mark.proves("environments")
async def test_what_was_signed_for_another_account_is_refused(connect: Connect, netsuite: NetSuite) -> None:
    netsuite.expire()
    with pytest.raises(SignedOut):
        await sign_in(call(connect(account="1234567")))
