"""What is declared about calculations: there is nobody to call."""

from collections.abc import Iterable

from bellwire.capabilities.planning import WatchedPlace
from bellwire.connectors.kit import Level, Manifest, Settings
from bellwire.events import Environment

_AT_ONCE = 50
"""SKUs that are counted together: one that the vendor doesn't know keeps the others of its part from being counted."""


class OwnSettings(Settings):
    """What a project's files say beside its connections."""

    watched: tuple[WatchedPlace, ...] = ()

    @classmethod
    def of(cls, watched: Iterable[tuple[str, str]]) -> "OwnSettings":
        """`watched`: SKU and place."""
        by_place: dict[str, list[str]] = {}
        for sku, place in watched:
            by_place.setdefault(place, []).append(sku)
        return cls(
            watched=tuple(
                WatchedPlace(location=place, skus=tuple(skus[first : first + _AT_ONCE]))
                for place, skus in by_place.items()
                for first in range(0, len(skus), _AT_ONCE)
            )
        )


MANIFEST = Manifest(
    name="bellwire",
    title="Bellwire itself",
    capabilities=("planning", "routing"),
    # Nothing is ever called.
    base_urls={Environment.SANDBOX: "", Environment.PRODUCTION: ""},
    level=Level.GOLD,
    exempt={
        "practice": "Nothing is called: practice and production work out the same.",
        "spec": "The format is our own: docs/flows.md and the models of the capability are its description.",
        "signatures": "It sends no webhooks.",
        "limits": "Nothing is called.",
        "errors": "Nobody refuses anything but the calculations themselves, whose tests hold their words.",
        "paging": "Nothing is called.",
        "sdk": "The format is our own.",
        "reconcile": "It sends no webhooks, so none can be missed.",
        "subscriptions": "It sends no webhooks.",
        "version": "It is part of Bellwire, and has its version.",
        "environments": "Calculations are the same in both.",
        "access": "There is nothing to sign in to.",
    },
)
