"""What a vendor tells of an account once we are signed in: whose it is, what it may do, what it sends and announces.
Nothing is changed by asking; only `subscribe` has webhooks sent."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date, datetime, timedelta

from bellwire.clock import Clock
from bellwire.connectors.kit import Account, Call, Connection, Manifest, Standing, only_from_here, repair, standing
from bellwire.errors import BellwireError
from bellwire.watch.concerns import SECRET_DAYS, is_old
from bellwire.watch.finding import Finding, Level, failed

Keep = Callable[[Mapping[str, str]], Awaitable[None]]
"""Keeps credentials that a vendor made up."""
SIGN_IN_LIMIT = 20.0
"""Seconds that one sign-in may take, and the listing of its webhooks."""
SUNSET_WARNING = timedelta(days=60)


async def sign_in(connection: Connection, clock: Clock) -> list[Finding]:
    """Try its credentials, and look what they may do."""
    ask = connection.connector.sign_in
    if ask is None:
        return []
    try:
        async with asyncio.timeout(SIGN_IN_LIMIT):
            account = await ask(Call.asking(connection, clock))
    except TimeoutError:
        return [_slow(connection)]
    except BellwireError as error:
        return [failed(connection.name, error)]
    return [*_account(connection, account), *_announced(connection)]


async def webhooks(connection: Connection, address: str, clock: Clock) -> list[Finding]:
    """Whether the vendor sends what the connector takes to our address."""
    triggers, name, title = connection.connector.triggers, connection.name, connection.manifest.title
    if triggers is None or triggers.subscribing is None:
        return []
    try:
        async with asyncio.timeout(SIGN_IN_LIMIT):
            listed = await triggers.subscribing.listing(Call.asking(connection, clock))
    except TimeoutError:
        return [_slow(connection)]
    except BellwireError as error:
        return [failed(name, error)]
    found = standing(listed, address, triggers.topics)
    if found.well:
        return [Finding(Level.OK, name, f"Its webhooks come to {address}.")]
    remedy = f"`bellwire connect {name}` has them sent."
    if out_of_reach(address, connection.base_url):
        remedy = f"Set public_url in bellwire.toml to the https address of this Bellwire; then {remedy}"
    troubles = [Finding(Level.WARNING, name, f"{title}: {each.trouble}", remedy) for each in found.broken]
    if found.missing:
        troubles.append(Finding(Level.WARNING, name, f"{title} doesn't send: {', '.join(found.missing)}.", remedy))
    return troubles


def out_of_reach(address: str, vendor: str) -> bool:
    """Whether the vendor at this address can't reach ours, which is for this machine only."""
    return only_from_here(address) and not only_from_here(vendor)


async def subscribe(connection: Connection, address: str, clock: Clock, keep: Keep) -> Standing:
    """Have everything sent to our address that the connector takes. Gives how it was before: where that was well,
    nothing is done. Raises VendorError; BellwireError where the vendor can't reach us, or has no API for it."""
    triggers, title = connection.connector.triggers, connection.manifest.title
    if triggers is None or triggers.subscribing is None:
        raise BellwireError(
            f"{title} has no way for programs to say where webhooks go.",
            remedy=f"Enter the address there: {address}.",
        )
    if out_of_reach(address, connection.base_url):
        raise BellwireError(
            f"{title} can't send webhooks to {address}: that is this machine only.",
            remedy="Set public_url in bellwire.toml to the https address of this Bellwire, then give this again.",
        )
    call = Call.asking(connection, clock)
    before = standing(await triggers.subscribing.listing(call), address, triggers.topics)
    if not before.well and (made := await repair(triggers.subscribing, call, address, triggers.topics)):
        await keep(made)
    return before


def version(name: str, manifest: Manifest, today: date) -> Iterator[Finding]:
    """Which version of the vendor's API is spoken, and how long that goes well."""
    if not manifest.api_version:
        return
    spoken = f"Version {manifest.api_version} of {manifest.title}"
    if manifest.sunset is None:
        yield Finding(Level.OK, name, f"{spoken} is spoken.")
    elif manifest.sunset - today > SUNSET_WARNING:
        yield Finding(Level.OK, name, f"{spoken} is spoken; it ends on {manifest.sunset.isoformat()}.")
    else:
        level, when = (Level.ERROR, "ended") if manifest.sunset <= today else (Level.WARNING, "ends")
        remedy = "`pip install --upgrade bellwire` brings a newer Bellwire."
        yield Finding(level, name, f"{spoken} {when} on {manifest.sunset.isoformat()}.", remedy)


def secret_age(connection: Connection, field: str, set_at: datetime, now: datetime) -> Finding | None:
    """Whether a secret has been the same for long; None: it hasn't."""
    if not is_old(field, set_at, now):
        return None
    name = connection.name
    signs = field == connection.manifest.webhook_credential
    command = f"bellwire secrets rotate {name}" if signs else f"bellwire secrets set {name} {field}"
    remedy = f"Make a new one at the vendor; `{command}` takes it."
    sentence = f"Its {field} is {(now - set_at).days} days old, of at most {SECRET_DAYS}."
    return Finding(Level.WARNING, name, sentence, remedy)


def two_secrets(connection: Connection, now: datetime) -> Iterator[Finding]:
    """Until when the webhook secret from before is accepted, while it is. Raises ConfigurationError."""
    if connection.webhook is None or not connection.earlier_secrets(now):
        return
    name, until = connection.name, connection.earlier_until
    if until is None:
        remedy = f"`bellwire secrets set {name} {connection.manifest.webhook_credential}` ends it."
        yield Finding(Level.WARNING, name, "The webhook secret from before is accepted, too, without an end.", remedy)
    else:
        yield Finding(
            Level.OK, name, f"The webhook secret from before is accepted, too, until {until:%Y-%m-%d %H:%M} UTC."
        )


def _account(connection: Connection, account: Account) -> Iterator[Finding]:
    name, title = connection.name, connection.manifest.title
    detail = f" ({account.detail})" if account.detail else ""
    yield Finding(Level.OK, name, f"Signed in to {account.name}{detail}, {connection.environment}.")
    if account.environment not in (None, connection.environment):
        sentence = f"{title} says that this is {account.environment}, but the connection says {connection.environment}."
        yield Finding(Level.ERROR, name, sentence, "Correct `environment` in connections.toml, or the credentials.")
    yield from (Finding(Level.WARNING, name, warning) for warning in account.warnings)
    told = connection.credentials.find("granted_scopes")
    if account.scopes is None and told is None:
        return
    granted = set(re.split(r"[ ,]+", told or "") if account.scopes is None else account.scopes)
    needed = set(connection.manifest.scopes)
    if lacking := sorted(needed - granted):
        sentence = f"It may not do all it has to; missing: {', '.join(lacking)}."
        yield Finding(Level.ERROR, name, sentence, f"Grant it in {title}.")
    if surplus := sorted(granted - needed):
        sentence = f"It may do more than it has to: {', '.join(surplus)}."
        yield Finding(Level.WARNING, name, sentence, f"Take it away in {title}.")


def _announced(connection: Connection) -> Iterator[Finding]:
    for source, said in connection.api.notices.items():
        sentence = f"{connection.manifest.title} announces a change ({source}): {said}."
        yield Finding(Level.WARNING, connection.name, sentence, "See whether there is a newer Bellwire.")


def _slow(connection: Connection) -> Finding:
    sentence = f"{connection.manifest.title} didn't answer within {SIGN_IN_LIMIT:.0f} seconds."
    return Finding(Level.ERROR, connection.name, sentence, "Try again; is its base_url right?")
