"""Signing in with what we sign (RFC 7523): what is asked, when, and how often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt as others
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bellwire.connectors.kit import Answer, OAuth2, SignedGrant
from bellwire.errors import MissingCredential, SignedOut, Transient, VendorError
from tests.connecting import Secrets
from tests.connectors.kit.acme import Acme, reply
from tests.samples import NOW

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
GRANT = SignedGrant("https://id.example/oauth/token", subject="user", scope="read write")
TOKEN = {"access_token": "a2", "expires_in": 3600}


@pytest.fixture
async def acme() -> AsyncIterator[Acme]:
    async with Acme() as vendor:
        yield vendor


def keys(**more: str) -> Secrets:
    return Secrets({"client_id": "us", "private_key": PEM, **more})


def ends_in(length: timedelta) -> str:
    return (NOW + length).isoformat()


def claims(assertion: str, audience: str) -> dict[str, Any]:
    """What it says, if the signature is right."""
    read: dict[str, Any] = others.decode(
        assertion, KEY.public_key(), ["ES256"], audience=audience, options={"verify_exp": False, "verify_iat": False}
    )
    return read


def form(acme: Acme) -> dict[str, str]:
    """Of the first request, which asked for a token."""
    assert acme.seen[0].method == "POST"
    return {name: value for name, (value,) in parse_qs(acme.seen[0].body).items()}


async def test_what_we_sign_buys_a_token(acme: Acme) -> None:
    secrets = keys(user="robin")
    acme.script = [reply(200, TOKEN)]
    await acme.connection(GRANT, secrets).api.get("things")
    sent = form(acme)
    assert sent.pop("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert claims(sent.pop("assertion"), "https://id.example/oauth/token") == {
        "iss": "us",
        "sub": "robin",
        "aud": "https://id.example/oauth/token",
        "scope": "read write",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(minutes=10)).timestamp()),
    }
    assert sent == {}
    assert [request.url for request in acme.seen] == ["/oauth/token", "/things"]
    assert acme.seen[1].headers["Authorization"] == "Bearer a2"
    assert secrets.values["access_token_expires_at"] == ends_in(timedelta(hours=1))


async def test_it_may_say_who_the_client_is_instead(acme: Acme) -> None:
    acme.script = [reply(200, TOKEN)]
    grant = SignedGrant("/oauth/token", key_id="certificate", as_client=True, scope="rest")
    await acme.connection(grant, keys(certificate="c7")).api.get("things")
    sent = form(acme)
    assertion = sent.pop("client_assertion")
    assert sent == {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert others.get_unverified_header(assertion)["kid"] == "c7"
    assert "sub" not in claims(assertion, f"{acme.url}/oauth/token")


@pytest.mark.parametrize("audience", ["{url}", "{host}"])
async def test_it_is_for_the_vendor_even_where_somebody_else_is_asked(acme: Acme, audience: str) -> None:
    """So that a practice server can hold it against what the vendor would."""
    acme.script = [reply(200, TOKEN)]
    connection = acme.connection(
        SignedGrant("/oauth/token", audience=audience), keys(), base_url=f"{acme.url}/practice"
    )
    await connection.api.get("things")
    assert acme.seen[0].url == "/practice/oauth/token"
    host = acme.url.removeprefix("http://")
    claims(form(acme)["assertion"], audience.format(url=f"{acme.url}/oauth/token", host=host))


async def test_an_rsa_key_signs_as_the_vendor_wants_it(acme: Acme) -> None:
    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for pss, algorithm in ((False, "RS256"), (True, "PS256")):
        acme.seen.clear()
        acme.script = [reply(200, TOKEN)]
        await acme.connection(SignedGrant("/token", pss=pss), keys(private_key=text)).api.get("things")
        assert others.get_unverified_header(form(acme)["assertion"])["alg"] == algorithm


async def test_a_token_is_renewed_ahead_of_its_end_and_used_before(acme: Acme) -> None:
    ending, lasting = (keys(access_token="a1", access_token_expires_at=ends_in(timedelta(minutes=m))) for m in (4, 6))
    acme.script = [reply(200, TOKEN)]
    await acme.connection(GRANT, ending).api.get("things")
    await acme.connection(GRANT, lasting).api.get("things")
    assert [r.headers.get("Authorization") for r in acme.seen] == [None, "Bearer a2", "Bearer a1"]


async def test_many_callers_renew_once(acme: Acme) -> None:
    secrets = keys(access_token="a1", access_token_expires_at=ends_in(timedelta(0)))
    acme.script = [reply(200, TOKEN)]
    api = acme.connection(GRANT, secrets).api
    await asyncio.gather(*(api.get("things") for _ in range(20)))
    assert list(acme.paths()).count("/oauth/token") == 1
    assert secrets.stored == 1


async def test_a_refused_token_is_renewed_once(acme: Acme) -> None:
    acme.script = [reply(401), reply(200, TOKEN), reply(401)]
    with pytest.raises(SignedOut):
        await acme.connection(GRANT, keys(access_token="a1")).api.get("things")
    assert list(acme.paths()) == ["/things", "/oauth/token", "/things"]


async def test_without_a_key_a_token_is_used_as_it_is(acme: Acme) -> None:
    await acme.connection(GRANT, Secrets({"access_token": "a1"})).api.get("things")
    assert acme.seen[0].headers["Authorization"] == "Bearer a1"
    with pytest.raises(MissingCredential):
        await acme.connection(GRANT).api.get("things")


async def test_a_key_that_is_none_is_told_and_nothing_is_sent(acme: Acme) -> None:
    with pytest.raises(SignedOut, match="private_key of connection 'books'") as caught:
        await acme.connection(GRANT, keys(private_key="mud")).api.get("things")
    assert "bellwire secrets set books private_key" in caught.value.remedy
    assert acme.seen == []


async def test_why_the_vendor_gives_no_token_is_in_its_own_words_where_it_has_some(acme: Acme) -> None:
    def explain(answer: Answer) -> VendorError | None:
        return SignedOut("Nobody has allowed it yet.") if b"consent" in answer.body else Transient("never mind")

    acme.script = [reply(400, {"error": "consent_required"}), reply(400, {"error": "invalid_grant"})]
    api = acme.connection(GRANT, keys(), explain=explain).api
    with pytest.raises(SignedOut, match="Nobody has allowed it yet"):
        await api.get("things")
    with pytest.raises(SignedOut, match="no longer accepts the sign-in"):
        await api.get("things")


async def test_an_account_of_no_persons_signs_where_others_refresh(acme: Acme) -> None:
    auth = OAuth2("https://id.example/oauth/token", service=SignedGrant("https://id.example/oauth/token"))
    acme.script = [reply(200, TOKEN), reply(), reply(200, TOKEN)]
    await acme.connection(auth, keys()).api.get("things")
    person = Secrets({"client_id": "us", "client_secret": "s", "refresh_token": "r1"})
    await acme.connection(auth, person).api.get("things")
    kinds = [parse_qs(request.body)["grant_type"] for request in acme.seen if request.method == "POST"]
    assert kinds == [["urn:ietf:params:oauth:grant-type:jwt-bearer"], ["refresh_token"]]
