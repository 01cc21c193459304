"""The runs: found by number, customer, amount, flow, state and day."""

from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bellwire.desk.looking import PAGE, Filters, Line, lines, one_answer
from bellwire.desk.site import Page, Site
from bellwire.ledger import EventRow, Rows, RunState, finding


def pages(site: Site) -> Sequence[Page]:
    return [Page("/runs", partial(_runs, site))]


async def _runs(site: Site, request: Request) -> Response:
    filters = Filters.of(request.query_params)
    wanted, now = filters.wanted(RunState, site.zone), site.clock()

    def read(rows: Rows) -> tuple[str, list[Line], int | None, list[EventRow]]:
        if filters.only_text and (to := one_answer(rows, filters.q)):
            return to, [], None, []
        found = finding.find_runs(rows, wanted, before=filters.before, limit=PAGE)
        without: list[EventRow] = []
        if filters.only_text and not found.items:
            without = list(finding.find_events(rows, wanted, before=None, limit=PAGE).items)
        return "", lines(rows, list(found.items), site.words, now), found.next, without

    to, shown, further, without = await site.ledger.read(read)
    if to:
        return RedirectResponse(to, 303)
    return site.page(
        request,
        "runs.html",
        filters=filters,
        filtered=not wanted.everything,
        lines=shown,
        further=filters.page_before(further) if further else "",
        without=without,
        states=[state.value for state in RunState],
    )
