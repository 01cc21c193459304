"""How each connection is: what the ledger and the vault know of it. Nobody is asked, and no secret is read out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

import orjson

from bellwire.connectors.kit import Connection, OAuth2, Quota
from bellwire.connectors.opening import missing_credentials
from bellwire.errors import ConfigurationError
from bellwire.flows import Flow
from bellwire.ledger import (
    CheckRow,
    DeliveryRow,
    EventRow,
    HealthRow,
    PollRow,
    Rows,
    Trouble,
    checks,
    deliveries,
    events,
    health,
    polls,
    runs,
    signings,
)
from bellwire.ledger.signings import Signings
from bellwire.vault import ConnectionCredentials, Origin
from bellwire.watch import SECRET_DAYS, expires, is_old
from bellwire.watch.accounts import SUNSET_WARNING
from bellwire.watch.finding import Finding, Level


class Lamp(StrEnum):
    FINE = "fine"
    ALONE = "left alone"
    """Its vendor doesn't answer: it is tried again by itself."""
    SIGNED_OUT = "signed out"
    """Its vendor doesn't take the credentials, or some are missing."""
    UNHEARD = "never heard of"
    """It is to bring something, and nothing has come yet."""


@dataclass(frozen=True)
class Checked:
    """What its vendor said when it was last tried."""

    at: datetime
    findings: Sequence[Finding]

    def row(self, connection: str) -> CheckRow:
        """As the ledger keeps it."""
        told = [{"level": each.level, "sentence": each.sentence, "remedy": each.remedy} for each in self.findings]
        return CheckRow(connection, orjson.dumps(told).decode(), self.at)

    @classmethod
    def of(cls, row: CheckRow) -> Self:
        told = orjson.loads(row.findings)
        findings = [Finding(Level(each["level"]), row.connection, each["sentence"], each["remedy"]) for each in told]
        return cls(row.at, findings)


@dataclass(frozen=True)
class Known:
    """What the ledger knows of a connection."""

    health: HealthRow | None
    held: int
    """How many runs wait for it."""
    event: EventRow | None
    webhook: DeliveryRow | None
    polls: Sequence[PollRow]
    signings: Signings
    checked: Checked | None
    """None: it was never tried, or that was long ago."""


@dataclass(frozen=True)
class Secret:
    """One credential, without its value."""

    field: str
    meaning: str
    required: bool
    origin: Origin | None
    """None: it isn't there."""
    set_at: datetime | None = None
    replace_by: datetime | None = None
    old: bool = False


@dataclass(frozen=True)
class Standing:
    """One connection as it is now."""

    connection: Connection
    known: Known
    lamp: Lamp
    reason: str
    """Why it isn't fine, in a sentence."""
    secrets: Sequence[Secret]
    quotas: Sequence[Quota]
    now: datetime

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def takes_webhooks(self) -> bool:
        return self.connection.webhook is not None and self.connection.connector.triggers is not None

    @property
    def subscribes(self) -> bool:
        """Whether the vendor can be told by its API where webhooks go."""
        triggers = self.connection.connector.triggers
        return triggers is not None and triggers.subscribing is not None

    @property
    def signs_in_by_browser(self) -> bool:
        auth = self.connection.manifest.auth
        return isinstance(auth, OAuth2) and auth.consent is not None

    @property
    def has_webhook_secret(self) -> bool:
        field = self.connection.manifest.webhook_credential
        return self.takes_webhooks and self.connection.credentials.find(field) is not None

    @property
    def rotating(self) -> bool:
        """Whether two webhook secrets are accepted now."""
        return self.takes_webhooks and bool(self.connection.earlier_secrets(self.now))

    @property
    def earlier_until(self) -> datetime | None:
        """While it is `rotating`: when the secret from before ends; None: when somebody drops it."""
        return self.connection.earlier_until if self.rotating else None

    @property
    def sunset_near(self) -> bool:
        sunset = self.connection.manifest.sunset
        return sunset is not None and sunset - self.now.date() <= SUNSET_WARNING


def known(rows: Rows, connections: Mapping[str, Connection]) -> dict[str, Known]:
    """All of them, at a cost that doesn't grow with history."""
    out = {row.connection: row for row in health.out_of_order(rows)}
    read = polls.everything(rows)
    held = runs.count_held(rows) if out else {}
    return {
        name: Known(
            out.get(name),
            held.get(runs.waits_for(name), 0),
            next(iter(events.newest(rows, connection=name, limit=1)), None),
            deliveries.newest_webhook(rows, name) if connection.webhook is not None else None,
            [row for row in read if row.connection == name],
            signings.find(rows, name),
            Checked.of(check) if (check := checks.find(rows, name)) else None,
        )
        for name, connection in connections.items()
    }


def standing(connection: Connection, known: Known, now: datetime, flows: Iterable[Flow]) -> Standing:
    """Raises ConfigurationError when the vault can't be read."""
    lamp, reason = _lamp(connection, known, flows)
    secrets, quotas = secrets_of(connection, now), connection.api.gate.quotas
    return Standing(connection, known, lamp, reason, secrets, quotas, now)


def secrets_of(connection: Connection, now: datetime) -> list[Secret]:
    """Its credentials, and when each was set. Raises ConfigurationError."""
    held = connection.credentials
    found = []
    for credential in connection.manifest.credentials:
        name, origin, set_at = credential.field, None, None
        if isinstance(held, ConnectionCredentials):
            if seen := held.look(name):
                origin, set_at = seen.origin, seen.set_at
        elif held.find(name) is not None:
            origin = Origin.VAULT
        found.append(
            Secret(
                name,
                credential.meaning,
                credential.required,
                origin,
                set_at,
                set_at + timedelta(SECRET_DAYS) if set_at and expires(name) else None,
                set_at is not None and is_old(name, set_at, now),
            )
        )
    return found


def lacking(connection: Connection) -> str:
    """What it can't be signed in for, in a sentence; empty: nothing."""
    try:
        missing = [error.field for error in missing_credentials(connection)]
    except ConfigurationError as error:
        return error.sentence
    return f"These credentials are missing: {', '.join(missing)}." if missing else ""


def _is_to_bring(connection: Connection, flows: Iterable[Flow]) -> bool:
    """Whether something is to come from it: not from one that the flows only have things done at."""
    name, flows = connection.name, list(flows)
    if connection.connector.triggers is None:
        return False
    return any(flow.connection == name for flow in flows) or not any(name in flow.connections for flow in flows)


def _lamp(connection: Connection, known: Known, flows: Iterable[Flow]) -> tuple[Lamp, str]:
    if known.health is not None:
        lamp = Lamp.SIGNED_OUT if known.health.state is Trouble.SIGNED_OUT else Lamp.ALONE
        return lamp, known.health.reason
    if lacks := lacking(connection):
        return Lamp.SIGNED_OUT, lacks
    if known.event is None and known.webhook is None and _is_to_bring(connection, flows):
        return Lamp.UNHEARD, "Nothing has come from it yet."
    return Lamp.FINE, ""
