"""What clients sign about themselves is believed only if it is theirs, and for now."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bellwire.practice.assertions import PublicKey, read_assertion
from tests.samples import NOW

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
KEYS: dict[str, PublicKey] = {"us": RSA.public_key(), "them": EC.public_key()}
ALL = ("RS256", "PS256", "ES256")


def claims(**changes: Any) -> dict[str, Any]:
    begins = int(NOW.timestamp())
    return {"iss": "us", "aud": "https://id.example/token", "iat": begins, "exp": begins + 600, **changes}


def read(token: str, *algorithms: str, key_id: str = "iss") -> dict[str, Any]:
    return read_assertion(token, KEYS, lambda: NOW, algorithms=algorithms or ALL, key_id=key_id)


@pytest.mark.parametrize(("issuer", "algorithm"), [("us", "RS256"), ("us", "PS256"), ("them", "ES256")])
def test_what_another_library_signs_is_read(issuer: str, algorithm: str) -> None:
    told = claims(iss=issuer)
    assert read(jwt.encode(told, RSA if issuer == "us" else EC, algorithm)) == told
    named = jwt.encode(told | {"iss": "anybody"}, RSA if issuer == "us" else EC, algorithm, headers={"kid": issuer})
    assert read(named, key_id="kid")["iss"] == "anybody"


def test_nobody_else_is_believed() -> None:
    right = jwt.encode(claims(), RSA, "RS256")
    content, _, signature = right.rpartition(".")
    other = jwt.encode(claims(), rsa.generate_private_key(65537, 2048), "RS256")
    none = jwt.encode(claims(), "", "none")
    confused = jwt.encode(claims(iss="them"), RSA, "RS256")
    strange = jwt.encode(claims(iss="nobody"), RSA, "RS256")
    for token in ("", "a.b", f"{content}.{signature[:-4]}AAAA", other, none, confused, strange):
        with pytest.raises(ValueError, match=r"\w"):
            read(token)
    with pytest.raises(ValueError, match="RS256 isn't taken"):
        read(right, "PS256")


@pytest.mark.parametrize(
    ("begins", "lasts"),
    [
        (timedelta(hours=-2), timedelta(hours=1)),
        (timedelta(0), timedelta(hours=1, seconds=1)),
        (timedelta(minutes=6), timedelta(minutes=10)),
    ],
    ids=["over", "too long", "too early"],
)
def test_it_has_to_be_for_now_and_short(begins: timedelta, lasts: timedelta) -> None:
    told = claims(iat=int((NOW + begins).timestamp()), exp=int((NOW + begins + lasts).timestamp()))
    with pytest.raises(ValueError, match="isn't for now"):
        read(jwt.encode(told, RSA, "RS256"))
