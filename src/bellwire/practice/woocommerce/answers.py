"""What the shop's requests and answers have in common: pages, errors in its words, times."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

Body = dict[str, Any]


class Wrong(Exception):
    """The shop's own error: `{"code", "message", "data": {"status", …}}`."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"code": code, "message": message, "data": {"status": status, **data}}, status)


async def json(request: Request) -> Body:
    try:
        given = orjson.loads(await request.body())
    except ValueError:
        raise Wrong(400, "rest_invalid_json", "Invalid JSON body passed.") from None
    return given if isinstance(given, dict) else {}


def invalid(name: str, message: str) -> Wrong:
    return Wrong(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: message}, details={})


def require(given: Body, *names: str) -> None:
    if missing := [name for name in names if not given.get(name)]:
        raise Wrong(400, "rest_missing_callback_param", f"Missing parameter(s): {', '.join(missing)}", params=missing)


def modified(request: Request, resources: Iterable[Body]) -> list[Body]:
    """Those that changed after the second that `modified_after` names, in the order that is asked for."""
    query = request.query_params
    if query.get("orderby", "date") not in ("date", "id", "include", "title", "slug"):
        raise invalid("orderby", f"orderby is not one of date, id, include, title, slug: {query['orderby']}")
    after = query.get("modified_after", "")
    if after and query.get("dates_are_gmt") != "true":
        raise invalid("dates_are_gmt", "practice knows no time but UTC.")
    found = [resource for resource in resources if resource["date_modified_gmt"] > after]
    key = "id" if query.get("orderby") == "id" else "date_created_gmt"
    found.sort(key=lambda resource: resource[key], reverse=query.get("order", "desc") == "desc")
    return found


def paged(request: Request, found: Sequence[Body]) -> Response:
    query = request.query_params
    page, size = (int(query.get(name, default)) for name, default in (("page", "1"), ("per_page", "10")))
    if not 1 <= size <= 100:
        raise invalid("per_page", "per_page must be between 1 (inclusive) and 100 (inclusive)")
    pages = -(-len(found) // size)
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    if page < pages:
        headers["Link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
    return JSONResponse(found[(page - 1) * size : page * size], headers=headers)


async def no_route(_: Request) -> Response:
    message = "No route was found matching the URL and request method."
    return Wrong(404, "rest_no_route", message).answer


async def page_not_found(_: Request) -> Response:
    return HTMLResponse("<html><h1>Page not found</h1></html>", 404)


def now() -> datetime:
    return datetime.now(UTC)


def later(resource: Body) -> str:
    """Now, or a second after the resource's last change: times are in whole seconds."""
    before = datetime.fromisoformat(resource["date_modified_gmt"]).replace(tzinfo=UTC)
    return text(max(now(), before + timedelta(seconds=1)))


def text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")
