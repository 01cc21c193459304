"""Idempotency keys."""

import hashlib


def idempotency_key(flow: str, environment: str, business_key: str, action: str, item: int, nonce: str) -> str:
    """32 hexadecimal characters, the same for every attempt at one effect, and different for any other effect.

    A replay that a person asked for has a nonce, and so keys of its own.
    """
    text = "\x1f".join((flow, environment, business_key, action, str(item), nonce))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
