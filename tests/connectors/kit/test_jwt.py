"""Tokens that we sign, held against a library that others use to read them."""

import jwt as others
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bellwire.connectors.kit import jwt

CLAIMS = {"iss": "us", "aud": "https://id.example/token", "scope": "a b"}
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def pem(key: PrivateKeyTypes, kind: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, kind, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("key", "pss", "algorithm"),
    [(RSA, False, "RS256"), (RSA, True, "PS256"), (EC, False, "ES256"), (EC, True, "ES256")],
)
def test_each_algorithm_is_what_others_understand(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, pss: bool, algorithm: str
) -> None:
    token = jwt.signed(CLAIMS, pem(key), pss=pss)
    assert others.get_unverified_header(token) == {"alg": algorithm, "typ": "JWT"}
    assert others.decode(token, key.public_key(), [algorithm], audience=CLAIMS["aud"]) == CLAIMS


def test_every_signature_on_a_curve_has_its_full_length() -> None:
    """One in 128 has a part that begins with a zero byte."""
    for number in range(300):
        others.decode(jwt.signed({"n": number}, pem(EC)), EC.public_key(), ["ES256"])


def test_the_key_is_named_where_it_has_a_name() -> None:
    assert others.get_unverified_header(jwt.signed({}, pem(EC), key_id="k1"))["kid"] == "k1"


@pytest.mark.parametrize(
    "text",
    [
        pem(RSA, PrivateFormat.TraditionalOpenSSL),
        pem(RSA).replace("\n", "\\n"),
        f"  {pem(RSA).replace(chr(10), chr(13) + chr(10))}\n",
    ],
    ids=["PKCS #1", "as in a JSON file", "from a form"],
)
def test_a_key_is_read_however_it_was_copied(text: str) -> None:
    others.decode(jwt.signed(CLAIMS, text), RSA.public_key(), ["RS256"], audience=CLAIMS["aud"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "practice",
        pem(RSA)[:-60],
        pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - that is the point
        pem(ec.generate_private_key(ec.SECP384R1())),
        EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode(),
    ],
    ids=["nothing", "no key", "cut off", "too short", "another curve", "locked"],
)
def test_what_is_no_such_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        jwt.signed(CLAIMS, text)
