"""Failures as the API tells them: problem+json, https://www.rfc-editor.org/rfc/rfc9457."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bellwire.errors import BellwireError, LedgerBusy, NotFound

log = structlog.get_logger()


class WrongPart(BaseModel):
    """What is wrong with one part of a request."""

    where: str
    """Such as `body.reason` or `query.limit`."""
    what: str


class Problem(BaseModel):
    type: str = "about:blank"
    title: str
    """What happened, in a sentence."""
    status: int
    detail: str = ""
    """What to do next."""
    errors: list[WrongPart] = []


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": meaning,
        "model": Problem,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {"type": "about:blank", "status": status, "title": title, "detail": detail, "errors": wrong},
            }
        },
    }
    for status, (meaning, title, detail, wrong) in {
        400: ("The request can't be understood.", "There was an error parsing the body", "", []),
        401: ("There is no token, or it isn't good any more.", "A token is needed.", "", []),
        403: ("The token doesn't have the right for this.", "This token doesn't have the right 'work'.", "", []),
        404: (
            "There is no such thing: nothing was changed.",
            "There is no exception 7.",
            "`GET /exceptions` lists them.",
            [],
        ),
        409: (
            "It can't be done as things are, and nothing was changed: `title` says why, `detail` what to do. Or the"
            " Idempotency-Key was used for another request.",
            "Exception 7 is closed already (retried).",
            "",
            [],
        ),
        413: ("The request is larger than 1 MiB.", "The request is too large.", "", []),
        422: (
            "Something in the request is wrong: `errors` says where.",
            "Something in the request is wrong.",
            "",
            [{"where": "query.limit", "what": "Input should be less than or equal to 200"}],
        ),
        503: (
            "The ledger can't be written just now: send it again after `Retry-After` seconds.",
            "The ledger can't take more just now.",
            "Make room on the disk, or wait.",
            [],
        ),
    }.items()
}


def answer_problems(app: FastAPI) -> None:
    """Have every failure told as a problem."""

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        headers = error.headers
        if error.status_code == 405 and (allowed := await _allowed(app, request)):
            headers = {"Allow": allowed}
        return problem(error.status_code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        parts = [WrongPart(where=".".join(map(str, each["loc"])), what=str(each["msg"])) for each in error.errors()]
        return problem(422, "Something in the request is wrong.", errors=parts)

    @app.exception_handler(BellwireError)
    async def _ours(_: Request, error: BellwireError) -> Response:
        return told(error)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        log.error("a request of the API failed", path=request.url.path, exc_info=error)
        return problem(500, "This can't be done just now: a fault in Bellwire. The log has the details.")


async def _allowed(app: FastAPI, request: Request) -> str:
    """The methods of an operation's path: each has a route of its own, and none of them knows the others. Empty: the
    path is of something else."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    described = (await asyncio.to_thread(app.openapi))["paths"]
    fitting = [each for each in described if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)]
    # A path that is said word for word goes before one with parameters, https://spec.openapis.org/oas/v3.1.0#paths-object
    closest = min(fitting, key=lambda each: each.count("{"), default=None)
    return ", ".join(sorted(method.upper() for method in described[closest])) if closest else ""


def told(error: BellwireError) -> Response:
    if isinstance(error, LedgerBusy):
        return problem(503, str(error), error.remedy, headers={"Retry-After": "5"})
    return problem(404 if isinstance(error, NotFound) else 409, str(error), error.remedy)


def problem(
    status: int,
    title: str,
    detail: str = "",
    *,
    errors: list[WrongPart] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    model = Problem(title=title, status=status, detail=detail, errors=errors or [])
    return JSONResponse(model.model_dump(), status, headers=dict(headers or {}), media_type="application/problem+json")
