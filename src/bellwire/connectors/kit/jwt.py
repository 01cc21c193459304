"""Signed JSON Web Tokens (RFC 7515, RFC 7519), as far as we make them: RS256, PS256 and ES256 (RFC 7518, 3.1)."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_SHORTEST_RSA = 2048
"""Bits: RFC 7518, 3.3."""


def signed(claims: Mapping[str, Any], private_key: str, *, pss: bool = False, key_id: str = "") -> str:
    """The claims, signed. `private_key` is PEM, where line breaks may be written `\\n`, as in a JSON file that holds a
    key. An RSA key signs RS256, or with `pss` PS256; an EC key ES256. Raises ValueError when it isn't such a key."""
    key = _read(private_key)
    algorithm = "ES256" if isinstance(key, EllipticCurvePrivateKey) else "PS256" if pss else "RS256"
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    content = f"{_base64url(orjson.dumps(header))}.{_base64url(orjson.dumps(claims))}"
    return f"{content}.{_base64url(_signature(key, content.encode(), pss=pss))}"


def _read(private_key: str) -> RSAPrivateKey | EllipticCurvePrivateKey:
    text = private_key.strip().replace("\\n", "\n")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is locked with a password
        raise ValueError(str(error)) from error
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPrivateKey) and key.key_size >= _SHORTEST_RSA:
        return key
    raise ValueError("neither an RSA key of 2048 bits or more nor an EC key on the curve P-256")


def _signature(key: RSAPrivateKey | EllipticCurvePrivateKey, content: bytes, *, pss: bool) -> bytes:
    if isinstance(key, RSAPrivateKey):
        padding = PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH) if pss else PKCS1v15()
        return key.sign(content, padding, SHA256())
    r, s = decode_dss_signature(key.sign(content, ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
