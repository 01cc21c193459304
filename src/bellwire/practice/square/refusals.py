"""How Square answers, and how it says no."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from bellwire.clock import parse_time

VERSION = "2025-08-20"

Record = dict[str, Any]


class Refusal(Exception):
    """Square's `{"errors": [...]}`."""

    def __init__(self, status: int, code: str, detail: str, where: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.where = status, code, detail, where

    def answer(self) -> Response:
        category = {401: "AUTHENTICATION_ERROR", 403: "AUTHENTICATION_ERROR", 429: "RATE_LIMIT_ERROR"}.get(
            self.status, "INVALID_REQUEST_ERROR"
        )
        if self.status >= 500:
            category = "API_ERROR"
        if "REFUND" in self.code:
            category = "REFUND_ERROR"
        error = {"category": category, "code": self.code, "detail": self.detail}
        return told({"errors": [error | ({"field": self.where} if self.where else {})]}, self.status)


def told(value: Any, status: int = 200, version: str = VERSION) -> Response:
    return JSONResponse(value, status, {"Square-Version": version})


def missing(where: str) -> Refusal:
    return Refusal(400, "MISSING_REQUIRED_PARAMETER", "Missing required parameter.", where)


def page(name: str, rows: list[Any], asked: Mapping[str, Any], most: int) -> Record:
    """The rows from the cursor on, and where the next page begins."""
    cursor = str(asked.get("cursor") or "0")
    if not cursor.isdecimal():
        raise Refusal(400, "INVALID_CURSOR", "The cursor is invalid or has expired.", "cursor")
    start = int(cursor)
    end = start + min(most, int(asked.get("limit") or most))
    return {name: rows[start:end]} | ({"cursor": str(end)} if end < len(rows) else {})


def stamp(time: datetime) -> str:
    """RFC 3339 to the millisecond, which sorts as it is."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def since(text: str | None, where: str) -> str | None:
    """A time that somebody asks by, in the form in which it is compared."""
    if not text:
        return None
    try:
        return stamp(parse_time(text))
    except ValueError:
        raise Refusal(400, "INVALID_TIME", "Invalid timestamp.", where) from None
