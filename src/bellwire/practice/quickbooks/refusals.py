"""How QuickBooks says no, and when it is: faults of its own, and those of the gateway in front of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from starlette.responses import JSONResponse, Response

_PACIFIC = timezone(timedelta(hours=-8))


def written(time: datetime) -> str:
    """A time as QuickBooks writes it."""
    return time.astimezone(_PACIFIC).isoformat(timespec="seconds")


class Refusal(Exception):
    """A validation fault."""

    def __init__(self, code: str, message: str, detail: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.detail, self.status = code, message, detail, status

    def answer(self, time: str) -> Response:
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": ""}
        return answer({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": time}, self.status)


def missing(name: str) -> Refusal:
    return Refusal("2020", "Required param missing, need to supply the required value for the API", name)


def unknown(name: str, value: str) -> Refusal:
    return Refusal("2500", "Invalid Reference Id", f"Invalid Reference Id : {name} {value!r} not found or inactive")


def broken(rule: str) -> Refusal:
    message = "A business validation error has occurred while processing your request"
    return Refusal("6000", message, f"Business Validation Error: {rule}")


def bad_query(detail: str) -> Refusal:
    return Refusal("4000", "Error parsing query", f"QueryParserError: {detail}")


def gateway(status: int, kind: str, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The gateway in front of QuickBooks writes its faults in lower case."""
    error = {"message": message, "detail": "", "code": code, "element": None}
    body = {"warnings": None, "fault": {"error": [error], "type": kind}, "queryResponse": None, "time": 1795512600000}
    return answer(body, status, headers)


def answer(body: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, {"intuit_tid": "1-practice", **(headers or {})})
