"""The settings: a page for each part, and one that leads to them."""

from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bellwire.desk.gate import Gate
from bellwire.desk.pages.settings import alerts, audit, me, people, retention, tokens
from bellwire.desk.site import Page, Site


def pages(site: Site, gate: Gate) -> Sequence[Page]:
    return [
        Page("/settings", partial(_overview, site)),
        *(page for each in (people, me, tokens, alerts, retention, audit) for page in each.pages(site, gate)),
    ]


async def _overview(site: Site, request: Request) -> Response:
    return site.page(request, "settings.html")
