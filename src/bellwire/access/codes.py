"""One-time codes, the second step of signing in for those who want it, and what is given when the phone is lost.

Codes go by time (RFC 6238: six digits, 30 seconds, SHA-1, as every authenticator knows them). The secret that they are
worked out from is kept in the vault; of recovery codes the ledger knows hashes.
"""

import hashlib
import hmac
import secrets
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime

from pyotp import TOTP, random_base32

from bellwire.errors import BellwireError
from bellwire.ledger import PersonRow, Rows, audit, people
from bellwire.vault import Vault

_SECONDS = 30
_EITHER_WAY = 1
"""Steps that a phone's clock may be off."""
_RECOVERY_CODES = 10
_FIELD = "one_time_codes"
_WRONG = "That isn't the code of this moment."


class CodeSecrets:
    """What each person's codes are worked out from. It waits for a file's lock: not for the event loop."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def find(self, person: int) -> str:
        """Empty when there is none. Raises ConfigurationError when the vault can't be opened."""
        entry = self._vault.find(_holder(person), _FIELD)
        return entry.value if entry else ""

    def renew(self, person: int) -> str:
        """A new one, which takes the place of any before."""
        secret = random_base32()
        self._vault.store(_holder(person), {_FIELD: secret})
        return secret


def address_of(secret: str, person: PersonRow, business: str) -> str:
    """What an authenticator reads from the QR code."""
    return TOTP(secret, name=person.email, issuer=business or "Bellwire").provisioning_uri()


def step_of(secret: str, given: str, now: datetime) -> int | None:
    """The step of time that this is the code of; None: of none that is near."""
    digits = "".join(given.split())
    if not secret or not digits.isascii():
        return None
    this = int(now.timestamp()) // _SECONDS
    near = range(this - _EITHER_WAY, this + _EITHER_WAY + 1)
    found = [step for step in near if hmac.compare_digest(TOTP(secret).generate_otp(step), digits)]
    return found[-1] if found else None


def switch_codes_on(rows: Rows, person: int, step: int | None, now: datetime, *, who: str) -> Sequence[str]:
    """From now on a code is asked for; `step` is that of one which was given to show that they work. Gives the recovery
    codes, which are shown once. Raises BellwireError."""
    if step is None:
        raise BellwireError(_WRONG, remedy="Is the clock of the phone right? Wait for the next code, and try again.")
    people.want_codes(rows, person, now, step)
    audit.record(rows, who, "switch on one-time codes", f"person {person}", now)
    return _renew_recovery(rows, person)


def switch_codes_off(rows: Rows, person: int, now: datetime, *, who: str) -> None:
    """Whoever may do that: they themselves, or an owner when the phone is lost."""
    people.want_codes(rows, person, None)
    people.keep_recovery(rows, person, ())
    audit.record(rows, who, "switch off one-time codes", f"person {person}", now)


def use_code(rows: Rows, person: int, secret: str, given: str, now: datetime) -> bool:
    """Whether it is a code of this moment that wasn't used yet, or a recovery code: each is good once."""
    step = step_of(secret, given, now)
    if step is not None:
        return people.use_step(rows, person, step)
    return people.use_recovery(rows, person, _key_of(given))


def _renew_recovery(rows: Rows, person: int) -> Sequence[str]:
    codes = [_readable(secrets.token_bytes(10)) for _ in range(_RECOVERY_CODES)]
    people.keep_recovery(rows, person, [_key_of(code) for code in codes])
    return codes


def _readable(random: bytes) -> str:
    """`abcd-efgh-ijkl-mnop`."""
    text = b32encode(random).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _key_of(code: str) -> str:
    plain = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(plain.encode()).hexdigest()


def _holder(person: int) -> str:
    """In the vault; no connection can be called so."""
    return f"people/{person}"
