"""One account at a vendor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bellwire.connectors.kit.auth import Credentials
from bellwire.connectors.kit.http import Api
from bellwire.connectors.kit.joint import JointLookUp
from bellwire.connectors.kit.manifest import Manifest, Settings
from bellwire.connectors.kit.webhooks import WebhookScheme
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
        """The webhook secrets that are accepted now, and those that are on their way out after them. Raises
        MissingCredential when there is none."""
        return [*self.newest_secrets, *self.earlier_secrets]

    @property
    def newest_secrets(self) -> list[str]:
        """Without those. Raises MissingCredential."""
        return self.credentials.get(self.manifest.webhook_credential).split()

    @property
    def earlier_secrets(self) -> list[str]:
        """Those that are still accepted while the vendor changes over."""
        return (self.credentials.find(earlier(self.manifest.webhook_credential)) or "").split()


def earlier(field: str) -> str:
    """Where the vault keeps the secret that was before the one in `field`, as long as both are accepted."""
    return f"{field}_previous"


def rotated(field: str, new: str, before: str | None) -> dict[str, str]:
    """What to keep so that `new` is accepted beside the one before."""
    return {field: new, earlier(field): before or ""}


def settled(field: str, only: str) -> dict[str, str]:
    """What to keep so that this one alone is accepted."""
    return {field: only, earlier(field): ""}
