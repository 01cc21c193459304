"""Where alerts go, whether they arrive, and what people are told of just now."""

from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.gate import Gate, in_thread
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.desk.written import written
from bellwire.errors import BellwireError
from bellwire.ledger import AlertRow, MessageRow, Rows, alerts, audit
from bellwire.settings import AlertSettings
from bellwire.watch import REMEDY, Channel, read_channels, try_channels

_PLACE = "/settings/alerts"


def pages(site: Site, _: Gate) -> Sequence[Page]:
    return [
        Page(_PLACE, partial(_show, site)),
        Page(f"{_PLACE}/test", partial(_test, site), needs=Right.MANAGE, method="POST"),
    ]


async def _show(site: Site, request: Request) -> Response:
    try:
        channels, wrong = [channel.name for channel in await _channels(site)], ""
    except BellwireError as error:
        channels, wrong = [], str(error)

    def query(rows: Rows) -> list[tuple[AlertRow, list[MessageRow]]]:
        return [(alert, alerts.messages(rows, alert.id)) for alert in alerts.open_ones(rows)]

    return site.page(
        request,
        "settings_alerts.html",
        channels=channels,
        wrong=wrong,
        found=await site.ledger.read(query),
        set=site.settings.alerts if site.settings else AlertSettings(),
        written=partial(written, site.settings, "alerts"),
        remedy=REMEDY,
    )


async def _test(site: Site, request: Request) -> Response:
    channels, who = await _channels(site), visitor_of(request).name
    if not channels:
        raise BellwireError("Alerts reach nobody: no channel is set.", remedy=REMEDY)
    errors = await try_channels(site.ledger, channels, site.business, site.clock())
    await site.ledger.write(lambda rows: audit.record(rows, who, "test", "the alerts", site.clock()))
    return site.go(_PLACE, " ".join(f"{name}: {error or 'it went through.'}" for name, error in errors.items()))


async def _channels(site: Site) -> Sequence[Channel]:
    found: Sequence[Channel] = await in_thread(read_channels, site.vault, site.environ) if site.vault else ()
    return found
