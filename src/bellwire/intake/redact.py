"""Card numbers and their like are taken out before anything is stored."""

import re
from typing import Any

import orjson

_NAMES = (
    rb"(?:credit_?|debit_?)?card_?(?:number|no)|pan|cvv2?|cvc2?|card_?security_?code|security_?code|iban|track_?data"
)
_SUSPECT = re.compile(rb'"(?:' + _NAMES + rb')"\s*:', re.IGNORECASE)
_NAME = re.compile(_NAMES.decode(), re.IGNORECASE)
REMOVED = "[removed]"


def redact(body: bytes, value: Any) -> bytes:
    """`body` without the values of sensitive fields; `value` is the body, parsed. Untouched when it has none."""
    if not _SUSPECT.search(body):
        return body
    return orjson.dumps(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: REMOVED if _NAME.fullmatch(key) and isinstance(item, str | int) else _clean(item)
            for key, item in value.items()
        }
    return [_clean(item) for item in value] if isinstance(value, list) else value
