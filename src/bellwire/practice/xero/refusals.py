"""How Xero says no."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response


class Refusal(Exception):
    """An answer of HTTP 400, unless told otherwise."""

    def __init__(
        self,
        number: int,
        kind: str,
        message: str,
        elements: list[dict[str, Any]] | None = None,
        *,
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self._status = status
        self._body: dict[str, Any] = {"ErrorNumber": number, "Type": kind, "Message": message}
        if elements is not None:
            self._body["Elements"] = elements

    def answer(self) -> Response:
        return JSONResponse(self._body, self._status)


def invalid(given: Mapping[str, Any], *messages: str) -> Refusal:
    """What was given isn't valid, and why."""
    element = {**given, "ValidationErrors": [{"Message": message} for message in messages]}
    return Refusal(10, "ValidationException", "A validation exception occurred", [element])


def bad_filter(message: str) -> Refusal:
    return Refusal(16, "QueryParseException", message)


def unauthorised(detail: str) -> Response:
    body = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": detail, "Instance": "practice"}
    return JSONResponse(body | {"Extensions": {}}, 401)


def forbidden() -> Response:
    body = {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}
    return JSONResponse(body | {"Instance": "practice", "Extensions": {}}, 403)
