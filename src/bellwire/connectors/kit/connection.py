"""One account at a vendor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bellwire.clock import parse_utc
from bellwire.connectors.kit.auth import Credentials
from bellwire.connectors.kit.http import Api
from bellwire.connectors.kit.joint import JointLookUp
from bellwire.connectors.kit.manifest import Manifest, Settings
from bellwire.connectors.kit.webhooks import WebhookScheme
from bellwire.errors import ConfigurationError
from bellwire.events import Environment

if TYPE_CHECKING:
    from bellwire.connectors.kit.connector import Connector


@dataclass(frozen=True)
class Connection:
    """An account with a name (`shop`), an environment, settings and credentials."""

    name: str
    connector: "Connector"
    environment: Environment
    settings: Settings
    credentials: Credentials
    base_url: str
    """The origin that is really called."""
    api: Api
    since: datetime | None = None
    """Facts from before this time are stored, but start no run."""
    remembered: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What the connector has learned of the account, such as the id behind a name; gone with the process."""
    look_ups: dict[str, JointLookUp[Any]] = field(default_factory=dict, compare=False, repr=False)
    """Those that go on, by the list that they look in."""

    @property
    def manifest(self) -> Manifest:
        return self.connector.manifest

    @cached_property
    def webhook(self) -> WebhookScheme | None:
        scheme: WebhookScheme | Callable[[Any], WebhookScheme] | None = self.manifest.webhook
        return scheme(self.settings) if callable(scheme) else scheme

    @property
    def secrets(self) -> list[str]:
        """The webhook secrets that are accepted for good. Raises MissingCredential when there is none."""
        return self.credentials.get(self.manifest.webhook_credential).split()

    def earlier_secrets(self, now: datetime) -> list[str]:
        """Those from before that are still accepted while the vendor changes over. Raises ConfigurationError."""
        found = (self.credentials.find(earlier(self.manifest.webhook_credential)) or "").split()
        until = self.earlier_until if found else None
        return found if until is None or now < until else []

    @property
    def earlier_until(self) -> datetime | None:
        """When those end; None: when somebody drops them. Raises ConfigurationError."""
        text = self.credentials.find(_until(self.manifest.webhook_credential))
        try:
            return parse_utc(text) if text else None
        except ValueError:
            raise ConfigurationError(
                f"Until when the webhook secret from before is accepted by '{self.name}' can't be read.",
                remedy=f"`bellwire secrets set {self.name} {self.manifest.webhook_credential}` ends it.",
            ) from None


OVERLAP = timedelta(hours=24)
"""How long the secret from before is accepted, if nobody says otherwise."""


def earlier(field: str) -> str:
    """Where the vault keeps the secret that was before the one in `field`, as long as both are accepted."""
    return f"{field}_previous"


def rotated(field: str, new: str, before: str | None, until: datetime) -> dict[str, str]:
    """What to keep so that `new` is accepted, and the one before beside it until then."""
    return {field: new, earlier(field): before or "", _until(field): until.isoformat() if before else ""}


def settled(field: str, only: str) -> dict[str, str]:
    """What to keep so that this one alone is accepted."""
    return {field: only, earlier(field): "", _until(field): ""}


def _until(field: str) -> str:
    return f"{earlier(field)}_until"
