"""For how long what came in is kept, and what a purge takes."""

from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.gate import Gate
from bellwire.desk.site import Page, Site
from bellwire.desk.words import number, plural
from bellwire.desk.written import written
from bellwire.ledger import Housekeeping, Keep, purge
from bellwire.settings import KeepSettings

_PLACE = "/settings/retention"


def pages(site: Site, _: Gate) -> Sequence[Page]:
    return [
        Page(_PLACE, partial(_show, site)),
        # It looks at every row that is old: too much for a page that somebody only opens.
        Page(f"{_PLACE}/trial", partial(_try, site), needs=Right.WORK, method="POST"),
    ]


async def _show(site: Site, request: Request) -> Response:
    last = await site.ledger.read(purge.last)
    return site.page(
        request,
        "settings_retention.html",
        keep=_keep(site),
        last=last,
        size=await site.ledger.size(),
        written=partial(written, site.settings, "keep"),
        megabytes=_megabytes,
    )


async def _try(site: Site, _: Request) -> Response:
    keep = _keep(site)
    found = await Housekeeping(site.ledger, Keep.days(keep.payloads, keep.details), clock=site.clock).purge(trial=True)
    webhooks, events = plural(found.payloads, "webhook"), plural(found.events, "event")
    return site.go(_PLACE, f"A purge now would take out {webhooks} and the data of {events}: {_megabytes(found.size)}.")


def _keep(site: Site) -> KeepSettings:
    return site.settings.keep if site.settings else KeepSettings()


def _megabytes(count: int) -> str:
    """`0.3 MB`."""
    return f"{count / 1_000_000:,.1f} MB" if count < 10_000_000 else f"{number(count // 1_000_000)} MB"
