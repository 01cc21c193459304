"""Passwords, kept as Argon2id hashes with the parameters of RFC 9106 for little memory."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_HASHER = PasswordHasher()
SHORTEST, LONGEST = 12, 200
_CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody takes for each other."""


def hashed(password: str) -> str:
    """Takes a twentieth of a second and 64 MB: not for the event loop."""
    return _HASHER.hash(password)


def fits(kept: str, password: str) -> bool:
    """Whether it is the password of this hash; as slow as `hashed`."""
    try:
        return _HASHER.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def nobodys() -> str:
    """A hash to try, so that an unknown address takes as long as a wrong password."""
    return _HASHER.hash("of nobody")


def made_up() -> str:
    """A password for somebody who is to change it: `k3p7-…`, 79 random bits."""
    text = "".join(secrets.choice(_CLEAR) for _ in range(16))
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def too_weak(password: str, *about: str) -> str:
    """What is wrong with a new password, as a sentence; empty: nothing. `about` is what others know of the person."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters. Four words that don't belong together make a good one."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    if len(set(password)) < 5:
        return "This password is too easy to guess: it has few different characters."
    plain = password.casefold()
    if any(each and plain in (each.casefold(), each.casefold() * 2) for each in about):
        return "This password is too easy to guess: it is your name or address."
    return ""
