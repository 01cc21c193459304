"""Help: what events carry, and a runbook for each flow; both made from what is really there."""

from collections.abc import Sequence
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.desk.gate import in_thread
from bellwire.desk.site import Page, Site
from bellwire.flows import ALWAYS, BY_HAND, DataEntry, Dictionary, dictionary, runbook

_LONGEST = 100


def pages(site: Site) -> Sequence[Page]:
    return [
        Page("/help", partial(_overview, site)),
        Page("/help/dictionary", partial(_dictionary, site)),
        Page("/help/runbooks/{flow}", partial(_runbook, site)),
    ]


async def _overview(site: Site, request: Request) -> Response:
    return site.page(request, "help.html")


async def _dictionary(site: Site, request: Request) -> Response:
    asked = request.query_params.get("q", "")[:_LONGEST].strip()
    found = await in_thread(dictionary)
    return site.page(request, "help_dictionary.html", found=fitting(found, asked), asked=asked)


async def _runbook(site: Site, request: Request) -> Response:
    flow = site.flows.get(request.path_params["flow"])
    if flow is None:
        raise HTTPException(404)
    connectors = {name: connection.connector for name, connection in site.connections.items()}
    book = await in_thread(runbook, flow, connectors)
    return site.page(request, "help_runbook.html", book=book, always=ALWAYS, by_hand=BY_HAND.format(flow=flow.id))


def fitting(found: Dictionary, asked: str) -> Dictionary:
    """What has all the words in its name or meaning: whole when it is the data itself, else its fields that fit."""
    words = asked.casefold().split()

    def fits(*texts: str) -> bool:
        text = " ".join(texts).casefold()
        return all(word in text for word in words)

    events = [event for event in found.events if fits(event.name, event.meaning)]
    data = []
    for entry in found.data:
        fields = [field for field in entry.fields if fits(field.name, field.meaning)]
        if fits(entry.name, entry.meaning) or fields:
            data.append(DataEntry(entry.name, entry.meaning, fields or entry.fields))
    return Dictionary(events, data)
