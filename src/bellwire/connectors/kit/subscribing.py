"""The vendor's own list of where it sends what: made, looked at and mended over its API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bellwire.connectors.kit.actions import Call


@dataclass(frozen=True)
class Subscription:
    """One entry of it."""

    id: str
    url: str
    topics: tuple[str, ...]
    trouble: str = ""
    """Why nothing (or not the right thing) comes of it, in a sentence: the vendor turned it off, it has another
    version. Empty: it is as it should be."""


@dataclass(frozen=True)
class Subscribing:
    """How a connector keeps it."""

    listing: Callable[["Call"], Awaitable[Sequence[Subscription]]]
    """All entries of the account that the API shows, those for other addresses among them, to the last page."""
    create: Callable[["Call", str, Sequence[str]], Awaitable[Mapping[str, str]]]
    """Have these topics sent to an address. Gives the credentials that came of it, such as the secret that the vendor
    made up for it: they are kept before anything else is done."""
    remove: Callable[["Call", Subscription], Awaitable[None]]
    """Take one away; that it is gone already is no error."""


@dataclass(frozen=True)
class Standing:
    """How the subscriptions for one address are."""

    missing: tuple[str, ...]
    """Topics that nobody sends."""
    broken: tuple[Subscription, ...]
    """Those that have to be made anew."""

    @property
    def well(self) -> bool:
        return not self.missing and not self.broken


def standing(subscriptions: Sequence[Subscription], url: str, topics: Sequence[str]) -> Standing:
    """What is amiss with those for `url`, where `topics` are to come."""
    ours = [each for each in subscriptions if each.url == url]
    broken = tuple(each for each in ours if each.trouble)
    coming = {topic for each in ours if not each.trouble for topic in each.topics}
    return Standing(tuple(topic for topic in topics if topic not in coming), broken)


async def repair(subscribing: Subscribing, call: "Call", url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """Have `topics` come to `url`: what is broken is taken away, what is missing made. Gives the credentials that came
    of it. Asked twice, it does nothing the second time."""
    found = standing(await subscribing.listing(call), url, topics)
    for each in found.broken:
        await subscribing.remove(call, each)
    return await subscribing.create(call, url, found.missing) if found.missing else {}
