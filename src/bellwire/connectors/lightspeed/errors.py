"""What the store says when it refuses: `{"error", "message"}`, or an object of field → what is wrong with it."""

from collections.abc import Iterator
from typing import Any

import orjson

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, Transient, VendorError

_RIGHTS = "Give the application the permissions that `bellwire check` names, and sign in again."


def explain(answer: Answer) -> VendorError | None:
    """Waiting, signing in and failing (401, 408, 429, 5xx) go by status: https://x-series-api.lightspeedhq.com/"""
    if answer.ok or answer.status in (401, 408, 429) or answer.status >= 500:
        return None
    detail = f"{answer.method} {answer.path}: {answer.status} {answer.text[:300]}"
    if answer.status == 409:
        return Transient("Lightspeed was given the same thing twice just then.", cause="conflict", detail=detail)
    if answer.status == 403:
        return Refused(
            "Lightspeed doesn't let the application do this.", cause="missing-rights", detail=detail, remedy=_RIGHTS
        )
    said = "; ".join(_said(answer.body)) or f"status {answer.status}"
    return Refused(f"Lightspeed refused it: {said}.", cause=f"refused-{answer.status}", detail=detail)


def _said(body: bytes) -> Iterator[str]:
    """In its own words, without the full stop at their end."""
    try:
        told = orjson.loads(body)
    except ValueError:
        return
    for text in _texts(told.get("message") or told.get("error") or told if isinstance(told, dict) else told):
        yield text.rstrip(". ")


def _texts(value: Any, name: str = "") -> Iterator[str]:
    """`{"quantity": ["is no number"]}` → `quantity: is no number`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif value not in (None, ""):
        yield f"{name}: {value}" if name else str(value)
