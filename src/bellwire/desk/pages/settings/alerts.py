"""Where alerts go, whether they arrive, and what people are told of just now."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import zip_longest

from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.clock import in_one_unit
from bellwire.desk.configuring import THE_ALERTS, adding, live_of, removing, saving
from bellwire.desk.forms import Form, form_of
from bellwire.desk.gate import Gate, in_thread
from bellwire.desk.pages.settings.filed import Filed
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.ledger import AlertRow, MessageRow, Rows, alerts, audit
from bellwire.settings import AlertSettings
from bellwire.settings.live import Part
from bellwire.watch import REMEDY, addresses, try_channels
from bellwire.watch.addresses import Addresses

_PLACE = "/settings/alerts"
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "s": "seconds"}
_BLANK = 2
"""So many reminders more than there are can be filled in at once."""
_WRONG = {
    "reminders": "Each reminder is a whole number of minutes, hours or days, a year at most.",
    "quiet_hours": "Quiet hours begin at one time of the day and end at another: fill in both, or neither.",
}
"""What is wrong, by setting, in words for who fills in the form."""


def pages(site: Site, _: Gate) -> Sequence[Page]:
    return [
        Page(_PLACE, partial(_show, site)),
        Page(_PLACE, partial(_save, site), needs=Right.MANAGE, method="POST"),
        Page(f"{_PLACE}/channels", partial(_add, site), needs=Right.MANAGE, method="POST"),
        Page(f"{_PLACE}/channels/remove", partial(_remove, site), needs=Right.MANAGE, method="POST"),
        Page(f"{_PLACE}/test", partial(_test, site), needs=Right.MANAGE, method="POST"),
    ]


async def _show(site: Site, request: Request) -> Response:
    return await _shown(site, request)


async def _shown(
    site: Site,
    request: Request,
    *,
    status: int = 200,
    refused: Mapping[str, str] = {},
    wrong: Mapping[str, str] = {},
    form: Form | None = None,
) -> Response:
    """`refused`: why nothing was saved, by the part of the page; `wrong`: what is wrong with what was filled in for
    when alerts are sent, by setting."""
    try:
        there, unread = await _addresses(site), ""
    except BellwireError as error:
        there, unread = Addresses((), ""), str(error)

    def query(rows: Rows) -> list[tuple[AlertRow, list[MessageRow]]]:
        return [(alert, alerts.messages(rows, alert.id)) for alert in alerts.open_ones(rows)]

    holds = site.live.alerts if site.live else AlertSettings()
    given = _filled_in(form) if form and wrong else _of(holds)
    return site.page(
        request,
        "settings_alerts.html",
        status,
        channels=[channel.name for channel in there.channels],
        there=there.version,
        unread=unread,
        keeps=site.vault is not None,
        found=await site.ledger.read(query),
        set=holds,
        filed=Filed.of(site, Part.ALERTS),
        remedy=REMEDY,
        refused=refused,
        wrong=wrong,
        given=given,
        units=_UNITS,
        typed_in={name: form.get(name) for name in ("kind", "server", "user", "sender", "to")} if form else {},
    )


async def _save(site: Site, request: Request) -> Response:
    form, live, who = form_of(request), live_of(site), visitor_of(request).name
    reminders, begin, end = _filled_in(form)
    values = {
        "reminders": [f"{count}{unit}" for count, unit in reminders if count],
        "quiet_hours": f"{begin}-{end}" if begin or end else None,
    }
    try:
        if found := live.wrong(Part.ALERTS, values):
            wrong = {name: _WRONG.get(name, reason) for name, reason in found.items()}
            return await _shown(site, request, status=400, wrong=wrong, form=form)
        change = await site.ledger.write(saving(site, Part.ALERTS, values, who, form.get("version")))
    except BellwireError as error:
        refused = {"when": f"{error.sentence} {error.remedy}"}
        return await _shown(site, request, status=400, refused=refused)
    return site.go(_PLACE, "It is saved, and holds from the next message on." if change.told else "It was so already.")


async def _add(site: Site, request: Request) -> Response:
    form, who = form_of(request), visitor_of(request).name
    try:
        url = await addresses.plain(_address(form))
        change = await site.ledger.write(adding(site, url, who))
    except BellwireError as error:
        refused = {"channel": f"{error.sentence} {error.remedy}"}
        return await _shown(site, request, status=400, refused=refused, form=form)
    return site.go(_PLACE, f"Alerts go to {change.name}, too. Send a test to see whether they arrive.")


async def _remove(site: Site, request: Request) -> Response:
    form, who = form_of(request), visitor_of(request).name
    name = form.get("name")
    try:
        await site.ledger.write(removing(site, name, who, form.get("version")))
    except BellwireError as error:
        refused = {"channel": f"{error.sentence} {error.remedy}"}
        return await _shown(site, request, status=400, refused=refused)
    return site.go(_PLACE, f"Alerts no longer go to {name}.")


async def _test(site: Site, request: Request) -> Response:
    channels, who = (await _addresses(site)).channels, visitor_of(request).name
    if not channels:
        raise BellwireError("Alerts reach nobody: no channel is set.", remedy="Add one on this page first.")
    errors = await try_channels(site.ledger, channels, site.business, site.clock())
    await site.ledger.write(lambda rows: audit.record(rows, who, "test", THE_ALERTS, site.clock()))
    return site.go(_PLACE, " ".join(f"{name}: {error or 'it went through.'}" for name, error in errors.items()))


async def _addresses(site: Site) -> Addresses:
    if site.vault is None:
        return Addresses((), "")
    found: Addresses = await in_thread(addresses.read_addresses, site.vault, site.environ)
    return found


def _address(form: Form) -> str:
    """What was filled in for a new channel, as an address. Raises BellwireError."""
    match form.get("kind"):
        case "mailbox":
            server, user, sender, to = (form.get(name) for name in ("server", "user", "sender", "to"))
            return addresses.mailbox(server, user, form.text("password"), sender, to)
        case "phone":
            return addresses.phone(form.get("topic"))
        case _:
            return form.get("address")


Filled = tuple[list[tuple[str, str]], str, str]
"""The form for when alerts are sent: number and unit of each reminder, and when quiet hours begin and end."""


def _of(settings: AlertSettings) -> Filled:
    reminders = [(str(count), unit) for count, unit in map(in_one_unit, settings.reminders)]
    quiet = settings.quiet_hours
    begin, end = (f"{quiet.begin:%H:%M}", f"{quiet.end:%H:%M}") if quiet else ("", "")
    return reminders + [("", "h")] * _BLANK, begin, end


def _filled_in(form: Form) -> Filled:
    reminders = list(zip_longest(form.all("count"), form.all("unit"), fillvalue=""))
    return [(count.strip(), unit) for count, unit in reminders], form.get("begin"), form.get("end")
