"""JSON Web Tokens that clients sign to say who they are (RFC 7523), as a simulated vendor reads them."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bellwire.clock import Clock

PublicKey = RSAPublicKey | EllipticCurvePublicKey
_LONGEST = timedelta(hours=1)
_EARLY = timedelta(minutes=5)
"""How far the client's clock may be ahead."""


def read_assertion(
    token: str, keys: Mapping[str, PublicKey], clock: Clock, *, algorithms: tuple[str, ...], key_id: str = "iss"
) -> dict[str, Any]:
    """The claims. `keys` are by what tells them apart: the claim or header named `key_id`. Raises ValueError when
    nobody who is known signed it, or not for now."""
    try:
        header, body, signature = (_decoded(part) for part in token.split("."))
        named, claims = orjson.loads(header), orjson.loads(body)
        key = keys[named[key_id] if key_id in named else claims[key_id]]
        if named["alg"] not in algorithms:
            raise ValueError(f"{named['alg']} isn't taken")
        _verify(key, signature, token.rpartition(".")[0].encode(), named["alg"])
        begins, ends = claims["iat"], claims["exp"]
    except (KeyError, TypeError, InvalidSignature) as error:
        raise ValueError("the assertion isn't signed by anybody known") from error
    now = clock().timestamp()
    if not now < ends <= begins + _LONGEST.total_seconds() or begins > now + _EARLY.total_seconds():
        raise ValueError("the assertion isn't for now, or is good for too long")
    return dict(claims)


def _verify(key: PublicKey, signature: bytes, content: bytes, algorithm: str) -> None:
    match key, algorithm:
        case RSAPublicKey(), "RS256":
            key.verify(signature, content, PKCS1v15(), SHA256())
        case RSAPublicKey(), "PS256":
            key.verify(signature, content, PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH), SHA256())
        case EllipticCurvePublicKey(), "ES256" if len(signature) == 64:
            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
            key.verify(encode_dss_signature(r, s), content, ECDSA(SHA256()))
        case _:
            raise InvalidSignature


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
