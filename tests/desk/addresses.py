"""An address for each page of the desk and each operation of its API: a new one is visited as it is listed."""

import re
from collections.abc import Mapping

import aiohttp
import httpx

from bellwire.access import Right
from bellwire.ledger import Rows

SAMPLES = {"flow": "order_to_cash", "name": "shop", "rest": "nope"}
"""By the name of a parameter."""
_NUMBERED = ("number", "run", "exception", "ask", "delivery")
_NEWEST = {
    "runs": "SELECT max(id) FROM runs WHERE state = 'dead'",
    "exceptions": "SELECT max(id) FROM exceptions WHERE state = 'open'",
    "work": "SELECT max(id) FROM errands",
    "asks": "SELECT max(id) FROM asks WHERE state = 'open'",
    "events": "SELECT max(id) FROM events",
    "deliveries": "SELECT max(id) FROM deliveries",
}
"""What a page with a number is shown with, by the last of these words in its path."""


def address(path: str, samples: Mapping[str, str] = SAMPLES) -> str:
    """A page's or an operation's path with its parameters filled in; 1 for those that aren't in `samples`."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: samples.get(found[1], "1"), path)


def newest(rows: Rows, path: str) -> dict[str, str]:
    """Samples for the parameters of a path: of what has numbers, the newest one with something to do, if there is
    one."""
    query = next((_NEWEST[word] for word in reversed(path.split("/")) if word in _NEWEST), None)
    found = rows.one(query) if query else None
    number = str(found[0]) if found and found[0] else "1"
    return dict.fromkeys(_NUMBERED, number) | SAMPLES


def is_page(answer: httpx.Response) -> bool:
    """Not a file to take along, nor what leads on to another page."""
    return not answer.is_redirect and answer.headers["Content-Type"].startswith("text/html")


async def operations(url: str) -> list[tuple[str, str, Right]]:
    """Of the API of the desk at `url`: method, path, and the right that its description names."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1/openapi.json") as got:
        described = await got.json()
    found = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            [security] = operation["security"]
            [[right]] = security.values()
            found.append((method.upper(), path, Right(right)))
    return found
