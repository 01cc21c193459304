"""What is changed in the settings from the desk, by a page or by the API: saved, and noted who did, in one go."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from bellwire.desk.site import Site
from bellwire.errors import NotFound
from bellwire.ledger import Rows, audit
from bellwire.settings.live import Change, LiveSettings, Part
from bellwire.vault import Vault
from bellwire.watch import addresses
from bellwire.watch.addresses import ChannelChange

THE_ALERTS = "the alerts"
"""What the record of who did what calls them."""
_TARGETS = {Part.KEEP: "what is kept", Part.ALERTS: THE_ALERTS}


def live_of(site: Site) -> LiveSettings:
    """Raises NotFound."""
    if site.live is None:
        raise NotFound("This desk has no settings file.")
    return site.live


def vault_of(site: Site) -> Vault:
    """Raises NotFound."""
    if site.vault is None:
        raise NotFound("This desk has no vault.")
    return site.vault


def saving(
    site: Site, part: Part, values: Mapping[str, Any], who: str, version: str | None = None
) -> Callable[[Rows], Change]:
    """Saves these settings, as LiveSettings.plan takes them, in a transaction. It raises what that does."""
    live = live_of(site)
    # Once: if the transaction is done again, the file has them already.
    plan = cache(partial(live.plan, part, values, version))

    def save(rows: Rows) -> Change:
        change = plan()
        if change.told:
            audit.record(rows, who, "change", _TARGETS[part], site.clock(), change.told)
            live.write(change)
        return change

    return save


def adding(site: Site, url: str, who: str) -> Callable[[Rows], ChannelChange]:
    """Has alerts go to another address, one that `addresses.plain` gave. It raises BellwireError."""
    plan = partial(addresses.with_another, vault_of(site), site.environ, url)
    return _changing(site, plan, "add a channel to", who)


def removing(site: Site, name: str, who: str, version: str | None = None) -> Callable[[Rows], ChannelChange]:
    """Has alerts no longer go to a channel. It raises NotFound, BellwireError."""
    plan = partial(addresses.without, vault_of(site), site.environ, name, version)
    return _changing(site, plan, "remove a channel from", who)


def _changing(site: Site, plan: Callable[[], ChannelChange], what: str, who: str) -> Callable[[Rows], ChannelChange]:
    planned, vault = cache(plan), vault_of(site)

    def change(rows: Rows) -> ChannelChange:
        found = planned()
        audit.record(rows, who, what, THE_ALERTS, site.clock(), found.name)
        addresses.keep(vault, site.environ, found)
        return found

    return change
