"""For how long what came in is kept, and what a purge takes."""

from collections.abc import Mapping, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.configuring import live_of, saving
from bellwire.desk.forms import Form, form_of
from bellwire.desk.gate import Gate
from bellwire.desk.pages.settings.filed import Filed
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.desk.words import number, plural
from bellwire.errors import BellwireError
from bellwire.ledger import Housekeeping, Keep, purge
from bellwire.settings import KeepSettings
from bellwire.settings.live import Part

_PLACE = "/settings/retention"


def pages(site: Site, _: Gate) -> Sequence[Page]:
    return [
        Page(_PLACE, partial(_show, site)),
        Page(_PLACE, partial(_save, site), needs=Right.MANAGE, method="POST"),
        # It looks at every row that is old: too much for a page that somebody only opens.
        Page(f"{_PLACE}/trial", partial(_try, site), needs=Right.WORK, method="POST"),
    ]


async def _show(site: Site, request: Request) -> Response:
    return await _shown(site, request)


async def _shown(
    site: Site,
    request: Request,
    *,
    status: int = 200,
    said: str = "",
    wrong: Mapping[str, str] = {},
    form: Form | None = None,
) -> Response:
    """`said`: why nothing was saved; `wrong`: what is wrong with what was filled in, by field."""
    keep, last = _keep(site), await site.ledger.read(purge.last)
    given = {name: form.get(name) if form else str(getattr(keep, name)) for name in ("payloads", "details")}
    return site.page(
        request,
        "settings_retention.html",
        status,
        keep=keep,
        own=KeepSettings(),
        last=last,
        size=await site.ledger.size(),
        filed=Filed.of(site, Part.KEEP),
        refused=said,
        wrong=wrong,
        given=given,
        requests="requests" in form if form else keep.requests,
        megabytes=_megabytes,
    )


async def _save(site: Site, request: Request) -> Response:
    form, live = form_of(request), live_of(site)
    values = {name: _days(form.get(name)) for name in ("payloads", "details")} | {"requests": "requests" in form}
    try:
        if wrong := live.wrong(Part.KEEP, values):
            return await _shown(site, request, status=400, wrong=wrong, form=form)
        who = visitor_of(request).name
        change = await site.ledger.write(saving(site, Part.KEEP, values, who, form.get("version")))
    except BellwireError as error:
        return await _shown(site, request, status=400, said=f"{error.sentence} {error.remedy}")
    return site.go(_PLACE, "It is saved, and holds at once." if change.told else "It was so already.")


async def _try(site: Site, _: Request) -> Response:
    keep = _keep(site)
    kept = Keep.days(keep.payloads, keep.details)
    found = await Housekeeping(site.ledger, lambda: kept, clock=site.clock).purge(trial=True)
    webhooks, events = plural(found.payloads, "webhook"), plural(found.events, "event")
    return site.go(_PLACE, f"A purge now would take out {webhooks} and the data of {events}: {_megabytes(found.size)}.")


def _keep(site: Site) -> KeepSettings:
    return site.live.keep if site.live else KeepSettings()


def _days(text: str) -> int | str | None:
    """As the settings file has it; what isn't a number is left to who checks it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text or None


def _megabytes(count: int) -> str:
    """`0.3 MB`."""
    return f"{count / 1_000_000:,.1f} MB" if count < 10_000_000 else f"{number(count // 1_000_000)} MB"
